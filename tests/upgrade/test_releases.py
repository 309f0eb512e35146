"""A release reads what the release before wrote and finishes what it began, and writes what that release can read."""

from __future__ import annotations

import json
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tessera_cloud import keys
from tessera_cloud.application.builds.build_block import build_block
from tessera_cloud.application.builds.complete_upload import complete_upload
from tessera_cloud.application.builds.uploads import begin_upload
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.contracts import BuildState, PlanRef, UploadRecord
from tessera_cloud.names import CubeId
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import JOBS, Api, store_of_cubes
from tests.support.builds import SETTINGS, task
from tests.support.bulk_machine import BulkWorld
from tests.support.handlers import Handlers
from tests.upgrade.contracts import FROZEN, contract_of, rows_of, schemas
from tests.upgrade.write_documents import BEGUN, write_documents

BEFORE = Path(__file__).with_name("before.zip")


@cache
def before() -> dict[str, bytes]:
    """Documents that the release before wrote, by name."""
    with zipfile.ZipFile(BEFORE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def api() -> Api:
    """Buckets, table and executions as the release before left them, under the functions of this release."""
    api = Api(MemoryStore())
    for name, data in before().items():
        store, _, rest = name.partition("/")
        first, _, key = rest.partition("/")
        if store != "service":
            continue
        if first == "table":
            kind, _, record = key.partition("/")
            api.handlers.state.put(kind, record, json.loads(data), over=0)
        elif rest == "executions.json":
            for machine, execution, request in json.loads(data):
                api.handlers.executions.start(machine, execution, request)
        else:
            api.store.write(first, key, data)
    return api


def test_this_release_reads_every_document_of_the_release_before() -> None:
    read = 0
    for name, data in before().items():
        contract = contract_of(name)
        for row in rows_of(data) if contract else []:
            assert contract is not None
            document = contract.model_validate(row)
            assert not document.model_extra or name.endswith("footprints.json"), f"{name} has lost a field"
            read += 1
    assert read > 40


def test_the_release_before_reads_every_document_of_this_release() -> None:
    frozen = json.loads(FROZEN.read_text(encoding="utf-8"))
    read = 0
    for name, data in write_documents().items():
        contract = contract_of(name)
        for row in rows_of(data) if contract and contract.__name__ in frozen else []:
            assert contract is not None
            jsonschema.validate(row, frozen[contract.__name__])
            read += 1
    assert read > 40


def test_each_document_of_a_list_that_has_begun_has_a_contract() -> None:
    world = BulkWorld(Handlers(MemoryStore(objects=dict(store_of_cubes().objects))))
    job = world.ask()
    for item in world.plan(job)[:1]:
        world.handlers.invoke("cut_band", item)
    found = set()
    for (bucket, key), data in world.store.objects.items():
        contract = contract_of(f"service/{bucket}/{key}") if key.startswith(keys.bulk(job)) else None
        for row in rows_of(data) if contract else []:
            assert contract is not None
            assert not contract.model_validate(row).model_extra
            found.add(contract.__name__)
    assert found == {"BulkOrder", "PlanDocument", "BandTask", "BandRecord"}


def test_a_field_that_the_release_before_does_not_know_is_allowed_in_documents_and_not_in_wishes() -> None:
    frozen = json.loads(FROZEN.read_text(encoding="utf-8"))
    assert {name for name, schema in frozen.items() if schema.get("additionalProperties") is not True} == set()
    assert frozen["CutoutOrder"]["$defs"]["CutoutOptions"]["additionalProperties"] is False


def test_each_contract_that_was_frozen_still_exists() -> None:
    assert set(json.loads(FROZEN.read_text(encoding="utf-8"))) <= set(schemas())


def test_a_build_that_the_release_before_began_is_finished(api: Api) -> None:
    store, bucket = api.store, SETTINGS.cube_bucket
    built = {key for _, key in store.objects if key.startswith(keys.CUBES)}
    prefixes = {
        key.removesuffix("upload.json")
        for _, key in store.objects
        if key.startswith(keys.builds(BEGUN.cube_id)) and key.endswith("upload.json")
    }
    (prefix,) = (each for each in prefixes if keys.cube(BEGUN.cube_id, each.split("/")[2]) not in built)
    plan = json.loads(store.read(bucket, prefix + keys.PLAN)[0])
    upload_id = UploadRecord.model_validate_json(store.read(bucket, keys.upload_record(prefix))[0]).upload_id
    store.uploads[upload_id] = (bucket, plan["cube_key"], {})
    ref = PlanRef(
        bucket=bucket,
        prefix=prefix,
        ccd=plan["ccd"],
        build_id=plan["build_id"],
        blocks=tuple(range(len(plan["blocks"]))),
        max_concurrency=1,
        planned_at="2026-11-20T12:00:00+00:00",
        generation=9,
    )
    upload = begin_upload(ref, store=store)
    assert upload.upload_id == upload_id
    assert [build_block(task(ref, upload, block), store=store).built for block in ref.blocks] == [False]
    cube = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert cube.key in {row.key for row in read_index(store, bucket)[0].cubes}


def test_a_job_that_the_release_before_began_is_finished(api: Api) -> None:
    ((_, name),) = api.handlers.executions.executions
    job = (api.handlers.executions.executions[JOBS, name].request or {})["job"]
    assert api.get(f"/v1/jobs/{job}").json()["status"] in ("queued", "running")
    for item in (0, 1):
        api.handlers.invoke("cut_item", {"job": job, "item": item})
    api.handlers.invoke("finish_job", {"job": job, "attempt": 1, "machine": JOBS})
    ended = api.get(f"/v1/jobs/{job}").json()
    assert (ended["status"], ended["progress"]) == ("succeeded", {"cubes": 2, "done": 2, "failed": 0})


def test_ingest_goes_on_from_the_records_of_the_release_before(api: Api) -> None:
    item = api.handlers.state.get("ccd", "s0001-4-2")
    assert item is not None
    body = json.dumps({"sweep": "SPOC/s0001"})
    answer = api.handlers.invoke("ingest", {"Records": [{"messageId": "1", "body": body}]})
    after = api.handlers.state.get("ccd", "s0001-4-2")
    assert answer == {"batchItemFailures": []}
    assert after is not None
    assert (after.version, after.value["previous_hash"]) == (2, item.value["hash"])  # a frame has been added


def test_the_catalogue_of_the_release_before_is_served(api: Api) -> None:
    cubes: list[dict[str, Any]] = api.get("/v1/cubes").json()["cubes"]
    assert [cube["name"] for cube in cubes] == ["tess-s0001-4-2", "tess-s0002-4-2"]
    assert CubeId.parse(cubes[0]["name"]) == BEGUN.cube_id
