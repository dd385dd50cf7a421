"""What docs/calibration.md says around its tables: no figure of a measurement stands here."""

MODEL = """\
# The rounding model and its constant

Two right forms of one layer rarely agree in the last place. So where two forms differ on real numbers, the
question is whether rounding explains it. Exact integers, where a form stays on them, need none of this.
`make calibrate` measures every figure of this page and writes it.

## The noise of a form

An operation of floating-point arithmetic gives (1 + d) times the exact result, |d| ≤ u, u the unit roundoff
of the dtype that it computes in: 1.1e-16 in float64, 6.0e-8 in float32. How far such errors carry an output
depends on the form and on the numbers, and no formula that is both general and sharp says how far. So it is
measured, by Monte Carlo arithmetic: the form runs again, and every operation is made to round anew.

* **Each result is multiplied by 1 + 2uξ.** u is that of the tensor's own dtype. A form that computes in
  float32 inside a float64 run has the noise of float32 there, and only there; no second run of the whole in
  another precision is needed to compare with.
* **1/2 ≤ |ξ| < 1.** With a smaller |ξ|, 1 + 2uξ moves a number by less than half the distance to the next
  one: the multiplication itself would round it away, and the run would show nothing. The factor 2 lets a
  run stand for more than its own order of operations, for the other form adds up in another one.
* **What moves, compares or chooses rounds nothing**, and is left alone: copies and views, relu, maxima,
  sorting, gathers. A copy to a narrower dtype does round.
* **Forward and backward alike.** A derivative is computed by operations too, and these are disturbed as any
  others: gradients and second derivatives have a noise of their own.

**Contractions.** Inside a matrix product lie many multiplications and additions that no one sees from
outside. Where they cancel, their result is small and their errors are not: to disturb the result alone
would say far too little. Such algorithms are backward stable: what they give is the exact result for inputs
that are a few u away. So their inputs are disturbed as well as their results. Reductions, convolutions,
fused norms, attention and recurrent cells are treated alike, for the same reason.

**Long sums.** k terms added up one by one have an error that grows with k: at worst like k, usually like
√k, for the errors of single additions have either sign. Hence beyond 64 terms the inputs are disturbed
√(k/64) times as much.

**What is not stable in this sense.** A few operations take the difference of two larger numbers at their
very end, so that their error is not that of inputs a few u away: gelu far below 0, the logarithm of a
softmax near 0, logsumexp near 0. There it is those larger numbers that are disturbed.

**Ties.** At a maximum of equal entries, one disturbed entry would win by chance, and its gradient would go
elsewhere. So ξ is no random draw: it follows from the bits of a number, the operation and the place of the
argument in it. Numbers that are equal are moved alike where one operation meets them, and stay equal. Where a
matrix is solved or factored equal entries choose nothing; moved alike, they would keep what they cancel to,
which rounding does not: there each entry is moved by itself.

**Thresholds.** Near a threshold a disturbed run may choose the other way. It is then as far from the plain
run as the two sides of the threshold, which is no rounding. So the noise of an entry is the root of the
mean square of its deviations from the plain run, with the largest quarter left out.

**Pooling.** Few runs may happen to lie close together at one entry. So the noise of an entry, as a part of
its size, is never taken to be less than the median of that over its tensor.

**Many entries.** Of so many normal deviations the farthest lies as far out as the root of the logarithm of
their number. The constant is measured on tensors of some hundreds of entries; of more than 1,024, the noise
of each is taken so much larger, 1.4 times in a million.

Two outputs differ where |reference - candidate| is more than the constant times the larger of the two
noises. An ill-conditioned form has much noise, and is given as much room.
"""
STAGES = """
## How many runs

A disturbed run costs as much as the form and more, and most right pairs need none: forms that agree within
four units in the last place are asked nothing. Where they do not, runs are added in stages. With few runs
the noise is known less well, so that a difference has to be smaller to be taken for rounding: a stage
before the last accepts, and only what is a thousand times beyond the widest run of all is refuted after 8.
All else is refuted after the last stage alone.

What each stage accepts of the cases measured below, and whether more runs would have told otherwise:
"""
MEASURED = """
## The distributions

Measured are the pairs of `tests/numerics`: {right_pairs} right ones, which are one function written in two
ways with hard numerics, and {wrong_pairs} wrong ones, most of them off by little or at few places. Those
that only compute less precisely are left out, for they are the same function (the law `precision` refutes
them), and so are forms that draw random numbers. Each pair has a case for every look of values (near N(0,
1); with zeros; ties; equal rows; of sizes 1e-3, 100 and 1e4), of sizes that the suite's own strategy draws,
seeds: {seeds}. Cases that the reference refuses, or in which it leaves the range of the dtype, are left
out. All {runs} disturbed runs are made, whatever fewer would show, and the ratio is the largest of
|reference - candidate| / noise over all entries, with no constant applied.

![The ratios of right and wrong pairs](pictures/{picture})

**Right pairs**, {right_cases} cases. *Within a few units*: the forms agree so closely that no noise is
asked for, which counts as a ratio of 0. The median is that of the other cases.
"""
OF_WRONG = """\
**Wrong pairs**, {wrong_cases} cases. Most pairs are wrong at few places: one that differs above 6 shows
nothing near N(0, 1), and a slip in the second derivative none in the first. So what counts is whether a
pair is shown by some case; the suite draws many more than are measured here. The median is that of the
cases beyond a few units.
"""
ENDS = """\
The least that the best case of a wrong pair reaches is {least}; the largest ratio of any right case is
{largest}. A pair whose numbers differ where the noise is 0, or where one form alone is finite, is one that
*no rounding* explains.
"""
CONSTANT = """\
## The constant

It is {constant}, one number for all layers, laws and dtypes: {room} times the largest ratio of a right
case. What other constants would do to the cases measured:
"""
LIMITS = """
## What it cannot see

A difference of less than the constant times the noise is not seen on real numbers: in float64, a few parts
in 1e15 of an output that is well-conditioned, and any difference at all of one that keeps no digit. A form
that computes in float32 inside is held to the noise of float32. Whether it should be is asked by the law
`precision`, which refutes a candidate whose noise is more than four times that of its reference, where the
two differ by as much.

## The ladder of the training runs

The runs of the published experiments are thousands of steps long, and each disturbed run would cost another
training. They are held on a precision ladder instead: float32 beside float64, where rounding shrinks by 2^29
and a difference of meaning does not ([experiments](experiments.md)). Its constant is 2^10, and not measured
here: it was set at ten times what the right pair with the longest sums reached on it.

Sources: D. S. Parker, *Monte Carlo Arithmetic*, 1997; N. J. Higham, *Accuracy and Stability of Numerical
Algorithms*, 2nd ed., sections 1.5 (backward error), 2.2 (the model) and 3.1 (the growth of errors in sums).
"""
