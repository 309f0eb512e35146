"""The emulator's store on a disk that is full."""

import resource
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

WRITER = """
import io, sys
from types import SimpleNamespace
from tessera_local.emulator.disk_store import DiskObject, DiskStore
thing = SimpleNamespace(checksum_algorithm=None, size=0)
DiskObject(DiskStore(sys.argv[1]), thing, "r", None).write(io.BytesIO(b"x" * 100_000))
print(thing.size)
"""


def write(emulator: Path, folder: Path, limit: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [emulator, "-c", WRITER, folder],
        env={"PYTHONPATH": str(REPOSITORY / "local/src")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_an_object_that_does_not_fit_on_the_disk_is_refused(emulator: Path, tmp_path: Path) -> None:
    assert write(emulator, tmp_path, 100_000).stdout == "100000\n"
    refused = write(emulator, tmp_path, 99_999)
    assert refused.returncode == 1
    assert "File too large" in refused.stderr
