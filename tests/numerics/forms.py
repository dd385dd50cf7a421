"""Functions by their definition or by another algorithm, for right pairs and, with a slip, for wrong ones."""

from __future__ import annotations

import math
import warnings
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 3
"""Entries that a streamed form takes at once."""


def taken_out(x: Tensor) -> tuple[Tensor, Tensor]:
    """Give x less its largest entry, and that entry, as a constant."""
    largest = x.amax(-1, keepdim=True).detach()
    return x - largest, largest


def softmax(x: Tensor) -> Tensor:
    e = taken_out(x)[0].exp()
    return e / e.sum(-1, keepdim=True)


def logsumexp(x: Tensor) -> Tensor:
    shifted, largest = taken_out(x)
    return (largest + shifted.exp().sum(-1, keepdim=True).log()).squeeze(-1)


def log_softmax(x: Tensor) -> Tensor:
    shifted, _ = taken_out(x)
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


def streamed_softmax(x: Tensor) -> Tensor:
    """Rescale the running sum with every new maximum, block by block."""
    largest = x[..., :1].detach()
    total = torch.zeros_like(largest)
    for block in x.split(BLOCK, dim=-1):
        updated = torch.maximum(largest, block.amax(-1, keepdim=True)).detach()
        total = total * (largest - updated).exp() + (block - updated).exp().sum(-1, keepdim=True)
        largest = updated
    return (x - largest).exp() / total


def streamed_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Weigh the values block by block, and rescale what is summed with every new maximum."""
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    largest = scores[..., :1].detach()
    total, weighed = torch.zeros_like(largest), torch.zeros_like(q)
    for block, values in zip(scores.split(BLOCK, dim=-1), v.split(BLOCK, dim=-2), strict=True):
        updated = torch.maximum(largest, block.amax(-1, keepdim=True)).detach()
        weights, kept = (block - updated).exp(), (largest - updated).exp()
        total = total * kept + weights.sum(-1, keepdim=True)
        weighed = weighed * kept + weights @ values
        largest = updated
    return weighed / total


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return softmax(q @ k.mT / math.sqrt(q.shape[-1])) @ v


def open_below(x: Tensor) -> Tensor:
    """Give the (time, time) bool tensor that is True on and below the diagonal."""
    return torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool, device=x.device).tril()


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return softmax(scores.masked_fill(~open_below(q), -math.inf)) @ v


def layer_norm(x: Tensor, eps: float = 1e-5, correction: int = 0) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    variance = centred.square().sum(-1, keepdim=True) / (x.shape[-1] - correction)
    return centred / (variance + eps).sqrt()


def layer_norm_by_torch(x: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:])


def variance_by_torch(x: Tensor) -> Tensor:
    with warnings.catch_warnings():
        # Of an empty batch torch says that it has no degrees of freedom.
        warnings.filterwarnings("ignore", message="var")
        return x.var(-1, correction=0)


def two_pass_variance(x: Tensor) -> Tensor:
    return (x - x.mean(-1, keepdim=True)).square().mean(-1)


def one_pass_variance(x: Tensor) -> Tensor:
    return x.square().mean(-1) - x.mean(-1).square()


def welford_variance(x: Tensor) -> Tensor:
    mean, total = x[..., 0], torch.zeros_like(x[..., 0])
    for count, entry in enumerate(x.unbind(-1)[1:], start=2):
        step = entry - mean
        mean = mean + step / count
        total = total + step * (entry - mean)
    return total / x.shape[-1]


def shifted_variance(x: Tensor) -> Tensor:
    return one_pass_variance(x - x[..., :1])


def variance_of_pairs(x: Tensor) -> Tensor:
    return (x.unsqueeze(-1) - x.unsqueeze(-2)).square().mean((-1, -2)) / 2


def rms_norm(x: Tensor, eps: float = 1e-6) -> Tensor:
    return x * (x.square().mean(-1, keepdim=True) + eps).rsqrt()


def softplus(x: Tensor) -> Tensor:
    return torch.stack([x, torch.zeros_like(x)], -1).logsumexp(-1)


def normal_part(x: Tensor) -> Tensor:
    """The normal distribution's function, without a loss of digits on either side."""
    return (-x / math.sqrt(2)).erfc() / 2


