"""The table of a sweep: every form's ratio at each size, below its own heads."""

from dataclasses import replace

import pytest

from properties.benchmarking.document import GroupRecord, RefusalRecord
from properties.benchmarking.table import lines
from properties.benchmarking.words import WIDTH
from tests.benchmarking.synthetic import benchmark, group

SECONDS = {"reference": 1e-3, "slow": 2e-3, "quick": 1e-5}
FOOTNOTE = "Faster or slower: the whole"


def told(*groups: GroupRecord) -> list[str]:
    return list(lines(benchmark(groups)))


def rows(written: list[str]) -> dict[str, str]:
    return {line.split()[0]: line for line in written if line.startswith(" ")}


def test_every_form_has_its_ratio_at_each_size_below_its_name() -> None:
    found = rows(told(*(group({**SECONDS, "quick": 1e-2 / value}, value) for value in (1, 16))))
    head = found["batch"]
    for value, quick in (("1", "  10.00 [9.50, 10.50]"), ("16", "* 0.62 [0.59, 0.66]")):
        line = found[value]
        assert line[head.index("slow") - 2 :].startswith("  2.00 [1.90, 2.10]")
        assert line[head.index("quick") - 2 :].startswith(quick)
        assert "1 ms" in line[: head.index("slow") - 2]


def test_many_forms_take_turns_in_bands_that_fit() -> None:
    names = [f"two-d-fc-with-a-long-name-{place}" for place in range(7)]
    written = told(*(group({"reference": 1e-3, **dict.fromkeys(names, 2e-3)}, value) for value in (1, 2048)))
    assert max(map(len, written)) <= WIDTH
    heads = [line for line in written if line.split()[:1] == ["batch"]]
    assert sum(line.count("two-d-fc-with-a-long") for line in heads) == len(names)
    assert sum(line.count("2.00 [1.90, 2.10]") for line in written) == 2 * len(names)


def test_a_form_that_was_refused_at_one_size_has_no_ratio_there() -> None:
    less = {name: taken for name, taken in SECONDS.items() if name != "slow"}
    found = rows(told(group(SECONDS, 1), group(less, 2)))
    head = found["batch"]
    assert not found["2"][head.index("slow") : head.index("quick") - 2].strip()
    assert found["2"][head.index("quick") - 2 :].startswith("* 0.01")


@pytest.mark.parametrize(
    ("at", "words"), [("batch=1", "along batch:"), ("batch=1,bias=true", "at bias=true:")]
)
def test_at_is_said_only_where_something_follows(at: str, words: str) -> None:
    (title,) = [line for line in told(replace(group(SECONDS, 1), at=at)) if "along" in line]
    assert words in title
    assert (" at " in title) == ("bias" in at)


def test_the_footnote_is_below_full_tables_alone() -> None:
    assert any(FOOTNOTE in line for line in told(group(SECONDS)))
    swept = "\n".join(told(group(SECONDS, 1)))
    assert FOOTNOTE not in swept
    assert "* fastest, or not told apart from it" in swept
    refused = benchmark([], [RefusalRecord("quick", "small", "refuted", declared=False)])
    assert FOOTNOTE not in "\n".join(lines(refused))
