"""From a failing case to what a reader can do with it: small values, a reason, a file."""
