"""The parameters of both forms, held against each other: what carry says, or what is still to be said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import torch
from torch import nn

from equivalence.claim import Equivalence
from equivalence.variable import ClaimError
from properties.cases.answering import FormError
from properties.cases.case import Case, Shape
from properties.cases.domain import Domain
from properties.cases.form import Form
from properties.cases.sample import build, named_tensors
from properties.cases.setting import Setting
from properties.cases.surroundings import surroundings_kept
from properties.comparison.claim_text import Entry
from properties.comparison.expression import Expression, read_expression
from properties.reading.claims import UsageError

STEPS = 3
"""Small configurations of unequal sizes, beside the wide ones."""


@dataclass(frozen=True)
class Pair:
    """Both forms in one configuration: the shapes of what they hold, by name."""

    case: Case
    old: Mapping[str, Shape]
    new: Mapping[str, Shape]
    parameters: frozenset[str]
    """Which names of the new form are parameters: these must be carried, buffers need not."""
    by_order: Mapping[str, str] = field(default_factory=dict)
    """New name -> old name, of what has no other counterpart and starts, in order, with the same draws."""

    @property
    def where(self) -> str:
        """The configuration, as a reader writes it."""
        return ", ".join(f"{name}={value!r}" for name, value in vars(self.case.claim).items()) or "no field"

    def equal(self, name: str) -> bool:
        """Whether both sides have this name and shape."""
        return name in self.old and self.old[name] == self.new.get(name)


@surroundings_kept()
def pairs(claim: type[Equivalence]) -> list[Pair]:
    """Build both forms in configurations of unequal sizes, and every option; UsageError where one raises."""
    try:
        domain = Domain(claim)
        cases = [*_cases(domain), domain.typical]
        return [pair for case in cases if (pair := _pair(case)) is not None]
    except ClaimError as error:
        # The claim and its file are ours; the rule, the value and the remedy are the user's.
        raise UsageError(str(error).rpartition(f"{claim.__name__}: ")[2]) from error
    except FormError as error:
        message = f"the constructor of new raised {first_line(error.original)}"
        raise UsageError(message) from error
    except Exception as error:
        message = f"a constructor raised {first_line(error)}"
        raise UsageError(message) from error


def matched(
    found: Sequence[Pair], words: Mapping[str, str], values: Mapping[str, str]
) -> dict[str, Entry] | None:
    """Give carry's entries: those of --carry (`words`), and what has equal names and shapes; None: all has.

    UsageError, with both sides in a table, where a parameter of the new form is given by neither.
    """
    old_names = list(dict.fromkeys(name for pair in found for name in pair.old))
    new_names = list(dict.fromkeys(name for pair in found for name in pair.new))
    _check_known(words, new_names)
    given = {name: read_expression(f"{name}={text}", values, old_names) for name, text in words.items()}
    by_name = [name for name in new_names if name not in given and _equal_throughout(name, found)]
    own = {**dict(zip(by_name, by_name, strict=True)), **({} if given else _by_order(found))}
    expressions = {
        name: given.get(name) or _old(own[name]) for name in new_names if name in given or name in own
    }
    _check_complete(max(found, key=lambda pair: len(_missing(pair, expressions))), expressions)
    for pair in found:
        _check_surplus(pair, expressions)
    if not given and all({*pair.old} == {*pair.old} & {*by_name} for pair in found):
        return None
    return {
        name: Entry(expression, always=all(expression.reads <= {*pair.old} for pair in found))
        for name, expression in expressions.items()
    }


def check_carry(claim: type[Equivalence], found: Sequence[Pair]) -> None:
    """UsageError where carry cannot be computed, or gives another shape than the new form has."""
    for pair in found:
        stated = claim(**vars(pair.case.claim))
        old = build(stated, "reference", 0)
        theta = {name: one.detach() for name, one in (*old.named_parameters(), *old.named_buffers())}
        try:
            Form("candidate", stated, build(stated, "candidate", 0), Setting(torch.float32)).state(theta)
        except ClaimError:
            raise
        except Exception as error:
            message = f"--carry cannot be computed at {pair.where}: {first_line(error)}"
            raise UsageError(message) from error


def remarks(found: Sequence[Pair], carry: Mapping[str, Entry] | None) -> Iterator[str]:
    """Say what is carried, and what of either side is not."""
    old = {name for pair in found for name in pair.old}
    new = {name for pair in found for name in pair.new}
    reads = old if carry is None else {name for one in carry.values() for name in one.expression.reads}
    names = new & old if carry is None else {*carry}
    yield f"carried: {', '.join(_carried(name, carry) for name in sorted(names)) or 'nothing'}"
    if left := sorted(new - names):
        yield f"left in new as constructed: {', '.join(left)}"
    if unread := sorted(old - reads):
        yield f"in old, but not carried to new: {', '.join(unread)}"


def _carried(name: str, carry: Mapping[str, Entry] | None) -> str:
    """Name what is carried, and whose value it is where that has another name."""
    read = carry[name].expression if carry else _old(name)
    others = [one for one in read.reads if read == _old(one) != _old(name)]
    return f"{name} from {others[0]}" if others else name


def _equal_throughout(name: str, found: Sequence[Pair]) -> bool:
    """Whether a name has one shape on both sides wherever both have it."""
    both = [pair for pair in found if name in pair.old and name in pair.new]
    return bool(both) and all(pair.equal(name) for pair in both)


def _by_order(found: Sequence[Pair]) -> Mapping[str, str]:
    """Return the counterparts by order, where all configurations agree on them."""
    first, *others = (pair.by_order for pair in found)
    return first if all(one == first for one in others) else {}


def _old(name: str) -> Expression:
    return Expression(f'theta["{name}"]', reads=frozenset([name]))


def _check_known(words: Mapping[str, str], names: Sequence[str]) -> None:
    for name in words:
        if name not in names:
            near = get_close_matches(name, names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            message = f"--carry gives the new form's {', '.join(names) or 'nothing'}, but got {name!r}{hint}"
            raise UsageError(message)


def _given(pair: Pair, expressions: Mapping[str, Expression]) -> set[str]:
    """Name what carry gives in one configuration."""
    return {name for name, expression in expressions.items() if expression.reads <= {*pair.old}}


def _missing(pair: Pair, expressions: Mapping[str, Expression]) -> list[str]:
    return sorted(pair.parameters - _given(pair, expressions))


def _check_complete(pair: Pair, expressions: Mapping[str, Expression]) -> None:
    """UsageError where carry would leave a parameter of the new form out."""
    given, missing = _given(pair, expressions), _missing(pair, expressions)
    if missing:
        message = (
            f"parameters are carried by equal name and shape, but {', '.join(missing)} of new "
            f"{'has' if len(missing) == 1 else 'have'} no such counterpart in old; say what new gets"
        )
        raise UsageError("\n".join([message, *_table(pair, given), *_advice(pair, missing, given)]))


def _check_surplus(pair: Pair, expressions: Mapping[str, Expression]) -> None:
    """UsageError where carry would give a parameter that the new form has not."""
    given = _given(pair, expressions)
    if surplus := sorted(given - {*pair.new}):
        message = (
            f"new has no {', '.join(surplus)} at {pair.where}, where old has what is carried to it: the two "
            "take an option otherwise; fix it with --fields old.NAME=VALUE,new.NAME=VALUE"
        )
        raise UsageError("\n".join([message, *_table(pair, given)]))


def _table(pair: Pair, given: set[str]) -> Iterator[str]:
    names = list(dict.fromkeys([*pair.old, *pair.new]))
    rows = [
        ("name", "old", "new", ""),
        *((name, _shape(pair.old, name), _shape(pair.new, name), _note(pair, name, given)) for name in names),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row[:3], widths, strict=True))
        yield f"  {'   '.join(cells)}   {row[3]}".rstrip()
    yield f"  (shapes at {pair.where})"


def _note(pair: Pair, name: str, given: set[str]) -> str:
    if name in given:
        return "carried"
    if name not in pair.new:
        return ""
    return "to be given" if name in pair.parameters else "a buffer, left as constructed"


def _advice(pair: Pair, missing: Sequence[str], given: set[str]) -> Iterator[str]:
    """Write the options with the new names in place, and an example where one shape alone fits."""
    for name in missing:
        shape = pair.new[name]
        fits = [(old, "") for old, size in pair.old.items() if size == shape and old not in given]
        if len(shape) == 2 and shape[0] != shape[1]:  # noqa: PLR2004  (a matrix)
            fits += [(old, ".T") for old, size in pair.old.items() if size == shape[::-1]]
        example = f"     by its shape, perhaps old.{fits[0][0]}{fits[0][1]}" if len(fits) == 1 else ""
        yield f"  --carry '{name}=old. ...'{example}"


def _shape(side: Mapping[str, Shape], name: str) -> str:
    return str(side[name]) if name in side else "-"


def _pair(case: Case) -> Pair | None:
    """Build both forms; None where the old one refuses the configuration, which is then outside the claim."""
    try:
        old = build(case.claim, "reference", 0)
    except FormError:
        return None
    new = build(case.claim, "candidate", 0)
    parameters = frozenset(name for name, _ in new.named_parameters())
    return Pair(case, _shapes(old), _shapes(new), parameters, _drawn_alike(old, new))


def _drawn_alike(old: nn.Module, new: nn.Module) -> dict[str, str]:
    """Return the counterparts of parameters that have none by name: each starts with the same draws."""
    olds, news = dict(old.named_parameters()), dict(new.named_parameters())
    left = [name for name in olds if name not in news]
    right = [name for name in news if name not in olds]
    if len(left) != len(right):
        return {}
    pairs = dict(zip(right, left, strict=True))
    return pairs if all(torch.equal(news[name], olds[one]) for name, one in pairs.items()) else {}


def first_line(error: BaseException) -> str:
    """Name an exception, and give the first line of what it says."""
    return f"{type(error).__name__}: {''.join(str(error).strip().splitlines()[:1])}"


def _shapes(module: nn.Module) -> dict[str, Shape]:
    return {name: tuple(one.shape) for name, one in named_tensors(module).items()}


def _cases(domain: Domain) -> Iterator[Case]:
    """Give wide cases, one for every option, then small ones whose neighbouring sizes differ."""
    yield from domain.wide()
    for step in range(STEPS):
        values = {
            name: kind.above((place + step) % STEPS) for place, (name, kind) in enumerate(domain.free.items())
        }
        yield Case(domain.configure(values), {}, 0)
