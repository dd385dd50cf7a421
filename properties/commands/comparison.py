"""`equivalence compare`: two constructors are claimed to be the same layer, and the claim is verified."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from equivalence.claim import Equivalence
from properties.commands import verification
from properties.commands.arguments import Commands
from properties.comparison.claim_text import ITSELF, Comparison
from properties.comparison.constructor import find_form, passed
from properties.comparison.expression import Expression, read_expression
from properties.comparison.inference import inferred
from properties.comparison.keeping import (
    SCRATCH,
    check_free,
    drafted,
    forget,
    put_aside,
    write_atomically,
)
from properties.comparison.matching import check_carry, matched, pairs, remarks
from properties.comparison.modules import check_neighbours
from properties.comparison.problem import GET_INPUTS, Problem
from properties.comparison.words import (
    INPUTS,
    SIDES,
    Argument,
    read_fields,
    read_inputs,
    read_pairs,
    values_by_name,
)
from properties.judging.declarations import known_law
from properties.judging.rounding import rounding
from properties.laws.registry import SCOPES
from properties.reading.claims import UsageError
from properties.report.document import CellRecord
from properties.running import table
from properties.running.apart import held_apart
from properties.running.printed import printed_apart
from properties.running.recording import FUNCTION, Status
from properties.running.request import Request
from properties.running.threads import threads_set
from properties.running.verdict import laws_of, shown_scope, verdict
from properties.running.workers import Ended, in_a_process

Answer = TypeVar("Answer")
STDOUT = "-"
SIZES = ("varied", "given")
EXAMPLES = """examples:
  equivalence compare torch.nn:Linear new.py:EinsumLinear \\
      --fields in_features=1:16,out_features=1:16,bias=bool --input "*batch in_features"
  equivalence compare torch.nn:Embedding new.py:OneHot \\
      --fields num_embeddings,embedding_dim --index "*batch<num_embeddings"
  equivalence compare lora.py:LoRA merged.py:Merged --fields features,old.rank=1:4 \\
      --input "*batch features" --carry "weight=old.weight + old.b @ old.a" --write claim.py
  equivalence compare problem.py answer.py

A problem is a file with a class Model, get_inputs() and get_init_inputs(); its answer is one with ModelNew.
Integers that lines of the problem name (batch_size = 16) are varied where inputs have these sizes.

--fields, separated by commas:
  name            a size: any from 1 on          name=0: any from 0 on     name=1:16 from 1 to 16
  name=bool       both                           name=sum|mean             each of these
  name=4, name=true, name=1e-5, name=sum         fixed
  old.name=...    for the old constructor alone  new.name=...              for the new one alone
