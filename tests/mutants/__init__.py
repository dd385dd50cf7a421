"""Claims with one planted bug each, under the law that sees it first: `python -m tests.mutants`."""

# Every family is imported here, in the order of the tables: a mutant registers itself.
from tests.mutants import two_d_fc, linear, masked, local, sharing, identity, modules  # noqa: I001
from tests.mutants import initialisers, training, cost, fast, numerics, circumstances
from tests.mutants.planted import MUTANTS

RIGHT = (
    masked.CarriedZeros,
    sharing.TiedIsShared,
    modules.BatchNormIsItsFormula,
    modules.DropoutIsItsFunction,
    modules.MergedIsLowRank,
    modules.ShuffledWeightIsShuffled,
    numerics.LayerNormIsItsFormula,
    numerics.VarianceIsBySum,
    numerics.SiluIsItsFormula,
    numerics.SoftplusIsItsFormula,
    numerics.UnitIsItsFormula,
    numerics.ReluIsItsFormula,
    numerics.FoldedIsBatchNorm,
    numerics.LookingBackIsLinear,
    training.CumulativeNormIsItsFormula,
    training.AverageIsByLerp,
    circumstances.right.ScaledIsInItsWeight,
    circumstances.right.TableIsKept,
    circumstances.right.ViewIsItsInput,
    circumstances.memory.ChannelsAreScaledLast,
    circumstances.transforms.SeparateIsLinear,
)
"""Claims in no catalogue that hold as they say, for bugs that no claim there can carry."""

__all__ = [
    "MUTANTS",
    "RIGHT",
    "circumstances",
    "cost",
    "fast",
    "identity",
    "initialisers",
    "linear",
    "local",
    "masked",
    "modules",
    "numerics",
    "sharing",
    "training",
    "two_d_fc",
]
