"""How other commands find the service that runs: a small file in its home, for as long as it runs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from tessera.io.files import write_pieces
from tessera_local.emulator_process import CREDENTIALS
from tessera_local.frames import FramePlace
from tessera_local.stack import Stack
from tessera_local.template.deployed import REGION

FILE = "running.json"


class NotRunningError(RuntimeError):
    """There is no service to talk to; the message names the home."""


@dataclass(frozen=True)
class Running:
    """A service that runs: its address, and where frames go."""

    url: str
    frames: FramePlace


@contextmanager
def announced(stack: Stack) -> Iterator[None]:
    """Say where everything is, until the end of the block."""
    frames = FramePlace.of(stack)
    place = {"bucket": frames.bucket, "prefixes": frames.prefixes, "endpoint": stack.s3_endpoint}
    path = stack.home / FILE
    write_pieces(path, [json.dumps({"url": stack.url, "frames": place}, indent=2).encode()])
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def read(home: Path) -> Running:
    """The service that runs on a home.

    Raises
    ------
    NotRunningError
        When there is none, or none that is ready.
    """
    try:
        found = json.loads((home / FILE).read_text())
    except (OSError, ValueError) as error:
        raise NotRunningError(f"no Tessera is ready on {home}: start it with make local") from error
    place = found["frames"]
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    s3 = session.client("s3", endpoint_url=place["endpoint"])
    return Running(found["url"], FramePlace(s3, place["bucket"], place["prefixes"]))
