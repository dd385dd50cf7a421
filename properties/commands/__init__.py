"""The commands of `equivalence`, one a file: each adds its own arguments, and returns an exit code."""
