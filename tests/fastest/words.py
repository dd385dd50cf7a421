"""What the page of the fastest forms says around its figures."""

from __future__ import annotations

from dataclasses import dataclass

OPENING = """# The fastest form known of each family

`make fast-forms` measures and writes this page. A figure is the time of the family's fastest form over
that of a rival, below 1 where the fastest form wins: the median of many short rounds, in which all forms
of a row run in one process in an order drawn anew, with its bootstrap interval at {confidence}. *Faster*
and *slower* are said only where the whole interval lies beyond 1 by more than {margin}, for two copies
of one layer differ by as much. All forms of a row hold equal parameters, and are checked to be equal on
the row's own input first. What is marked *tried* is in no catalogue.

Measured on {machine}, in float32: on one thread by the time of the processor, on two by elapsed time."""


@dataclass(frozen=True)
class Family:
    """A section of the page."""

    title: str
    groups: str
    """The function of tests.fastest.groups that builds its forms."""
    profiled: int
    """The place of the group whose profile is shown."""
    text: str


FAMILIES = (
    Family(
        "TwoDFC: `two-d-fc-output-major`",
        "two_d_fc",
        1,
        """
The published weight is (1, height, width, out_features): the outputs lie side by side. What limits a
flattened product with it is that layout: where out_features is small (10), a matrix product that reads
the other factor with so short a row takes about twice as long, forward and backward. `OutputMajorTwoDFC`
keeps Linear's own layout, adds the bias within the product and makes no view of its weight; then it is
Linear, but for the look at the input. What is left at batch 1 is the cost of Python calls.

Tried: `addmm`, `F.linear` on a transposed view and `reshape` instead of two views gain some Python time
and keep the slow layout. A parameter of the published shape over output-major memory reads as fast, and
pays for three views at small sizes; a state that is loaded with `assign=True` loses the layout without a
word.
""",
    ),
    Family(
        "LocalLinear: `local-batched`",
        "local",
        26,
        """
One batched product with the bias in it. What limits it is not arithmetic: at small kernels the time goes
into starting one small product for each group, at large batches into the copy that brings the groups'
results from (groups, out, rows) to (rows, groups · out), which no order of the factors avoids. W X
instead of X W makes the long axis, the rows, the inner one of each small product, which is what the
library's small products run along; so the weight comes first, unless there are fewer than 16 rows and 16
inputs or more a group, where the products along the inputs are the longer ones. Both thresholds are
measured, and the two ways are the same function.

Tried and lost: every term written and then summed (memory, though it wins on a single row of wide groups),
`addcmul` for each input of a kernel (as fast for kernel 2 forward, slower backward), a grouped convolution
in each of its layouts (it prepares
every group anew), one matrix-vector product a row, an input transposed by a copy first. Merging groups
into blocks of eight with zeros between them wins with kernel 2 and many rows, but multiplies the zeros:
an inf of one group would reach the next, which `local-batched` never lets it. A result left transposed
would save the copy and hand it to the layer that comes next.
""",
    ),
    Family(
        "A sparse mask: `masked-live`",
        "masked",
        7,
        """
The parameter is the list of live weights. Forward, and the gradient of the input, are a sparse product
over the rows side by side (torch's bag of embeddings with weights of its own), the gradient of the
weights is taken at the live connections alone, and so is every further derivative. What limits it is the
gradient of the weights: a dot product for each connection, with a call each. In training, dense wins
again from a share of live connections on that grows with the batch, and at widths of a few hundred; the
table says where. A forward alone stays ahead for longer.

Tried and lost: torch's CSR and COO products, whose backward writes the dense gradient of the weight (the
CSR forward is the faster one on a single row); gathering both ends of every connection and adding up by
index, which is `masked-sparse` and takes rows · live numbers of memory; a dense gradient read at the
live places.
""",
    ),
    Family(
        "A mask of blocks: `masked-blocks`",
        "blocks",
        9,
        """
The parameter is the list of live blocks, and a few blocks at a time are gathered, multiplied in one
batched product, and added where they belong: as many as a cache holds, so that memory does not grow with
the number of blocks. What limits it is the batched product of small blocks. For blocks of 16 and many
rows the list of single connections has the faster forward, for it gathers nothing; the blocks have the
faster gradient of the weights, and keep no index of each connection. With half of the blocks alive and
many rows, dense is as fast.

Tried and lost: one product for each block, or for each block row (Python calls), block rows padded to
equal length (the longest row decides), everything gathered at once (memory, and no faster).
""",
    ),
    Family(
        "The tied network: nothing wins",
        "tied",
        1,
        """
`SharedMLP` is its own fastest form: its time is that of its four matrix products. Relu in place, and no
module calls inside, gain Python time at batch 1 and nothing that the noise can tell in training at sizes
that matter, so neither is in the catalogue. torch can take relu into a product, but has no derivative of
that.
""",
    ),
)
