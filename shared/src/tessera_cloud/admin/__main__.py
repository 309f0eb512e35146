"""``python -m tessera_cloud.admin``."""

import sys

from tessera_cloud.admin.main import main

if __name__ == "__main__":
    sys.exit(main())
