"""The text of a script for each law, and the functions that these texts call."""
