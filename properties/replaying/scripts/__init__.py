"""The text of a script for each law, and the functions that these texts call.

The source of a function is copied into each script that needs it, and of everything that it needs itself.
"""

import copy

import torch

from properties.replaying.scripts.drawing import (
    apart,
    apart_from,
    constants_apart,
    fresh,
    living,
    other_draws,
    other_dtypes,
    samples,
    summary,
)
from properties.replaying.scripts.forms import (
    answer,
    call,
    cast,
    free_scalars,
    load,
    module_in,
    run,
    shapes_on_meta,
    through_pickle,
    works,
)
from properties.replaying.scripts.hanging import dependent, drawn_anew, other_copies
from properties.replaying.scripts.numbers import (
    agree,
    differentiable,
    expanded,
    pull_back,
    real_entries,
    show,
    stacked,
    strided,
    tensors,
    transposed,
)
from properties.replaying.scripts.training import descend, trainable

__all__ = [
    "agree",
    "answer",
    "apart",
    "apart_from",
    "call",
    "cast",
    "constants_apart",
    "copy",
    "dependent",
    "descend",
    "differentiable",
    "drawn_anew",
    "expanded",
    "free_scalars",
    "fresh",
    "living",
    "load",
    "module_in",
    "other_copies",
    "other_draws",
    "other_dtypes",
    "pull_back",
    "real_entries",
    "run",
    "samples",
    "shapes_on_meta",
    "show",
    "stacked",
    "strided",
    "summary",
    "tensors",
    "through_pickle",
    "torch",
    "trainable",
    "transposed",
    "works",
]
