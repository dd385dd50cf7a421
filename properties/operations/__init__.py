"""What is known of each torch operation: how it bounds integers, what it multiplies, what it rounds."""
