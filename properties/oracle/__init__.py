"""Instruments that decide an equation: exact integers, the precision ladder, tests of fresh draws."""
