"""``python -m tessera_local``."""

import sys

from tessera_local.cli import main

if __name__ == "__main__":
    sys.exit(main())