"""


def add(commands: Commands[Any]) -> None:
    """Add the command to the command line."""
    compare = commands.add_parser(
        "compare",
        help="tell whether two constructors give the same layer",
        description="Tell whether two constructors give the same layer, for every size, input and gradient.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.set_defaults(run=compare_forms)
    form = (
        "file.py:Name or module:Name, a class or function that returns an nn.Module; or file.py alone, a "
        "problem or its answer (see below)"
    )
    compare.add_argument("old", metavar="OLD", help=f"the form taken as right: {form}")
    compare.add_argument("new", metavar="NEW", help="the form that is claimed to equal it, named likewise")
    _add_statement(compare)
    verification.add_plan(compare)


def _add_statement(compare: argparse.ArgumentParser) -> None:
    """Add what the claim says."""
    compare.add_argument(
        "--fields",
        default="",
        metavar="NAME[=VALUES],…",
        help="what both constructors get, by name (see below)",
    )
    for kind, word in INPUTS.items():
        compare.add_argument(
            word.option,
            action="append",
            dest="inputs",
            default=[],
            type=partial(_of_kind, kind),
            metavar="AXES",
            help=word.says,
        )
    for option, pair, text in (
        ("--pass", "SIDE.ARGUMENT=SIZE", "where a name differs: new.n_in=in_features, old.size=height*width"),
        ("--carry", "NAME=EXPRESSION", "a parameter of new from those of old: weight=old.1.weight.T"),
        ("--breaks", "LAW=REASON", "a law that new is known to fail; the failure must be found"),
    ):
        compare.add_argument(
            option, action="append", dest=f"{option[2:]}_words", default=[], metavar=pair, help=text
        )
    compare.add_argument(
        "--same",
        choices=SCOPES,
        help="how much is claimed: the function; the module too (state, modes, refusals); or the layer too "
        "(initial weights, training, cost), the default but for a problem and its answer, which are the same "
        "function. What is beyond it is run and told, too",
    )
    compare.add_argument(
        "--sizes",
        choices=SIZES,
        default=SIZES[0],
        help="of a problem's file: vary them where both forms take others (the default), or leave them",
    )
    compare.add_argument(
        "--write", metavar="FILE", help="keep the claim in claim.py, for pytest; - prints it instead"
    )
    compare.add_argument("--force", action="store_true", help="let --write replace a file")


def _of_kind(kind: str, word: str) -> tuple[str, str]:
    return kind, word


@dataclass(frozen=True)
class _Draft:
    """What came of reading the two constructors, in a process of its own: texts alone."""

    name: str
    """Of the claim's class."""
    kept: str
    """The claim, for the file that it is kept in."""
    printed: str
    """The claim, for standard output."""
    itself: str
    """The claim that old is itself, which names no new."""
    remarks: Sequence[str]


def compare_forms(options: argparse.Namespace) -> int:
    """Write the claim that two constructors are the same layer, verify it, and say what came of it."""
    target = _target(options)
    # What is new may do anything when it is imported: this process, which tells the verdict, never does.
    draft = _apart(partial(_drafted, options, target), options.limit)
    if options.write == STDOUT:
        print(draft.printed, end="")
    report = sys.stderr if options.write == STDOUT else sys.stdout
    with redirect_stdout(report), _placed(draft, target) as path:
        request = verification.requested(options, [f"{path}:{draft.name}"])
        finished = _named(_held_apart(draft, request, verification.run(request, jobs=1)), draft.name)
        for line in (
            *filter(None, [verdict(finished.records)]),
            *draft.remarks,
            *_rounding(request, finished.records),
            *table.extent(finished.records, fed=request.data is not None, setting=request.setting),
        ):
            print(line)
        verification.print_report(request, finished, options)
        for line in _farewell(path, target, finished.records):
            print(line)
        return verification.exit_code(request, finished)


def _apart(function: Callable[[str], Answer], limit: float) -> Answer:
    """Call a function that runs forms in a process of its own; UsageError where that ends."""
    answer = in_a_process(function, limit=limit)
    if isinstance(answer, Ended):
        message = f"a constructor returns a module, but one of the two gave no answer: {answer.how}"
        raise UsageError(message)
    return answer


def _drafted(options: argparse.Namespace, target: Path | None, _: str) -> _Draft:
    """Read both constructors, and write the claim about them; what they print is nobody's verdict."""
    with printed_apart():
        return _draft(options, target)


def _draft(options: argparse.Namespace, target: Path | None) -> _Draft:
    stated, told = _stated(options)
    found = pairs(drafted(stated))
    values = values_by_name(stated.arguments)
    comparison = replace(stated, carry=matched(found, read_pairs("--carry", options.carry_words), values))
    check_carry(drafted(comparison), found)
    return _Draft(
        comparison.name,
        comparison.source(target.parent, suite=True) if target else comparison.source(SCRATCH, suite=False),
        comparison.source(Path(), suite=True),
        comparison.of_old_itself.source(SCRATCH, suite=False),
        [*told, *remarks(found, comparison.carry)],
    )


def _target(options: argparse.Namespace) -> Path | None:
    """Give the file to keep the claim in, if any."""
    if options.write in {None, STDOUT}:
        return None
    target = Path(options.write)
    check_free(target, force=options.force)
    if importlib.util.find_spec("pytest") is None:
        message = '--write keeps a file for pytest: pip install "layer-equivalence[pytest]"'
        raise UsageError(message)
    return target


