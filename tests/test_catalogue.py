"""Catalogue × laws, through the same suite() that a user calls."""

from equivalence.catalogue import CATALOGUE
from properties import suite

for _claim in CATALOGUE.values():
    globals()[f"Test{_claim.__name__}"] = suite(_claim)


def test_every_claim_says_what_it_states_and_where_it_comes_from() -> None:
    assert len(CATALOGUE) >= 30
    for claim in CATALOGUE.values():
        assert claim.__doc__, claim
        assert not claim.__doc__.startswith(f"{claim.__name__}("), f"{claim.__name__} has no statement"
        assert claim.source, claim
