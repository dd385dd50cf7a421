"""What a user hands over, read as strictly as data from strangers deserves."""
