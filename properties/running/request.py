"""What a command line asks for: claims, laws, a plan, fixed sizes, data, a setting."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from torch import Tensor

from properties.cases.domain import Domain
from properties.cases.sample import takes_rows
from properties.cases.setting import USUAL, Setting
from properties.reading.claims import UsageError, load_claim, parse_pins
from properties.reading.images import load_images
from properties.running.cell import Cell, Plan
from properties.running.suites import cells, required
from properties.running.workers import LIMIT

DATA_BATCH = (200,)
"""Images in a batch where --at does not say."""


@dataclass(frozen=True)
class Request:
    """Names and numbers only, so that it can be sent to another process."""

    claims: tuple[str, ...]
    laws: tuple[str, ...] | None = None
    plan: Plan = field(default_factory=Plan)
    at: str = ""
    under: tuple[str, ...] = ()
    """Circumstances that every case is under; as "not name", those that none is."""
    data: str | None = None
    setting: Setting = USUAL
    named: bool = False
    """Whether the claims were asked for by name: then a law asked for by name must apply to each."""
    limit: float = LIMIT
    """Seconds that one case may take."""

    def cells(self, name: str) -> list[Cell]:
        """Pair one claim with the laws asked for; ClaimError where both were named and one does not apply."""
        paired = cells(self.domain(name), self.laws)
        return required(paired) if self.named and self.laws is not None else paired

    def domain(self, name: str) -> Domain:
        """Give the domain of one claim, with the sizes and the data asked for."""
        claim = load_claim(name)
        pins = parse_pins(claim, self.at)
        if self.under:
            pins["under"] = (*pins.get("under", ()), *self.under)
        if self.data is None:
            return Domain(claim, pins, setting=self.setting)
        starred = [axis for axis, free in Domain(claim).axes.items() if free]
        pins = {**dict.fromkeys(starred, DATA_BATCH), **pins}
        domain = Domain(claim, pins, _images(self.data), self.setting)
        _check_fed(domain)
        return domain


@cache
def _images(folder: str) -> Tensor:
    return load_images(folder)


def _check_fed(domain: Domain) -> None:
    """Refuse data that no input takes: the run would be on random numbers, and look as if it were not."""
    shapes = {name: domain.typical.shape(variable) for name, variable in domain.claim.inputs().items()}
    if domain.data is not None and not any(takes_rows(domain.data, shape) for shape in shapes.values()):
        message = (
            f"{domain.name}: --data holds images of {tuple(domain.data.shape[1:])}, but the inputs are "
            f"{shapes}; fix their last axes with --at"
        )
        raise UsageError(message)
