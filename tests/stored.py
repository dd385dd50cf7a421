"""A layer that reads the memory of its weight, as a form may that has a parameter of its own."""

from typing import Annotated

from torch import Tensor, nn
from torch.nn import functional

from equivalence import AtLeast, Equivalence, Real
from equivalence.claim import Theta


class Stored(nn.Module):
    """Keeps the weight transposed, and reads its memory: a parameter of its own is contiguous."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.Linear(features, 2).weight.detach().T.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        features = self.weight.shape[0]
        return functional.linear(x, self.weight.view(-1).view(features, 2).T)


class StoredIsLinear(Equivalence):
    """A candidate that reads the memory of its parameter, which carry gives in another order."""

    features: Annotated[int, AtLeast(2)]
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 2, bias=False)

    def candidate(self) -> nn.Module:
        return Stored(self.features)

    def carry(self, theta: Theta) -> Theta:
        return {"weight": theta["weight"].T}
