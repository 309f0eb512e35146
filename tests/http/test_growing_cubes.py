"""A growing cube behind the API: its answers are those of the cube of all its frames."""

from __future__ import annotations

import io
import json
from zipfile import ZipFile

import pytest

from tessera_cloud import keys
from tessera_cloud.testing.memory_store import MemoryStore
from tests.http.test_bulk import send
from tests.support.api import DEC, RA, Api
from tests.support.archives import file_names
from tests.support.builds import REQUEST, put_frames, run_build, store_with
from tests.support.frames import tiny_sector
from tests.support.run_lists import run_lists
from tests.support.same_bytes import without_record

FRAMES = sorted(tiny_sector(6, (40, 30), dquality={2: 4096}))
PATH = {"time": [2458320.0, 2458330.0], "ra": [RA, RA + 0.01], "dec": [DEC, DEC]}


@pytest.fixture(scope="module")
def stores() -> tuple[MemoryStore, MemoryStore]:
    """A store with the cube of all frames, and one with a growing cube of three segments."""
    whole, growing = store_with(FRAMES), MemoryStore()
    run_build(whole)
    for day in (FRAMES[1:3], FRAMES[:1] + FRAMES[4:], FRAMES[3:4]):
        put_frames(growing, day)
        run_build(growing, REQUEST.model_copy(update={"grow": True}))
    return whole, growing


Stores = tuple[MemoryStore, MemoryStore]


def below(store: MemoryStore, prefix: str, suffix: str) -> dict[str, bytes]:
    """Files below a prefix, by their names."""
    found = {key: data for (_, key), data in store.objects.items() if key.startswith(prefix)}
    return {key.removeprefix(prefix): data for key, data in found.items() if key.endswith(suffix)}


def members(archive: bytes) -> dict[str, bytes]:
    """Names and target pixel files of a zip archive; its records name different files of cubes."""
    with ZipFile(io.BytesIO(archive)) as opened:
        return {name: without_record(opened.read(name)) for name in file_names(opened)}


def answers(stores: Stores, target: str, document: object = None, **query: object) -> list[bytes]:
    made = []
    for store in stores:
        api = Api(store)
        answer = api.post(target, document) if document else api.get(target, **query)
        assert answer.status == 200, answer.content
        made.append(answer.content)
    return made


@pytest.mark.parametrize(
    "body",
    [
        {"position": {"ra": RA, "dec": DEC}, "size": [3, 7]},
        {"position": {"ra": RA, "dec": DEC}, "size": 5, "cadences": [1, 3], "layout": "slim"},
        {"path": PATH, "size": 3},
    ],
)
def test_cutouts_are_those_of_the_whole_cube(stores: Stores, body: dict[str, object]) -> None:
    whole, growing = answers(stores, "/v1/cutouts", body)
    assert members(whole)
    assert members(growing) == members(whole)


def test_so_is_a_preview(stores: Stores) -> None:
    query = {"ra": RA, "dec": DEC, "size": 5, "cube": "tess-s0001-4-2"}
    whole, growing = (json.loads(data) for data in answers(stores, "/v1/preview", None, **query))
    for answer in (whole, growing):
        del answer["provenance"]  # it names the cube
    assert growing == whole


def test_so_is_the_file_of_a_job(stores: Stores) -> None:
    made = []
    for store in stores:
        api = Api(store)
        job = api.post("/v1/jobs", {"position": {"ra": RA, "dec": DEC}, "size": 12}).json()
        api.run_jobs()
        made.append({name: without_record(data) for name, data in below(store, keys.job(job["id"]), ".fits").items()})
    assert len(made[0]) == 1
    assert made[1] == made[0]


def test_so_are_the_products_of_a_list(stores: Stores) -> None:
    made = []
    for store in stores:
        api = Api(store)
        answer = send(api, f"ra,dec,size\n{RA},{DEC},5\n".encode(), "/v1/bulk?outputs=tpf")
        run_lists(api)
        zipped = below(store, keys.bulk_products(answer.json()["id"]), ".zip")
        made.append({name: members(data) for name, data in zipped.items()})
    assert len(made[0]) == 1
    assert made[1] == made[0]


def test_a_growing_cube_says_how_many_segments_it_has(stores: Stores) -> None:
    whole, growing = (json.loads(data) for data in answers(stores, "/v1/cubes/tess-s0001-4-2"))
    origins = [answer.pop("provenance") for answer in (whole, growing)]
    assert [origin["segments"] for origin in origins] == [0, 3]
    assert origins[0]["bytes"] > origins[1]["bytes"]  # a whole cube has its record; of a growing one, the segments do
    assert growing == whole
