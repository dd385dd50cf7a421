"""Two constructors -> a claim written as source text: what `equivalence compare` verifies and keeps."""

from properties.comparison.modules import module_at
from properties.comparison.problem import problem_at

__all__ = ["module_at", "problem_at"]
