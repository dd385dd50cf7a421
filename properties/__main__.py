"""`python -m properties`, the same as the command `equivalence`."""

import sys

from properties.cli import main

if __name__ == "__main__":
    sys.exit(main())
