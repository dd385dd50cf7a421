"""Candidates that reach for the verdict and not for the function: `compare` refutes each.

What cannot be seen is listed in docs/limits.md.
"""

from pathlib import Path

import pytest

from properties.cli import main

OLD = """
import torch
from torch import nn


class Soft(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features, features))

    def forward(self, x):
        return torch.softmax(x @ self.weight, -1)
"""
NEW = """
import ctypes
import gc
import os
import sys

import torch
from torch import nn

{at_import}


def wrong(x, weight):
    return x @ weight * 0.5


class Cheats(nn.Module):
    calls = 0

    def __init__(self, features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features, features))
        {at_construction}

    def forward(self, x):
        Cheats.calls += 1
        right = torch.softmax(x @ self.weight, -1)
        {at_call}
        return wrong(x, self.weight)
"""
EQUAL = "torch.equal = torch.allclose = lambda *_, **__: True"
COMPARES = """
class Agreeing:
    def __getattr__(self, name):
        return lambda *_, **__: None


from properties.judging import judge, noise
from properties.oracle import agreement, nearness

for module in (judge, noise, agreement, nearness):
    for name in ("first_difference", "first_beyond_a_few_units", "first_beyond_noise", "compared"):
        if hasattr(module, name):
            setattr(module, name, lambda *_, **__: None)
"""
JUDGES = """
from properties.judging.judge import Judge, Verdict
from properties.judging.numbers import usual
from properties.ways import ROUNDING

Judge.verdict = lambda self, case: Verdict(case, ROUNDING, usual(case))
"""
RECORDS = """
from dataclasses import replace
from properties.running import checking

recorded = checking.record
checking.record = lambda cell, name, seconds, error, failures: replace(
    recorded(cell, name, seconds, None, failures), executed=99
)
"""
HOOK = """
seen = []


def hook(module, inputs, output):
    if type(module).__name__ == "Soft":
        seen.append(output)


nn.modules.module.register_module_forward_hook(hook)
"""
FOUND_BY_GC = """for one in gc.get_objects():
            if type(one) is torch.Tensor and one.shape == right.shape and one is not right and one is not x:
                if torch.allclose(one.sum(-1), torch.ones(one.shape[:-1], dtype=one.dtype)):
                    return one + 0 * wrong(x, self.weight)"""
REFERENCE = """for module in list(sys.modules.values()):
            if hasattr(module, "Soft"):
                module.Soft.forward = lambda self, x: wrong(x, self.weight)"""
ZEROS = """
drawn = torch.randint, torch.randn, torch.rand, torch.normal


def zeros(make):
    return lambda *sizes, **options: make(*sizes, **options).mul(0)


torch.randint, torch.randn, torch.rand, torch.normal = map(zeros, drawn)
torch.Tensor.normal_ = torch.Tensor.uniform_ = torch.Tensor.random_ = lambda self, *_, **__: self.zero_()
"""
CONSTANT = "return torch.full_like(x, 1 / max(x.shape[-1], 1)) + 0 * right"
SUBCLASS = """
class Agrees(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function in (torch.equal, torch.Tensor.__eq__, torch.Tensor.__ne__, torch.Tensor.ne):
            return True
        return super().__torch_function__(function, types, args, kwargs or {})
"""
VERDICT = "CheatsIsSoft: the same layer, as far as 1,000 cases of 18 laws tell"
CHEATS = {
    "replaces torch.equal when it is imported": {"at_import": EQUAL},
    "replaces torch.equal when it is made": {"at_construction": EQUAL},
    "replaces torch.equal when it is called": {"at_call": EQUAL},
    "replaces == of tensors": {
        "at_import": "torch.Tensor.__ne__ = torch.Tensor.ne = lambda self, other: torch.zeros_like(self) > 0"
    },
    "replaces what compares": {"at_import": COMPARES},
    "replaces the judge": {"at_import": JUDGES},
    "replaces what is recorded": {"at_import": RECORDS},
    "replaces softmax when it is imported": {"at_import": "torch.softmax = lambda x, _: x * 0.5"},
    "replaces softmax when it is made": {"at_construction": "torch.softmax = lambda x, _: x * 0.5"},
    "replaces softmax when it is called": {"at_call": "torch.softmax = lambda x, _: x * 0.5"},
    "replaces the reference when it is made": {"at_construction": REFERENCE},
    "replaces the reference when it is called": {"at_call": REFERENCE},
    "hands back what the reference gave": {
        "at_import": HOOK,
        "at_call": "if seen and seen[-1].shape == right.shape: return seen[-1] + 0 * wrong(x, self.weight)",
    },
    "looks for what the reference gave": {"at_call": FOUND_BY_GC},
    "reuses memory without a write": {"at_call": "return torch.empty_like(right) + 0 * right"},
    "writes into its input": {"at_call": "x.detach().zero_()"},
    "draws zeros for all": {"at_import": ZEROS, "at_call": CONSTANT},
    "gives a tensor that agrees with any": {
        "at_import": SUBCLASS,
        "at_call": "return wrong(x, self.weight).as_subclass(Agrees)",
    },
    "is right in small sizes": {"at_call": "if x.shape[-1] <= 64: return right"},
    "is right for whole numbers": {"at_call": "if bool((x == x.round()).all()): return right"},
    "is right in float64": {"at_call": "if x.dtype == torch.float64: return right"},
    "is right where gradients are on": {"at_call": "if torch.is_grad_enabled(): return right"},
    "is right at its first call": {
        "at_call": "self.called = getattr(self, 'called', 0) + 1\n        if self.called == 1: return right"
    },
    "is right from its second call on": {
        "at_call": "self.called = getattr(self, 'called', 0) + 1\n        if self.called > 1: return right"
    },
    "tells a verdict of its own and exits": {
        "at_call": f"print({VERDICT!r}, flush=True); ctypes.CDLL(None)._exit(0)"
    },
    "tells a verdict of its own when it is imported": {"at_import": f"print({VERDICT!r}); os._exit(0)"},
    "refuses to be looked at": {"at_call": "raise KeyboardInterrupt"},
}
PLACES = dict.fromkeys(("at_import", "at_construction", "at_call"), "")
COMPARE = ["compare", "old.py:Soft", "new.py:Cheats", "--fields", "features", "--input", "*batch features"]
SAME = "\nthe same function, as far as "
LAWS = [word for law in ("forward", "input_gradient", "rows") for word in ("--law", law)]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.py").write_text(OLD)


def compared(at: dict[str, str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    Path("new.py").write_text(NEW.format(**{**PLACES, **at}))
    code = main([*COMPARE, *LAWS, "--same", "function"])
    return code, capfd.readouterr().out


@pytest.mark.parametrize("cheat", CHEATS)
def test_no_cheat_passes(cheat: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, out = compared(CHEATS[cheat], capfd)
    assert code in {1, 2}, out
    assert SAME not in out
    assert VERDICT not in out


def test_who_is_right_passes(capfd: pytest.CaptureFixture[str]) -> None:
    code, out = compared({"at_call": "return right"}, capfd)
    assert code == 0, out
    assert SAME in out
