"""Reference implementations: the ways of writing a layer that the claims compare, right and wrong."""
