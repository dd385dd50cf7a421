"""What docs/cost.md says around its tables."""

OPENING = """\
# What the forms cost

Counted, not timed: the same on every machine that has this version of torch. `make cost-page` writes this
page. `from properties.cost import cost` measures a layer of your own; it raises `UncountedOperationError`,
with the name, for an operation that it does not know: what is not counted would look free.
Work outside torch (in NumPy, in a library of one's own) is not seen.

* A **multiply-add** is one product of two real numbers, with the addition that takes it in where there is
  one. An elementwise product counts one an element, whether or not a sum follows, and so does scaling by a
  number. Sums without a product, comparisons, choices, moves and views count none, nor do functions of one
  number (sqrt, exp) and the arithmetic of indices and masks. A convolution counts the products with its
  padding. All operations that are known stand in `properties/operations/table.py`, one line each.
* **Useful** are those that have no factor that a mask makes zero, counted in a run on positive numbers, in
  which entries that the claim declares dead are 0.
* **Free** parameters are those that training can change: shared ones once, dead and frozen ones not.
  **Stored** are all. Buffers are counted in entries.
* **Read** and **written** are the bytes of the tensors that operations take and give, in a forward; a view
  costs nothing, and what is expanded counts once. **Kernels** are the operations that compute; on a GPU each
  launches one kernel or more.
* **Extra** are the most bytes alive at once, beyond parameters, buffers, inputs and outputs: in a forward
  without gradients; and in training, a forward with its backward to parameters and inputs, where what is
  saved and the gradients count. On the CPU the storages of tensors are followed; what a kernel takes for
  itself while it runs is not seen. On CUDA it is torch's own `max_memory_allocated`, which sees it, in the
  allocator's steps.

## By hand

torch's own counter (`torch.utils.flop_counter`, two operations a multiply-add) knows matrix products and
convolutions. It counts 0 for broadcast, multiply, sum, and is silent about it.

"""
LAW = """
The flattened form of Linear(4, 2) takes 72 weights for 8 and three times the multiply-adds. The broadcast
TwoDFC needs batch · height · width · out_features extra floats, the flattened one none.

## The catalogue

The law `cost` holds parameters, buffers and multiply-adds of every form against the closed form that its
claim states (`reference_cost`, `candidate_cost`), exactly, at random sizes. These are the costs at one size:
the fields of a claim are 20, 6, 12, 8 in their order, free axes 32, options the first (no bias), one entry of
a mask in 20 lives, the numbers float32. Memory and traffic are in bytes.

"""
GROWTH = """
A mask of which one entry in 20 lives multiplies 20 times what it needs, whichever form writes it densely.

## Growth

Exponents fitted over sizes of 32, 64, 128 and 256, every other size being 8: the slope of log cost over log
size. An exponent of 1 is not written, a size that does not matter is left out, and *none* says that nothing
is needed at any size. A sum of terms has an exponent between theirs.

"""
