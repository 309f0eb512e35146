"""Hold Tessera to an S3 that is not ours: its contracts, a build, cutouts, a job, and faults of the network.

Usage: python -m tests.s3.run [OPTIONS OF PYTEST]

The S3 is Ceph's. TESSERA_TEST_S3="ADDRESS ACCESS-KEY SECRET-KEY" names another one, whose buckets are emptied.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.s3.ceph import PACKAGES, CephError, ceph, missing
from tests.support.s3_servers import NAMED

ROOT = Path(__file__).parents[2]
FILES = ("contract/test_stores.py", "contract/test_s3.py", "contract/test_s3_under_faults.py", "s3")


def run(server: str) -> int:
    """Run the tests on a server, and return the code of pytest."""
    files = [str(ROOT / "tests" / name) for name in FILES]
    command = [sys.executable, "-m", "pytest", *sys.argv[1:], *files]
    return subprocess.run(command, env=os.environ | {"TESSERA_TEST_S3": server}, check=False).returncode


def main() -> None:
    """Run the tests on the S3 that is named, or on Ceph's."""
    if NAMED:
        sys.exit(run(NAMED))
    if missing():
        print(f"skipped: there is no {', '.join(missing())}; the packages of Debian and Ubuntu are {PACKAGES}")
        return
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # Ceph ends, too
    try:
        with ceph() as server:
            code = run(f"{server.url} {server.access_key} {server.secret_key} {server.program}")
    except CephError as error:
        sys.exit(f"error: {error}")
    sys.exit(code)


if __name__ == "__main__":
    main()
