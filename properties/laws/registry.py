"""The laws, by name, in the order of their definition."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict, Unpack, get_args

from equivalence.claim import Equivalence, Scope
from equivalence.variable import ClaimError
from properties.cases.form import Form
from properties.cases.sample import Sample
from properties.cases.setting import Setting
from properties.circumstances.registry import Shown
from properties.laws.comparing import Comparison, Observe, with_the_reference
from properties.oracle.agreement import Equation
from properties.ways import BY_VALUES, DECIDED, Decided, Word

SCOPES: tuple[Scope, ...] = get_args(Scope)
ANOTHER_FUNCTION = "another function"
Kind = str | Callable[[str], str]
"""A few words, or where two observations differ -> a few words."""


class Controlled(NamedTuple):
    """What a right run comes to, and by name what wrong ones do."""

    right: Any
    wrong: Mapping[str, Any]


Controls = Callable[[Sample], Controlled]
"""sample -> runs that must be told apart; OutsideDomainError where nothing can be told."""


class Options(TypedDict, total=False):
    """What `@law` takes by name: the fields of `Law` that have a default."""

    compared: Comparison
    presumed: bool
    controls: Controls | None
    variants: int
    scope: Scope
    edge: bool
    otherwise: str
    kind: Kind
    beside: str
    wired: bool
    non_contiguous: bool
    gradients: bool
    narrow: str
    shown: Shown | None


@dataclass(frozen=True)
class Law:
    """What one form is observed to do; both forms of a true claim that it applies to are observed alike."""

    observe: Observe
    needs: Callable[[Equivalence], str]
    """Why the law cannot apply to a claim; empty where it can."""
    decided: Decided = BY_VALUES
    """How its equation is decided, and which cases that takes."""
    compared: Comparison = with_the_reference
    """How the observations of the two forms are compared."""
    presumed: bool = False
    """Whether the reference must hold it in the candidate's place for the law to speak; asked only where
    the candidate fails."""
    controls: Controls | None = None
    """Wrong runs that the law must tell from a right one in every run of a claim: they show its power."""
    variants: int = 1
    """So many forms has the law, and a case's seed says which: seed % variants. A cell tries all of them."""
    scope: Scope = "function"
    """The least word of a claim that claims it: function, module or layer."""
    edge: bool = False
    """Whether it looks at inputs that are none of the claim's: what it finds is told after the others'."""
    gradients: bool = False
    """Whether it looks at gradients alone, and says nothing where there are none."""
    narrow: str = ""
    """Why it says nothing in float16 and bfloat16; empty where it does."""
    shown: Shown | None = None
    """What a form is observed by, so that circumstances show in it: values or gradients; None in none but
    those that a claim or its reader asks for."""
    otherwise: str = ""
    """What is true of a candidate that fails it, in a few words: "other initial weights"."""
    kind: Kind = ANOTHER_FUNCTION
    """What a candidate is where values differ, by the place where they do: "another training run"."""
    beside: str = ""
    """What it looks at beside the values drawn: "an inf or a nan in one place"."""
    wired: bool = False
    """Whether it says that the outputs agree: where they do not, connections from x to them tell why."""
    non_contiguous: bool = False
    """Whether it lays the inputs of every case out in memory in other ways."""

    @property
    def name(self) -> str:
        """The law's word, as used in `breaks` and on the command line."""
        return self.observe.__name__

    @property
    def statement(self) -> str:
        """The equation, as its docstring opens with it."""
        return (self.observe.__doc__ or "").strip().splitlines()[0]

    @property
    def told(self) -> str:
        """What a verdict says of a candidate that fails the law."""
        return self.otherwise or f"differs under {self.name}"

    def kind_at(self, where: str) -> str:
        """Say of which kind a failure is whose values differ there."""
        return self.kind if isinstance(self.kind, str) else self.kind(where)

    def equation(self, sample: Sample) -> Equation:
        """State what the law says of the two forms of a sample."""
        return self.compared(self._observed, sample, sample.candidate)

    def premise(self, sample: Sample) -> Equation:
        """State what the law says of the reference, held in the candidate's place."""
        return self.compared(self._observed, sample, sample.reference)

    def silent_in(self, setting: Setting) -> str:
        """Say why the law says nothing in a setting; empty where it does."""
        return f"in {setting.dtype_name} {self.narrow}" if setting.is_narrow and self.narrow else ""

    def beyond(self, claim: type[Equivalence]) -> str:
        """Say that the law looks beyond what a claim calls the same; empty where it does not."""
        claimed = SCOPES.index(self.scope) <= SCOPES.index(claim.same)
        return "" if claimed else f"beyond the claimed {claim.same}"

    @property
    def owner(self) -> str:
        """The module that defines it, and the distribution of that module where it is not ours."""
        distribution = DISTRIBUTIONS.get(self.name)
        return self.observe.__module__ + (f" of {distribution}" if distribution else "")

    def _observed(self, form: Form, sample: Sample) -> Any:
        observation = self.observe(form, sample)
        if isinstance(observation, Equation):
            raise _misshapen(self.observe, "returned an Equation")
        return observation


