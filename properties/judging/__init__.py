"""Deciding one case under one law, and what the verdict rests on."""
