"""The services that the suite asks: ours, as the one-machine stack, and an independent one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera.tess.ids import CcdId
from tessera_cloud import keys
from tessera_local.stack import Stack
from tests.ivoa.clauses.site import Site
from tests.ivoa.clauses.sites import dachs, ours
from tests.ivoa.clauses.web import Http, Remembering
from tests.ivoa.independent.server import MissingError, independent_server
from tests.support.frames import frames_around_tpf, tiny_sector
from tests.support.image_service import BUCKET, put_images_on
from tests.support.paths import TPF_6X6

REAL = CcdId(1, 4, 2)
"""Frames around the pixels of a real target pixel file."""
SMALL = CcdId(2, 1, 1)
"""Small frames of which every pixel is known."""
SMALL_SHAPE = (60, 50)
N_SMALL = 6


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The one-machine stack with two cubes, the datasets of images, and the files of coverage."""
    with Stack(tmp_path_factory.mktemp("home"), parameters={"ImageBuckets": BUCKET}) as stack:
        put_images_on(stack)
        frames = frames_around_tpf(TPF_6X6, n_frames=None, shape=(264, 1640))
        frames += tiny_sector(N_SMALL, SMALL_SHAPE, sector=SMALL.sector, camera=SMALL.camera, ccd=SMALL.ccd)
        for name, data in frames:
            stack.s3.put_object(Bucket=stack.bucket("FfiBucket"), Key=keys.frame("tess/public/ffi/", name), Body=data)
        runs = [stack.start_build(each.sector, each.camera, each.ccd) for each in (REAL, SMALL)]
        runs.append(stack.start_execution("ImageIndexStateMachine", {}))
        for run in runs:
            ended = stack.wait(run, timeout=120)
            assert ended.status == "SUCCEEDED", ended
        yield stack


@pytest.fixture(scope="session")
def site(stack: Stack) -> Site:
    """Our service. The dataset that is cut is the cube of the small frames."""
    web = Remembering(Http(), f"{stack.url}/soda/async")
    return ours(stack.url, web, example=f"ivo://tessera/cubes?tess-{SMALL}")


@pytest.fixture(scope="session")
def independent() -> Iterator[Site]:
    """The independent server, or a skip that says what is missing."""
    try:
        with independent_server() as url:
            yield dachs(url)
    except MissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def stilts() -> Path:
    """The program, or a skip that says how to get it."""
    found = shutil.which("stilts")
    if found is None:
        pytest.skip("stilts is not installed: apt-get install stilts")
    return Path(found)
