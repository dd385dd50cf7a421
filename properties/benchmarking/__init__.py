"""Forms that were just verified to be equal, timed side by side."""
