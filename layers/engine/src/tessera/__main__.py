"""``python -m tessera`` runs the command ``tessera``."""

import sys

from tessera.cli.main import main

sys.exit(main())