def well_conditioned(x: Tensor) -> Tensor:
    """A matrix with a dominant diagonal."""
    n = x.shape[-1]
    return (n + 1) * torch.eye(n, dtype=x.dtype, device=x.device) + x.tanh()


def positive_definite(x: Tensor, least: float) -> Tensor:
    """A symmetric matrix whose eigenvalues are at least so large."""
    n = x.shape[-1]
    factor = x.tanh()
    return factor @ factor.mT + least * torch.eye(n, dtype=x.dtype, device=x.device)


def solve_lower(lower: Tensor, b: Tensor) -> Tensor:
    """Substitute forwards, entry by entry."""
    solved: list[Tensor] = []
    for row, value in enumerate(b.unbind(-1)):
        known = sum(
            (lower[..., row, column] * one for column, one in enumerate(solved)), torch.zeros_like(value)
        )
        solved.append((value - known) / lower[..., row, row])
    return torch.stack(solved, -1)


def circulant(x: Tensor) -> Tensor:
    """Give the (n, n) matrix whose row i is x rolled by i, reversed: circular convolution is its product."""
    n = x.shape[-1]
    places = torch.arange(n, device=x.device)
    return x[..., (places[:, None] - places) % n]


def angles(n: int, like: Tensor) -> Tensor:
    """Give 2 pi j k / n, j and k from 0 to n - 1, with j k taken modulo n."""
    places = torch.arange(n, device=like.device)
    return (places[:, None] * places % n).to(like.dtype) * (2 * math.pi / n)


def logistic_product(x: Tensor, steps: int = 40) -> Tensor:
    y = 0.1 + 0.8 * x.sigmoid()
    for _ in range(steps):
        y = 3.9 * y * (1 - y)
    return y


def logistic_difference(x: Tensor, steps: int = 40) -> Tensor:
    y = 0.1 + 0.8 * x.sigmoid()
    for _ in range(steps):
        y = 3.9 * (y - y.square())
    return y


def kick_drift_kick(x: Tensor, steps: int = 50, step: float = 0.1) -> Tensor:
    """Swing a pendulum, with two half kicks in each step."""
    place, speed = x.tanh(), torch.zeros_like(x)
    for _ in range(steps):
        speed = speed - step / 2 * place.sin()
        place = place + step * speed
        speed = speed - step / 2 * place.sin()
    return torch.stack([place, speed], -1)


def leapfrog(x: Tensor, steps: int = 50, step: float = 0.1) -> Tensor:
    """Swing a pendulum, with the two half kicks between steps in one."""
    place = x.tanh()
    speed = -step / 2 * place.sin()
    for number in range(steps):
        place = place + step * speed
        speed = speed - (step / 2 if number == steps - 1 else step) * place.sin()
    return torch.stack([place, speed], -1)


def moving_average(x: Tensor, kept: float = 0.95) -> Tensor:
    average = torch.zeros_like(x[..., 0])
    for entry in x.unbind(-1):
        average = kept * average + (1 - kept) * entry
    return average


def moving_average_by_weights(x: Tensor, kept: float = 0.95) -> Tensor:
    ages = torch.arange(x.shape[-1] - 1, -1, -1, dtype=x.dtype, device=x.device)
    return x @ ((1 - kept) * kept**ages)


def recurrence(a: Tensor, b: Tensor) -> Tensor:
    """h = a h + b, step by step."""
    h = torch.zeros_like(b[..., 0])
    steps = []
    for factor, term in zip(a.unbind(-1), b.unbind(-1), strict=True):
        h = factor * h + term
        steps.append(h)
    return torch.stack(steps, -1)


