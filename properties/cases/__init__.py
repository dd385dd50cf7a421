"""From a claim to numbers: its domain, the cases drawn from it, and what a law may look at of one."""
