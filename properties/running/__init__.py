"""Many cases make a cell, many cells a run; one record says what each came to."""
