"""`python -m scopetrace` is the command `scopetrace`."""

from __future__ import annotations

import sys

from scopetrace.cli import main

if __name__ == "__main__":
    sys.exit(main())
