"""How often the law `initialisation` is wrong about right draws, and misses wrong ones."""