def _stated(options: argparse.Namespace) -> tuple[Comparison, Sequence[str]]:
    """Read everything but --carry, which needs the parameters' names; and say what was inferred."""
    breaks = read_pairs("--breaks", options.breaks_words)
    laws = tuple(map(known_law, dict.fromkeys(options.law or ())))
    for law in breaks:
        known_law(law)
    old, new = find_form("old", options.old), find_form("new", options.new)
    check_neighbours(old.module, new.module)
    if hasattr(old.module, GET_INPUTS) and not (options.inputs or options.fields or options.pass_words):
        found = inferred(Problem(old.module), old.call, new.call, given=options.sizes == "given")
        stated = replace(
            Comparison(old, new, found.arguments, found.inputs, {}, breaks, laws),
            same=options.same or SCOPES[0],
            problem=old.place,
            derived=found.derived,
        )
        return stated, found.told
    arguments = read_fields(options.fields)
    inputs = read_inputs(options.inputs, arguments)
    given = passed((old, new), arguments, _expressions(options.pass_words, arguments))
    same = options.same or Equivalence.same
    return Comparison(old, new, arguments, inputs, given, breaks, laws, same), ()


def _expressions(words: Sequence[str], arguments: Sequence[Argument]) -> dict[str, Expression]:
    """Read --pass: what an argument of one side gets."""
    values = values_by_name(arguments)
    pairs_given = read_pairs("--pass", words)
    for name in pairs_given:
        side, _, argument = name.partition(".")
        if side not in SIDES or not argument.isidentifier():
            message = f"--pass takes old.argument=size or new.argument=size, but got {name!r}"
            raise UsageError(message)
    return {name: read_expression(f"{name}={text}", values) for name, text in pairs_given.items()}


@contextmanager
def _placed(draft: _Draft, target: Path | None) -> Iterator[Path]:
    """Write the claim where it is verified, so that replay lines name a file that stays."""
    if target is not None:
        write_atomically(target, draft.kept)
        yield target
        return
    path = put_aside(draft.name, draft.kept)
    try:
        yield path
    except BaseException:
        forget(path)
        raise


def _held_apart(draft: _Draft, request: Request, finished: verification.Run) -> verification.Run:
    """Ask each form once more, in a process that never runs the other."""
    if finished.trouble:
        return finished
    path = put_aside(ITSELF, draft.itself)
    try:
        itself = replace(request, claims=(f"{path}:{ITSELF}",), named=False)
        return replace(finished, records=held_apart(request, itself, finished.records))
    finally:
        forget(path)


def _named(finished: verification.Run, name: str) -> verification.Run:
    """Call the claim by its class alone: where it is kept is no part of the answer."""
    return replace(finished, records=[replace(record, claim=name) for record in finished.records])


def _rounding(request: Request, records: Sequence[CellRecord]) -> Iterator[str]:
    """Say how two forms of one function round, which no law holds against them."""
    if any(record.law == FUNCTION and record.status == Status.HOLDS for record in records):
        yield from filter(None, [_apart(partial(_rounded, request), request.limit)])


def _rounded(request: Request, _: str) -> str:
    (name,) = request.claims
    with threads_set(1), printed_apart():
        return rounding(request.domain(name))


def _farewell(path: Path, target: Path | None, records: Sequence[CellRecord]) -> Iterator[str]:
    """Say what can be done next, and where the claim is; one put aside that has nothing to replay goes."""
    refuted = laws_of(records, Status.REFUTED)
    if refuted and FUNCTION not in refuted:
        shown = shown_scope(records)
        less = f"claim no more than that: --same {shown}; or " if shown else ""
        yield f'if new is meant to differ there, {less}declare it: --breaks {refuted[0]}="the reason"'
    if target is not None:
        yield f"the claim is kept in {target}: pytest {target}"
    elif any(record.counterexample for record in records):
        yield f"the claim stays in {path} for its replay lines; --write claim.py keeps it for pytest"
    else:
        forget(path)
