"""``python -m tessera`` is the command line."""

import sys

from tessera.cli.main import main

sys.exit(main())
