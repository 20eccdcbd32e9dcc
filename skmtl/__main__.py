"""Run the command as ``python -m skmtl``."""

import sys

from skmtl.cli import main

if __name__ == "__main__":
    sys.exit(main())
