"""``python -m tessera`` is the command line."""

import sys

from tessera.cli import main

sys.exit(main())
