"""What a script has of the package: the source of a law, of its circumstances, and of what these read."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from properties.circumstances.registry import CIRCUMSTANCES
from properties.laws import all_laws
from properties.laws.comparing import with_the_reference
from properties.laws.registry import Law
from properties.refutation.counterexample import replayed
from properties.replaying import flat_outputs, standing
from properties.replaying.scripting.binding import ScriptError, tree_of
from properties.replaying.scripting.closure import OURS, Closure
from properties.replaying.scripting.finding import Finding
from properties.replaying.scripting.numbers import ASKED, GIVEN, SET, forms, numbers, recorded
from properties.replaying.scripting.plain_class import PlainClass
from properties.replaying.scripting.source import attributes_of
from properties.ways import BY_STATISTICS

MOST_LINES = 300
"""Of more lines of ours than this nobody reads what a script shows."""
OF_FORM = ("form", "self.reference", "self.candidate", "sample.reference", "sample.candidate")
OF_CLAIM = ("claim", "self.claim", "form.claim", "sample.claim")
CONSTRUCTED = "print(reference)\nprint(candidate)\n"
"""All that can be asked where a form cannot be constructed."""


@dataclass
class Shown:
    """Definitions and classes, the numbers, and what is asked of them."""

    closure: Closure
    classes: Sequence[PlainClass]
    setup: str = ""
    asked: str = CONSTRUCTED
    of_law: Collection[str] = ()
    """The names of those definitions that a law needs by itself."""

    @property
    def definitions(self) -> Sequence[str]:
        """The source of all definitions: what stands for the package, then the law, beside its numbers."""
        texts = self.closure.definitions
        beside = [text for name, text in texts.items() if name not in self.of_law]
        return [*beside, *(one.text() for one in self.classes), *(texts[name] for name in self.of_law)]

    @property
    def names(self) -> set[str]:
        """The names of all definitions."""
        return {*self.closure.definitions, *(name for one in self.classes for name in one.names)}

    def read_of(self, *names: str) -> set[str]:
        """Name the attributes that are read of some objects."""
        return attributes_of("\n".join(self.definitions), *names)


def constructions(finding: Finding) -> Shown:
    """Take up the forms alone, as they are where one of them cannot be constructed."""
    shown = _standing(Closure({standing.__name__}), under=False)
    shown.setup = forms(replace(finding, case=replace(finding.case, under=())))
    return shown


def law_of(finding: Finding) -> Shown:
    """Take up a law; ScriptError for one that a script cannot hold, FormError where no form can be made."""
    law, under = all_laws()[finding.law], finding.case.under
    if not finding.case.setting.on_cpu:
        raise _refused(finding, f"it ran on {finding.case.setting.device}, and a script runs on the CPU")
    if law.decided == BY_STATISTICS:
        raise _refused(finding, "it is decided by the statistics of many modules")
    sample, module = recorded(finding), sys.modules[law.observe.__module__]
    changes = [CIRCUMSTANCES[name].change for name in under]
    packages = {one.__module__.partition(".")[0] for one in (law.observe, *changes)}
    flat = sample.reference.outputs.flat and sample.candidate.outputs.flat
    stands = (flat_outputs, standing) if flat else (standing,)
    closure = Closure({module.__name__}, GIVEN, packages - {*OURS}, stands)
    asked = _asked(law, finding)
    for change in changes:
        closure.need(f"{change.__name__}\n", sys.modules[change.__module__])
    try:
        closure.need(asked, module, own=("sample", "reference", "candidate", "hold", "UNITS"))
    except ScriptError as error:
        raise _refused(finding, str(error)) from error
    of_law = list(closure.definitions)
    closure.need("hold\n", standing)
    shown = _standing(closure, under=bool(under))
    shown.asked, shown.of_law = asked, of_law
    _check_length(finding, shown)
    read = {*closure.met, *shown.read_of("sample")}
    shown.setup = numbers(finding, sample, read, "\n".join(shown.definitions))
    return shown


def _standing(closure: Closure, *, under: bool) -> Shown:
    """Take up what stands for forms and a sample, as far as it is read."""
    form = PlainClass(standing.FormInUse if under else standing.Form)
    sample = PlainClass(standing.Sample, values=(*SET, *ASKED))
    for kind, name in ((form, "__init__"), (form, "__call__"), (sample, "__init__")):
        kind.need(name)
    shown = Shown(closure, [form, sample])
    size = 0
    # What is taken up may read more.
    while size < (size := len("".join(shown.definitions))):
        for kind, names in ((form, OF_FORM), (sample, ("sample",))):
            for name in sorted(shown.read_of(*names)):
                kind.need(name)
        for kind in shown.classes:
            kind.resolve(closure)
    return shown


def _asked(law: Law, finding: Finding) -> str:
    """Give the lines that observe both forms, and hold what is observed of one against that of the other."""
    if law.compared is with_the_reference:
        return f"hold({law.name}(reference, sample), {law.name}(candidate, sample), UNITS)\n"
    made = f"equation = {_compared(law, finding)}({law.name}, sample, candidate)\n"
    return f"{made}hold(equation.reference, equation.candidate, UNITS)\n"


def _compared(law: Law, finding: Finding) -> str:
    """Give the source of what compares the observations: it stands in the decorator of the law."""
    tree = tree_of(sys.modules[law.observe.__module__])
    decorated = (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == law.name)
    calls = (call for one in decorated for call in one.decorator_list if isinstance(call, ast.Call))
    words = {word.arg: ast.unparse(word.value) for call in calls for word in call.keywords}
    if "compared" not in words:
        raise _refused(finding, "it is not written with @law(compared=…) above it")
    return words["compared"]


def _check_length(finding: Finding, shown: Shown) -> None:
    lines = sum(len(text.splitlines()) for text in shown.definitions)
    if lines > MOST_LINES:
        raise _refused(finding, f"it and what it uses take {lines} lines, and {MOST_LINES} are the most")


def _refused(finding: Finding, reason: str) -> ScriptError:
    return ScriptError(
        f"no script shows the law {finding.law!r}: {reason}; give the line that replays it instead: "
        f"{replayed(finding.case, finding.law)}"
    )
