"""What a run amounted to, as one plain data structure, and the files that are written from it."""
