"""Deciding a kept failure again, in a fresh process or as a script that stands alone."""