def recurrence_by_doubling(a: Tensor, b: Tensor) -> Tensor:
    """h = a h + b, with the steps taken together two by two, four by four, and so on."""
    distance = 1
    while distance < b.shape[-1]:
        earlier_a = functional.pad(a[..., :-distance], (distance, 0), value=1.0)
        earlier_b = functional.pad(b[..., :-distance], (distance, 0))
        a, b = a * earlier_a, b + a * earlier_b
        distance *= 2
    return b


def descent(gradients: Tensor, rate: float = 0.1, momentum: float = 0.9) -> Tensor:
    """Where SGD with momentum ends, from 0."""
    place = velocity = torch.zeros_like(gradients[..., 0])
    for gradient in gradients.unbind(-1):
        velocity = momentum * velocity + gradient
        place = place - rate * velocity
    return place


def descent_by_weights(gradients: Tensor, rate: float = 0.1, momentum: float = 0.9) -> Tensor:
    """The same by its closed form: each gradient counts 1 + m + m² + … as often as it is still felt."""
    left = torch.arange(gradients.shape[-1], 0, -1, dtype=gradients.dtype, device=gradients.device)
    return -rate * (gradients @ ((1 - momentum**left) / (1 - momentum)))


def geometric_sum(x: Tensor, terms: int = 20) -> Tensor:
    total = torch.zeros_like(x)
    for _ in range(terms):
        total = total * x + 1
    return total


def kahan_sum(x: Tensor) -> Tensor:
    total = lost = torch.zeros_like(x[..., 0])
    for entry in x.unbind(-1):
        wanted = entry - lost
        updated = total + wanted
        lost = (updated - total) - wanted
        total = updated
    return total


def sum_of_halves(x: Tensor) -> Tensor:
    n = x.shape[-1]
    if n == 1:
        return x[..., 0]
    return sum_of_halves(x[..., : n // 2]) + sum_of_halves(x[..., n // 2 :])


def chebyshev(x: Tensor, degree: int = 12) -> Tensor:
    before, now = torch.ones_like(x), x
    for _ in range(degree - 1):
        before, now = now, 2 * x * now - before
    return now


def rolled_maximum(x: Tensor) -> Tensor:
    largest, steps = x[..., 0], [x[..., 0]]
    for entry in x.unbind(-1)[1:]:
        largest = torch.where(entry >= largest, entry, largest)
        steps.append(largest)
    return torch.stack(steps, -1)


def rotated(x: Tensor) -> Tensor:
    """Rotate (first, second) halves by an angle for each place."""
    first, second = x.chunk(2, dim=-1)
    angle = torch.arange(first.shape[-1], dtype=x.dtype, device=x.device) + 0.5
    return torch.cat(
        [first * angle.cos() - second * angle.sin(), first * angle.sin() + second * angle.cos()], -1
    )


def rotated_by_numbers(x: Tensor) -> Tensor:
    """Rotate by a product of complex numbers."""
    first, second = x.chunk(2, dim=-1)
    angle = torch.arange(first.shape[-1], dtype=x.dtype, device=x.device) + 0.5
    turned = torch.complex(first, second) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([turned.real, turned.imag], -1)


def squares_and_products(x: Tensor, y: Tensor) -> Tensor:
    return x.square().sum(-1) + y.square().sum(-1) - 2 * (x * y).sum(-1)


def horner(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    total = torch.zeros_like(x)
    for coefficient in coefficients:
        total = total * x + coefficient
    return total


def powers(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    degree = len(coefficients) - 1
    terms = [coefficient * x ** (degree - place) for place, coefficient in enumerate(coefficients[:-1])]
    return torch.stack(terms).sum(0) + coefficients[-1]


def cumulative(x: Tensor) -> Tensor:
    total, steps = torch.zeros_like(x[..., 0]), []
    for entry in x.unbind(-1):
        total = total + entry
        steps.append(total)
    return torch.stack(steps, -1)


def differences(x: Tensor) -> Tensor:
    return torch.stack([after - before for before, after in pairwise(x.unbind(-1))], -1)
