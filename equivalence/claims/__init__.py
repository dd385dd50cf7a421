"""The claims, one family a file: which form is said to equal which, and where that is known to fail."""
