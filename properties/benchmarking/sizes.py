"""Which claims are timed side by side, and the sizes worth measuring, as texts of --at and --sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from equivalence.catalogue import CATALOGUE

NAMES = ("small", "published", "large")
"""The named sizes of a family, in the order in which they are measured."""


@dataclass(frozen=True)
class Family:
    """Claims with one reference and the same fields, and the sizes at which their forms are compared.

    A size is a text of --at, in which `mask=5%` draws a mask; `sweep` has one range more: batch=1:1024.
    """

    claims: Sequence[str]
    small: str
    published: str
    large: str
    sweep: str

    @property
    def sizes(self) -> Mapping[str, str]:
        """Give the named sizes."""
        return {name: getattr(self, name) for name in NAMES}


TWO_D_FC = (
    "two-d-fc",
    "two-d-fc-v2",
    "two-d-fc-unvalidated",
    "two-d-fc-einsum",
    "two-d-fc-tensordot",
    "two-d-fc-flatten-matmul",
    "two-d-fc-output-major",
    "two-d-fc-convolution",
)
MASKED = (
    "masked-where",
    "masked-sparse",
    "masked-live",
    "masked-zeroed",
    "masked-attribute",
    "masked-output",
    "masked-input",
)


def _two_d_fc(claims: Sequence[str], bias: str) -> Family:
    return Family(
        claims,
        small=f"batch=4,height=7,width=7,out_features=10,bias={bias}",
        published=f"batch=200,height=28,width=28,out_features=10,bias={bias}",
        large=f"batch=200,height=56,width=56,out_features=10,bias={bias}",
        sweep=f"batch=1:1024,height=28,width=28,out_features=10,bias={bias}",
    )


def _linear(claims: Sequence[str]) -> Family:
    return Family(
        claims,
        small="batch=4,in_features=16,out_features=16,bias=true",
        published="batch=32x3,in_features=4,out_features=2,bias=true",
        large="batch=8x128,in_features=512,out_features=512,bias=true",
        sweep="batch=1:4096,in_features=64,out_features=64,bias=true",
    )


def _local(claims: Sequence[str]) -> Family:
    return Family(
        claims,
        small="batch=32,groups=4,kernel_size=4,out_per_group=2,bias=true",
        published="batch=200,groups=49,kernel_size=16,out_per_group=4,bias=true",
        large="batch=200,groups=64,kernel_size=64,out_per_group=16,bias=true",
        sweep="batch=64,groups=1:256,kernel_size=16,out_per_group=4,bias=true",
    )


def _masked(claims: Sequence[str]) -> Family:
    return Family(
        claims,
        small="batch=32,out_features=16,in_features=16,mask=5%,bias=true",
        published="batch=200,out_features=10,in_features=784,mask=5%,bias=true",
        large="batch=200,out_features=512,in_features=512,mask=5%,bias=true",
        sweep="batch=200,out_features=64,in_features=16:1024,mask=5%,bias=true",
    )


def _initialiser(claims: Sequence[str]) -> Family:
    """Give sizes of the layer that the weight belongs to: its two forms are one and the same layer."""
    return Family(
        claims,
        small="batch=4,out_channels=4,in_channels=4,kernel_size=1",
        published="batch=32,out_channels=16,in_channels=16,kernel_size=1",
        large="batch=200,out_channels=256,in_channels=256,kernel_size=1",
        sweep="batch=1:1024,out_channels=16,in_channels=16,kernel_size=1",
    )


FAMILIES: Mapping[str, Family] = {
    "two-d-fc": _two_d_fc(TWO_D_FC, "true"),
    "two-d-fc-v1": _two_d_fc(["two-d-fc-v1"], "false"),
    "n-d-linear": Family(
        ["n-d-linear"],
        small="batch=2,in_features=4,out_features=2,bias=true",
        published="batch=32x3,in_features=4,out_features=2,bias=true",
        large="batch=64,in_features=64,out_features=16,bias=true",
        sweep="batch=1:256,in_features=4,out_features=2,bias=true",
    ),
    "n-d-linear-forms": _linear(["n-d-linear-flatten", "n-d-linear-einsum", "n-d-linear-convolution"]),
    "n-d-linear-kronecker": Family(
        ["n-d-linear-kronecker"],
        small="batch=4,rows=2,in_features=4,out_features=2,bias=true",
        published="batch=32,rows=3,in_features=4,out_features=2,bias=true",
        large="batch=64,rows=16,in_features=32,out_features=32,bias=true",
        sweep="batch=64,rows=1:32,in_features=32,out_features=32,bias=true",
    ),
    "masked-full": _linear(["masked-full"]),
    "masked": _masked(MASKED),
    "masked-blocks": Family(
        ["masked-blocks"],
        small="batch=32,out_blocks=2,in_blocks=2,mask=50%,block_out=4,block_in=4,bias=true",
        published="batch=200,out_blocks=8,in_blocks=8,mask=12%,block_out=32,block_in=32,bias=true",
        large="batch=200,out_blocks=16,in_blocks=16,mask=6%,block_out=64,block_in=64,bias=true",
        sweep="batch=200,out_blocks=8,in_blocks=1:64,mask=12%,block_out=32,block_in=32,bias=true",
    ),
    "local": _local(["local", "local-batched", "local-grouped-convolution"]),
    "local-masked": _local(["local-masked"]),
    "local-one-group": _linear(["local-one-group"]),
    "local-transposed-blocks": Family(
        ["local-transposed-blocks"],
        small="batch=32,groups=4,size=4,bias=true",
        published="batch=200,groups=49,size=16,bias=true",
        large="batch=200,groups=64,size=32,bias=true",
        sweep="batch=64,groups=1:128,size=16,bias=true",
    ),
    "local-matmul-reshape": Family(
        ["local-matmul-reshape"],
        small="batch=32,half=4,bias=true",
        published="batch=200,half=392,bias=true",
        large="batch=200,half=4096,bias=true",
        sweep="batch=64,half=1:1024,bias=true",
    ),
    "shared-unrolled": Family(
        ["shared-unrolled"],
        small="batch=4,in_features=4,hidden_features=8,out_features=2",
        published="batch=200,in_features=784,hidden_features=100,out_features=10",
        large="batch=200,in_features=784,hidden_features=512,out_features=10",
        sweep="batch=200,in_features=64,hidden_features=8:512,out_features=10",
    ),
    "parallel-wide": Family(
        ["parallel-wide"],
        small="batch=4,in_features=4,hidden_features=8,out_features=2,nets=2",
        published="batch=200,in_features=784,hidden_features=50,out_features=10,nets=4",
        large="batch=200,in_features=784,hidden_features=50,out_features=10,nets=16",
        sweep="batch=64,in_features=64,hidden_features=32,out_features=10,nets=1:64",
    ),
    "identity-linear": Family(
        ["identity-linear"],
        small="batch=4,in_features=4,features=8,bias=true",
        published="batch=200,in_features=784,features=100,bias=true",
        large="batch=200,in_features=1024,features=512,bias=true",
        sweep="batch=200,in_features=64,features=8:512,bias=true",
    ),
    "identity-convolution": Family(
        ["identity-convolution"],
        small="batch=4,in_channels=2,channels=4,kernel_size=3,length=8,bias=true",
        published="batch=32,in_channels=16,channels=16,kernel_size=3,length=64,bias=true",
        large="batch=32,in_channels=64,channels=64,kernel_size=3,length=256,bias=true",
        sweep="batch=32,in_channels=16,channels=16,kernel_size=3,length=8:512,bias=true",
    ),
    **{name: _initialiser([name]) for name in CATALOGUE if name.startswith("init-")},
}
"""Every claim of the catalogue, in one family each. The first of a family gives the reference."""


def family_of(claim: str) -> tuple[str, Family | None]:
    """Give the family of a claim by name; a claim of the user's own is one by itself, without sizes."""
    found = ((name, family) for name, family in FAMILIES.items() if claim in family.claims)
    return next(found, (claim, None))
