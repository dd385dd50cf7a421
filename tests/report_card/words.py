"""What the page says around its tables: no figure of a measurement stands here."""

HEAD = """\
# The report card

What verifying costs, and what it finds. `make report-card` measures everything and writes this page: every
figure of a table is of that run. Times are processor time of one thread, and what is compared is interleaved
round by round in one process, unless it says otherwise; a ratio stands with its quartiles behind it.
"""
FOUND = """
## What it finds

Every [mutant](mutants.md) is a claim with one planted bug. This suite runs the law declared for it, up to the
cases of the explore profile. Beside it stand three usual ways, each given the claim's own `carry`, fresh
weights of the reference, N(0, 1) inputs, both gradients for a random cotangent, and torch's own tolerances:

* **one size, assert_close**: one case of unequal sizes, {rows} rows, half of each mask alive; float32.
* **random shapes, assert_close**: a Hypothesis test of {examples} cases, drawn by this suite's own strategy;
  float32.
* **gradcheck, fast mode**: outputs by assert_close, the candidate's gradients by `torch.autograd.gradcheck`,
  at the one size; float64.

The shares are of runs, seeds for each mutant and way: {seeds}. A usual way looks at outputs and first
derivatives alone: what it misses in the other rows it was never asked, and its reader has to know that.
"""
TIMES = """
Seconds from the start of a test to its first counterexample, without shrinking, in a process that has torch
loaded; over the runs that found one.
"""
RIGHT = """
The right forms are those of the catalogue that are the same function with the same derivatives. A run of this
suite is one law with the cases of the gate, for every law that the claim does not declare to break. The last
row is the first way at the sizes of the claim's source, where sums are longer.
"""
PAIRS = """
## Pairs with hard numerics

The pairs of `tests/numerics`: right ones are one function, written in two ways of which few agree in the last
places; wrong ones are off by little, in one element, in one gradient, at large numbers, at zeros or ties, or
in their digits alone. This suite runs every law of the function on a right pair, {examples} cases each (one
of those that take hundreds of steps), and on a wrong one those of which one must find it, up to the cases of
the explore profile; the usual ways run at the one size, as above. They put the carried weights into a form
by torch's functional_call, which takes them back before backward: a form that recomputes there is rejected
for that. Seeds: {seeds}.
"""
LAWS = """
## Time per case, law by law

The forms' own time is one forward and backward of both, in float64, at the very same cases, already built
and filled. *Whole run*: Hypothesis draws the cases, both forms are built and filled with numbers, the
largest case is traced once, the equation is decided. *Deciding*: the same cases again, already drawn and
traced. The cases of the gate are small: a forward and backward is a few operations, and the rest is
Python. A law that runs the forms often (training steps, constructions by the hundred, every wrong input)
takes as many times longer.
"""
GROWTH = """
## Growth with the size of the tensors

![A law's time over the forms' own time, as tensors grow](pictures/report-card-growth.svg)

Entries are those of the largest tensor that is drawn. One case in {every} runs in float32, in place of
float64 or, where few bits are left for it, beside it; its share is in every figure. *Forward and backward*
is one of both forms in float64, their own time as above. *Needed passes* are those alone that the law runs:
the forward of both forms, and for the gradients the backward to the inputs or to the parameters. The three
shares are of these passes: to build both modules (torch draws weights that are then replaced), to draw
numbers, and to compare bitwise. The trace is done once for each set of options, not for each case; it is
given in forwards and backwards of both forms. The process keeps {kept} MiB of
freed memory; a worker of `equivalence verify` gives it back, and takes longer at such sizes.
"""
CLAIMS = """
## Growth with the number of claims

![Wall time of a run as the number of claims grows](pictures/report-card-claims.svg)

Wall time of `equivalence verify` with the laws {laws}, from the start of the
command to its end, on the first claims of the catalogue: the fastest and the slowest of its repeats. With two
jobs, two more processes first have to load torch.
"""
