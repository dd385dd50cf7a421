"""Instruments that decide an equation: exact integers, the rounding model, tests of fresh draws."""
