"""Unit tests of the reference implementations."""
