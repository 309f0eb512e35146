"""Documents of a later release: unknown fields are ignored when they are read, and kept when they are written again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tessera_cloud import keys
from tessera_cloud.application.builds.generations import list_next
from tessera_cloud.application.cutouts.fixed import Position
from tessera_cloud.application.cutouts.options import CutoutOptions, Size
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.images.datasets import Dataset, parse_datasets
from tessera_cloud.application.images.messages import DatasetIndex
from tessera_cloud.application.index.footprint_index import FootprintIndex, publish, read_index
from tessera_cloud.application.ingest.manifests import Manifest, parse_manifest
from tessera_cloud.application.ingest.rules import observe
from tessera_cloud.application.jobs.plans import read_order
from tessera_cloud.application.jobs.records import JobRecord, change_job, read_job, write_job
from tessera_cloud.application.switch import Switch, read_switch, write_switch
from tessera_cloud.contracts import Asked, PublishedCube, Wire
from tessera_cloud.errors import DatasetsError, NewerOrderError
from tessera_cloud.testing.memory_state import MemoryState
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import REQUEST, SETTINGS, put_frames, run_build
from tests.support.frames import tiny_sector
from tests.support.sources import SETTINGS as INDEX_SETTINGS
from tests.support.sources import run_index, two_cubes

BUCKET = SETTINGS.cube_bucket


def _all(base: type[Wire]) -> set[type[Wire]]:
    return {below for child in base.__subclasses__() for below in (child, *_all(child))}


def test_only_what_people_ask_for_is_strict() -> None:
    strict = {kind.__name__ for kind in _all(Wire) if kind.model_config["extra"] != "allow"}
    assert strict == {kind.__name__ for kind in _all(Asked)} | {"Asked"}


def _built(store: MemoryStore) -> PublishedCube:
    put_frames(store, tiny_sector(3))
    return run_build(store)


def _edit(store: MemoryStore, key: str, **more: Any) -> None:
    """Add fields to a document, as a later release would."""
    document = json.loads(store.read(BUCKET, key)[0])
    store.write(BUCKET, key, json.dumps(document | more).encode())


def test_an_old_writer_keeps_the_columns_that_it_does_not_know() -> None:
    store = two_cubes()
    run_index(store)
    own = INDEX_SETTINGS.cube_bucket
    table = json.loads(store.read(own, keys.FOOTPRINT_INDEX)[0])
    names = table["obs_id"]
    later = table | {"gaps": [f"of {name}" for name in names], "epoch": 7}
    store.write(own, keys.FOOTPRINT_INDEX, json.dumps(later).encode())
    put_frames(store, tiny_sector(3))
    mine = run_build(store)
    run_index(store)
    table = json.loads(store.read(own, keys.FOOTPRINT_INDEX)[0])
    gaps = dict(zip(table["obs_id"], table["gaps"], strict=True))
    assert table["epoch"] == 7
    assert gaps.pop(mine.obs_id) is None
    assert gaps == {name: f"of {name}" for name in names if name != mine.obs_id}


def test_a_column_that_an_old_writer_left_empty_has_its_default() -> None:
    cube = _built(MemoryStore())
    table = json.loads(FootprintIndex.of([cube]).to_json()) | {"planned_at": [None], "generation": [None]}
    assert FootprintIndex.from_json(json.dumps(table).encode()).cubes == (
        cube.model_copy(update={"planned_at": "", "generation": 0}),
    )


def test_a_pointer_of_a_later_release_is_read_and_kept() -> None:
    store = MemoryStore()
    cube = _built(store)
    _edit(store, keys.current(cube.cube_id), provenance={"by": "later"})
    assert publish(cube, store=store) == cube
    assert json.loads(store.read(BUCKET, keys.current(cube.cube_id))[0])["provenance"] == {"by": "later"}
    assert read_index(store, BUCKET)[0].cubes == (cube,)


def test_every_document_of_a_build_may_have_more_fields() -> None:
    store = MemoryStore()
    cube = _built(store)
    for info in list(store.list_objects(BUCKET, "builds/")):
        if info.key.endswith(".json"):
            _edit(store, info.key, surprise=1)
    assert run_build(store) == cube.model_copy(update={"generation": 2, "planned_at": cube.planned_at})


def test_the_number_of_a_listing_keeps_what_a_later_release_wrote_beside_it() -> None:
    store, key = MemoryStore(), keys.generation(REQUEST.cube_id)
    store.write(BUCKET, key, b'{"generation": 4, "by": "later"}')
    assert list_next(REQUEST.cube_id, list, store=store, bucket=BUCKET)[1] == 5
    assert json.loads(store.read(BUCKET, key)[0]) == {"generation": 5, "by": "later"}


def test_a_changed_job_keeps_the_fields_of_a_later_release() -> None:
    state = MemoryState()
    record = JobRecord.model_validate({"id": "0" * 32, "created": 1.0, "n_cubes": 2, "token": "later"})
    write_job(state, record, 0, 1.0)
    change_job(state, record.id, 2.0, lambda job: job.model_copy(update={"cancelled": True}))
    changed, _ = read_job(state, record.id)
    assert changed is not None
    assert (changed.cancelled, changed.model_extra) == (True, {"token": "later"})


def test_the_record_of_a_ccd_keeps_the_fields_of_a_later_release() -> None:
    before = observe(None, Manifest.of(()), 1.0, None)
    later = type(before).model_validate(before.model_dump() | {"mood": "good"})
    assert observe(later, Manifest.of(()), 2.0, None).model_dump()["mood"] == "good"


def test_a_manifest_may_say_more_about_a_frame() -> None:
    assert parse_manifest(b'[["a.fits", 3, "etag", "sha256"]]') == [("a.fits", 3, "etag")]


def test_the_index_of_a_dataset_may_have_more_fields_at_every_level() -> None:
    found = {"bucket": "b", "key": "k", "size": 1, "etag": "e", "more": 1}
    row = {"found": found, "band": "", "whole": False, "images": [], "more": 1}
    dataset = {"name": "own", "bucket": "b", "more": 1}
    text = json.dumps({"dataset": dataset, "indexed_at": "", "rows": [row], "more": 1})
    index = DatasetIndex.model_validate_json(text)
    assert json.loads(index.model_dump_json())["rows"][0]["found"]["more"] == 1
    assert index.dataset == Dataset(name="own", bucket="b")


def test_an_unknown_field_in_the_operators_document_is_refused() -> None:
    text = b'{"datasets": [{"name": "own", "uris": ["s3://b/k"], "colour": "red"}]}'
    with pytest.raises(DatasetsError, match="colour"):
        parse_datasets(text, SETTINGS)


# ---------------------------------------------------------------- what people ask for

REQUESTED = CutoutRequest(target=Position(ra=1.0, dec=2.0, size=Size(rows=3, columns=3)))


def test_an_order_with_more_fields_is_read_but_an_unknown_wish_is_refused_by_name() -> None:
    store, job = MemoryStore(), "0" * 32
    text = json.loads(CutoutOrder(request=REQUESTED, cubes=()).model_dump_json())
    store.write("results", keys.job_order(job), json.dumps(text | {"surprise": 1}).encode())
    assert read_order(store, "results", job).request == REQUESTED
    text["request"]["options"] = {"sharpen": True}
    store.write("results", keys.job_order(job), json.dumps(text).encode())
    with pytest.raises(NewerOrderError, match=r"asks for request\.options\.sharpen, which only a later release knows"):
        read_order(store, "results", job)


def test_a_wish_that_has_its_default_is_not_written() -> None:
    wanted = REQUESTED.model_copy(update={"options": CutoutOptions(sectors=(3,))})
    assert wanted.model_dump(mode="json") == {
        "target": {"kind": "position", "ra": 1.0, "dec": 2.0, "size": {"rows": 3.0, "columns": 3.0}},
        "options": {"sectors": [3]},
    }
    assert CutoutRequest.model_validate_json(wanted.model_dump_json()) == wanted


def test_the_switch_keeps_the_fields_of_a_later_release() -> None:
    state = MemoryState()
    state.put("switch", "service", {"paused": True, "until": 7}, over=0)
    write_switch(state, Switch(since=2.0))
    assert (read_switch(state).paused, read_switch(state).model_extra) == (False, {"until": 7})
