"""A small file in the home of a running service, by which other commands find the service."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from tessera.io.files import write_pieces
from tessera_local.frames import FramePlace
from tessera_local.processes import CREDENTIALS
from tessera_local.stack import Stack
from tessera_local.template.deployed import REGION

FILE = "running.json"


class NotRunningError(RuntimeError):
    """There is no running service. The message names its home."""


@dataclass(frozen=True)
class Running:
    """A running service: its address, the destination of frames, and the bucket of cubes."""

    url: str
    frames: FramePlace
    cube_bucket: str


@contextmanager
def announced(stack: Stack) -> Iterator[None]:
    """Write the file for the duration of the block."""
    frames = FramePlace.of(stack)
    place = {"bucket": frames.bucket, "prefixes": frames.prefixes, "endpoint": stack.s3_endpoint}
    document = {"url": stack.url, "frames": place, "cube_bucket": stack.bucket("CubeBucket")}
    path = stack.home / FILE
    write_pieces(path, [json.dumps(document, indent=2).encode()])
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def read(home: Path) -> Running:
    """Read the file of the service that runs on a home.

    Raises
    ------
    NotRunningError
        If no service runs, or if it is not ready.
    """
    try:
        found = json.loads((home / FILE).read_text())
    except (OSError, ValueError) as error:
        raise NotRunningError(f"no Tessera is ready on {home}; start it with make local") from error
    place = found["frames"]
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    s3 = session.client("s3", endpoint_url=place["endpoint"])
    return Running(found["url"], FramePlace(s3, place["bucket"], place["prefixes"], home), found["cube_bucket"])
