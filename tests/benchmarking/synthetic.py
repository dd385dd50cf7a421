"""Groups of forms that take as long as a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from properties.benchmarking.crossover import crossovers
from properties.benchmarking.document import Benchmark, Circumstances, FormRecord, GroupRecord, RefusalRecord

CIRCUMSTANCES = Circumstances(
    torch="2.13.0",
    device="cpu",
    device_name="AVX512",
    dtype="float32",
    threads=1,
    compiled=False,
    clock="processor time",
    multiply_adds_per_second=5e10,
    bytes_per_second=4e10,
    confidence=0.99,
    margin=0.03,
)


def form(name: str, seconds: float, reference: float, *, leads: bool) -> FormRecord:
    ratio = seconds / reference
    standing = "slower" if ratio > 1.1 else "faster" if ratio < 0.9 else "not told apart"
    return FormRecord(
        form=name,
        module="Sequential",
        seconds=seconds,
        quartiles=[0.9 * seconds, 1.1 * seconds],
        repetitions=3,
        ratio=ratio,
        low=0.95 * ratio if name != "reference" else 1.0,
        high=1.05 * ratio if name != "reference" else 1.0,
        standing="reference" if name == "reference" else standing,
        leads=leads,
        multiply_adds=1_568_000,
        peak_bytes=6_272_000,
        part_of_peak=1.234,
        limit="compute",
    )


def group(seconds: Mapping[str, float], value: int = 0, size: str = "published") -> GroupRecord:
    """A form within 10 % of the fastest cannot be told apart from it."""
    fastest = min(seconds.values())
    records = [
        form(name, taken, seconds["reference"], leads=taken < 1.1 * fastest)
        for name, taken in seconds.items()
    ]
    axis, name = ("batch", f"batch={value}") if value else ("", size)
    at = f"batch={value or 200},height=28,width=28,out_features=10,bias=true"
    return GroupRecord("family", name, at, axis, value, "forward", 100, records)


def benchmark(groups: Sequence[GroupRecord], refusals: Sequence[RefusalRecord] = ()) -> Benchmark:
    found = crossovers(groups)
    return Benchmark(CIRCUMSTANCES, groups, found, refusals, {}, seconds=1.0, complete=True)
