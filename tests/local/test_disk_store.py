"""The store of S3 on a disk that is full."""

import resource
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

WRITER = """
import asyncio, io, sys
from pathlib import Path
from types import SimpleNamespace
from tessera_local.s3.protocol.bodies import receive
from tessera_local.s3.disk_store import DiskStore

class Content:
    async def iter_any(self):
        yield b"x" * 100_000

request = SimpleNamespace(headers={}, version=None, content=Content())
print(asyncio.run(receive(SimpleNamespace(request=request, query={}), DiskStore(Path(sys.argv[1])))).size)
"""


def write(folder: Path, limit: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", WRITER, folder],
        env={"PYTHONPATH": str(REPOSITORY / "local/src")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_an_object_that_does_not_fit_on_the_disk_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    assert write(tmp_path / "roomy", 100_000).stdout == "100000\n"
    refused = write(tmp_path / "full", 99_999)
    assert refused.returncode == 1
    assert "File too large" in refused.stderr
    assert not list((tmp_path / "full" / "segments").iterdir())
