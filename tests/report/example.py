"""A report with everything that a report can hold, hostile names among it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from properties.report.document import (
    CellRecord,
    ClaimRecord,
    CounterexampleRecord,
    Environment,
    LawRecord,
    Report,
    TensorRecord,
)
from properties.report.text import refutation
from properties.report.words import CORNERS

HOSTILE = "<img src=x onerror=alert(1)>"
CLOSING = '</script><script>alert("law")</script>'
LAWS = {
    "forward": "candidate(carry(theta), x) = reference(theta, x), in value, shape and dtype.",
    "input_gradient": "d<c, candidate(carry(theta), x)>/dx = d<c, reference(theta, x)>/dx for each c.",
    "parameter_gradient": "d<c, candidate(carry(theta), x)>/dtheta = d<c, reference(theta, x)>/dtheta.",
    "second_derivative": "H v is the same for both forms, for every tangent v, H the Hessian of <c, f>.",
    "rows": "f(stack of rows) = stack of f(row): each row of the leading axes is computed alone.",
    "layout": "f(x) does not depend on how x lies in memory, and x is not changed.",
    "nonfinite": "An inf or a nan in one entry of x reaches the same outputs in both forms.",
    "rejects": "What the reference refuses (a wrong size, a missing axis), the candidate refuses.",
    "state": "state_dict, deepcopy, pickle and .to carry all that the output depends on.",
    "modes": "The forms agree, called again and again in eval and in train.",
    "masked": "Dead entries have zero gradient, change no output, and stay at zero under SGD.",
    "parameter_count": "Both forms have the same number of free scalars.",
    "initialisation": "Fresh live parameters of the candidate are distributed as the carried reference's.",
}
CLAIMS = {
    "two-d-fc": "TwoDFC equals flatten followed by Linear, its weight reshaped to the map.",
    "two-d-fc-v1": "TwoDFC without a bias, drawn from N(0, 1), computes flatten followed by Linear.",
    "two-d-fc-einsum": "TwoDFC as one einsum equals flatten followed by Linear.",
    "n-d-linear": "Linear on any number of axes applies one and the same affine map to every row.",
    "n-d-linear-kronecker": "Linear on all rows is one dense layer, with the weight I_rows ⊗ W.",
    "masked-where": "Choosing W where the mask is 1, else 0, equals multiplying W by the mask.",
    "masked-output": "A mask on the outputs removes whole outputs, not single connections.",
    "conv-transposed": "A convolution is the transpose of its transpose, rows and columns in order.",
    "attention-fast": "Attention over blocks of keys equals attention over all keys at once.",
    "bias-shared": "One bias for every position equals a bias a position, all tied.",
    "batch-norm-folded": "Batch normalisation in eval folds into the convolution before it.",
    HOSTILE: 'A claim whose name is markup: <b>bold</b> & "quoted", closing </script> and <!-- all.',
}
BREAKS = {
    ("two-d-fc-v1", "initialisation"): "N(0, 1) instead of U(-1/sqrt(fan_in), 1/sqrt(fan_in))",
    ("n-d-linear-kronecker", "parameter_count"): "the dense weight holds I ⊗ W, rows² times as many scalars",
    ("n-d-linear-kronecker", "nonfinite"): "0 × inf reaches the other rows",
    ("masked-output", "forward"): "the mask belongs on the weight",
    ("masked-output", "input_gradient"): "the mask belongs on the weight",
    ("masked-output", "masked"): "the mask belongs on the weight",
}
INAPPLICABLE = {"masked": "no masked parameters", "initialisation": "no initial distribution is stated"}
STATISTICAL = {"initialisation"}
UP_TO_ROUNDING = {"attention-fast", "batch-norm-folded"}

MASKED = CounterexampleRecord(
    kind="another function",
    declared="the mask belongs on the weight",
    case="in_features=1, out_features=1, bias=True, batch=()",
    where="output[0]",
    reference="1",
    candidate="0",
    different=1,
    total=1,
    difference="output[0]: candidate 0, reference 1; 1 of 1 differs",
    decided="exact integers",
    values=(
        TensorRecord("x", (1,), "float64", (1.0,)),
        TensorRecord("weight", (1, 1), "float64", (1.0,)),
        TensorRecord("bias", (1,), "float64", (1.0,)),
        TensorRecord("mask", (1, 1), "int64", (0,)),
    ),
    reference_output=TensorRecord("reference", (1,), "float64", (1.0,), wrong=(0,)),
    candidate_output=TensorRecord("candidate", (1,), "float64", (0.0,), wrong=(0,)),
    wiring=("output [0] reads no bias, should read bias [0]",),
    worst="|difference| 8191 at in_features=16, out_features=16",
    replay="equivalence replay .equivalence/failures/9f31c2a0.json",
    file=".equivalence/failures/9f31c2a0.json",
)
TRANSPOSED = CounterexampleRecord(
    kind="another function",
    declared="",
    case="height=2, width=2, channels=2, out_channels=2, kernel=2, batch=(2,)",
    where="output[1, 0, 0, 1]",
    reference="3",
    candidate="-2",
    different=2,
    total=16,
    difference="output[1, 0, 0, 1]: candidate -2, reference 3; 2 of 16 differ",
    decided="exact integers",
    values=(
        TensorRecord("x", (2, 2, 2, 2), "float64", (0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, 0)),
        TensorRecord("weight", (2, 2, 2, 2), "float64", (0, 1, 2, 3, 0, 0, 0, 0, -1, -2, 0, 0, 0, 0, 0, 0)),
        TensorRecord("cotangent", (2, 2048, 16), "float64", (), omitted=True),
        TensorRecord("empty", (0, 3), "float64", ()),
    ),
    reference_output=TensorRecord(
        "reference",
        (2, 2, 2, 2),
        "float64",
        (0, 0, 0, 0, 0, 0, 0, 0, 1, 3, -2, 0, 0, 0, 0, 0),
        wrong=(9, 10),
    ),
    candidate_output=TensorRecord(
        "candidate",
        (2, 2, 2, 2),
        "float64",
        (0, 0, 0, 0, 0, 0, 0, 0, 1, -2, 3, 0, 0, 0, 0, 0),
        wrong=(9, 10),
    ),
    wiring=(
        "output [1, 0, 0, 1] reads input [1, 0, 1, 0], should read [1, 0, 0, 1]",
        "output [1, 0, 1, 0] reads input [1, 0, 0, 1], should read [1, 0, 1, 0]",
    ),
    worst="|difference| 15 at height=7, width=5, channels=3, out_channels=2",
    replay="equivalence replay 'ConvIsTransposed(height=2, width=2, channels=2, out_channels=2, kernel=2)' "
    "--law forward --seed 0",
    file="",
)
IMPRECISE = CounterexampleRecord(
    kind="the same function, less precise",
    declared="",
    case="heads=1, keys=3, features=2, batch=()",
    where="output[0, 1]",
    reference="0.30000001192092896",
    candidate="0.30000000000000004",
    different=2,
    total=6,
    difference="output[0, 1]: candidate 0.30000000000000004, reference 0.30000001192092896; 2 of 6 differ",
    decided="beyond rounding in float64",
    values=(TensorRecord("x", (3, 2), "float32", (0.1, 0.30000001192092896, "inf", "nan", -0.25, 1e-30)),),
    reference_output=TensorRecord(
        "reference",
        (3, 2),
        "float64",
        (0.5, 0.30000001192092896, "inf", 0.0, -0.25, 1e-30),
        wrong=(1, 2),
    ),
    candidate_output=TensorRecord(
        "candidate",
        (3, 2),
        "float64",
        (0.5, 0.30000000000000004, "nan", 0.0, -0.25, 1e-30),
        wrong=(1, 2),
    ),
    wiring=(),
    worst="",
    replay="equivalence replay .equivalence/failures/4be1.json",
    file=".equivalence/failures/4be1.json",
)
HOSTILE_EXAMPLE = CounterexampleRecord(
    kind="raises <i>",
    declared=HOSTILE,
    case=f"name={HOSTILE}, seed=0",
    where=CLOSING,
    reference=HOSTILE,
    candidate="&lt;b&gt; {{ 7 * 7 }}",
    different=0,
    total=0,
    difference=CLOSING,
    decided="bitwise",
    values=(TensorRecord(HOSTILE, (), "<dtype>", (1,)),),
    reference_output=None,
    candidate_output=None,
    wiring=(f"reads {HOSTILE}",),
    worst=HOSTILE,
    replay=f"equivalence replay '{HOSTILE}' --law '{CLOSING}'",
    file=f"{HOSTILE}.json",
)
TRACEBACK = (
    "RuntimeError in the candidate: mat1 and mat2 shapes cannot be multiplied (4x3 and 2x5)\n"
    "  at layers/folded.py:41, in forward: return x @ self.weight.T + self.bias <expected 'weight'>\n"
    "  in_features=3, out_features=5, batch=(4,), seed=0"
)
REFUTED = {
    ("conv-transposed", "forward"): TRANSPOSED,
    ("conv-transposed", "input_gradient"): TRANSPOSED,
    ("attention-fast", "forward"): IMPRECISE,
    (HOSTILE, "forward"): HOSTILE_EXAMPLE,
}
VERDICT = "the same function, as far as 275 cases of 11 laws tell; accepts inputs that the reference refuses"
NOT_CLAIMED = {
    ("two-d-fc-einsum", "rejects"): replace(
        MASKED, kind="other inputs accepted", declared="", beyond="beyond the claimed function"
    ),
}
TROUBLE = {
    ("bias-shared", "parameter_count"): (
        "declared break not found",
        "declares that it breaks parameter_count, but 25 cases agree;\ntake the declaration away",
    ),
    ("batch-norm-folded", "layout"): ("error", TRACEBACK),
    (HOSTILE, "modes"): ("error", f"{HOSTILE}\n{CLOSING}"),
}
SIZES = {
    "height": {"0": 3, "1": 9, "2": 6, "3": 3, "5": 2, "7": 1, "13": 1},
    "width": {"0": 2, "1": 11, "2": 4, "4": 4, "5": 3, "16": 1},
    "out_features": {"1": 14, "2": 6, "3": 5},
    "bias": {"True": 13, "False": 12},
    "batch": {"none": 8, "1": 5, "2x3": 6, "0": 2, "4x1x2": 4},
}


def report() -> Report:
    """Make the example: 12 claims, 13 laws, every status."""
    return Report(
        profile="gate",
        seed=0,
        created="2026-10-02T14:03:27Z",
        seconds=83.4,
        complete=True,
        environment=Environment(
            layer_equivalence="0.1.0",
            python="3.11.9",
            torch="2.13.0+cpu",
            numpy="2.4.6",
            hypothesis="6.170.15",
            platform="Linux-6.1-x86_64",
            device="cpu",
            dtype="float64",
            threads=1,
        ),
        claims=[_claim(name, text) for name, text in CLAIMS.items()],
        laws=[LawRecord(name, text) for name, text in LAWS.items()],
        cells=list(_cells()),
    )


def _claim(name: str, text: str) -> ClaimRecord:
    claim = ClaimRecord(
        name, text, "Layers that are not fully connected, fourth article", "equivalence.claims"
    )
    return replace(claim, same="function", verdict=VERDICT) if (name, "rejects") in NOT_CLAIMED else claim


def _cells() -> Iterator[CellRecord]:
    for claim in CLAIMS:
        for law in LAWS:
            yield _cell(claim, law)


def _cell(claim: str, law: str) -> CellRecord:
    if law in INAPPLICABLE and not claim.startswith(("two", "masked")):
        return _inapplicable(claim, law)
    holding = _holding(claim, law)
    if (claim, law) in BREAKS:
        text = refutation(claim, law, LAWS[law], MASKED)
        refuted = replace(holding, status="refuted as declared", counterexample=MASKED, text=text)
        return replace(refuted, reason=BREAKS[claim, law])
    if (claim, law) in NOT_CLAIMED:
        found = NOT_CLAIMED[claim, law]
        text = refutation(claim, law, LAWS[law], found)
        return replace(holding, status="not claimed", counterexample=found, text=text, reason=found.beyond)
    if (claim, law) in REFUTED:
        found = REFUTED[claim, law]
        text = refutation(claim, law, LAWS[law], found)
        return replace(holding, status="refuted", counterexample=found, text=text)
    status, text = TROUBLE.get((claim, law), ("holds", ""))
    return replace(holding, status=status, text=text)


def _holding(claim: str, law: str) -> CellRecord:
    rounded = claim in UP_TO_ROUNDING
    exact = not rounded and law not in STATISTICAL
    return CellRecord(
        claim=claim,
        law=law,
        status="holds",
        reason="",
        executed=25,
        outside=3 if law == "rejects" else 0,
        decided=_decided(law, rounded=rounded),
        miss_probability=4.58e-5 if exact else None,
        worst_ratio=0.0312 if rounded else None,
        seconds=0.034 if exact else 1.27,
        sizes=SIZES,
        corners=dict(zip(CORNERS, (5, 20, 7, 13, 0), strict=True)),
        obstacle="softmax is not known to be exact" if rounded else "",
    )


def _decided(law: str, *, rounded: bool) -> dict[str, int]:
    if law in STATISTICAL:
        return {"statistics": 25}
    return {"exact": 5, "rounding": 20} if rounded else {"exact": 25}


def _inapplicable(claim: str, law: str) -> CellRecord:
    return CellRecord(
        claim=claim,
        law=law,
        status="does not apply",
        reason=INAPPLICABLE[law],
        executed=0,
        outside=0,
        decided={},
        miss_probability=None,
        worst_ratio=None,
        seconds=0.0,
        sizes={},
        corners={},
    )