LAWS: dict[str, Law] = {}
"""Every registered law by name."""
DISTRIBUTIONS: dict[str, str] = {}
"""The distribution, with its version, of every law that an entry point brought."""


def always(_: Equivalence) -> str:
    """Apply to every claim."""
    return ""


def plainest_first(names: Iterable[str]) -> list[str]:
    """Order laws as their failures are told: another function, module, edges, then start, training, cost."""
    ranks = {
        name: (SCOPES.index(one.scope), one.edge, place) for place, (name, one) in enumerate(LAWS.items())
    }
    # A law that only the process of a test has registered comes last.
    return sorted(names, key=lambda name: ranks.get(name, (len(SCOPES), True, 0)))


def law(
    needs: Callable[[Equivalence], str] = always, *, decided: Word = "values", **options: Unpack[Options]
) -> Callable[[Observe], Observe]:
    """Register a function (form, sample) -> observation as a law; ClaimError where it cannot be one."""
    _check_use(needs, decided, options.get("scope", "function"))

    def register(observe: Observe) -> Observe:
        _check_function(observe)
        LAWS[observe.__name__] = Law(observe, needs, DECIDED[decided], **options)
        return observe

    return register


def _check_use(needs: Callable[[Equivalence], str], decided: str, scope: str) -> None:
    if len(inspect.signature(needs).parameters) != 1:
        message = (
            "@law() takes what the law needs of a claim, a function of the claim alone, but got "
            f"{needs.__name__}; write @law() with its parentheses above the law"
        )
        raise ClaimError(message)
    if decided not in DECIDED:
        message = f"a law is decided by one of {', '.join(DECIDED)}, but got {decided!r}"
        raise ClaimError(message)
    if scope not in SCOPES:
        message = f"a law's scope is one of {', '.join(SCOPES)}, but got {scope!r}"
        raise ClaimError(message)


def _check_function(observe: Observe) -> None:
    name = observe.__name__
    parameters = list(inspect.signature(observe).parameters)
    if len(parameters) != 2 or parameters[0] == "claim":  # noqa: PLR2004  (the form and the sample)
        raise _misshapen(observe, f"takes ({', '.join(parameters)})")
    if not (observe.__doc__ or "").strip():
        message = (
            f"a law states its equation in the first line of its docstring, but {name!r} of "
            f"{observe.__module__} has none; write one"
        )
        raise ClaimError(message)
    if name in LAWS:
        message = (
            f"a law's name is its own, but {name!r} of {observe.__module__} is taken by {LAWS[name].owner}; "
            "choose another"
        )
        raise ClaimError(message)


def _misshapen(observe: Observe, problem: str) -> ClaimError:
    """Say how a law is written, of one that is written otherwise."""
    return ClaimError(
        f"a law is a function (form, sample) -> what that form is observed to do, but {observe.__name__!r} "
        f"of {observe.__module__} {problem}; observe one form, and take the claim from sample.claim"
    )
