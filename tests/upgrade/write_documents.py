"""Writes the documents of a release: what its code leaves in buckets and table, with work that has only begun.

A release keeps them, and the next one reads them. `docs/operations/releasing.md` says when they are renewed:
``.venv/bin/python -m tests.upgrade.write_documents tests/upgrade/before.zip`` in a clone of the release before. The
script uses only what all releases have, so it can also be copied into an older clone.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from tessera_cloud.application.builds.build_block import build_block
from tessera_cloud.application.builds.uploads import begin_upload
from tessera_cloud.contracts import BuildRequest
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, RA, SHAPE, Api, store_of_cubes
from tests.support.builds import plan, put_frames, task
from tests.support.frames import tiny_sector
from tests.support.image_service import image_api
from tests.support.sources import run_index, two_cubes

BEGUN = BuildRequest(sector=1, camera=4, ccd=2)
ORDER: dict[str, Any] = {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]}


def write_documents() -> dict[str, bytes]:
    """Run what the service does, and return every object and record by a name of the form ``store/bucket/key``."""
    found: dict[str, bytes] = {}
    api = _job_that_has_begun()
    _begin_build(api.store)
    index = two_cubes()
    run_index(index)
    for name, store in (("service", api.store), ("index", index), ("images", image_api().store)):
        for (bucket, key), data in store.objects.items():
            if name == "service" or key.endswith(".json"):
                found[f"{name}/{bucket}/{key}"] = data
    for (kind, key), (_, text, _) in api.handlers.state.records.items():
        found[f"service/table/{kind}/{key}"] = text.encode()
    executions = api.handlers.executions.executions.items()
    started = [[machine, name, each.request] for (machine, name), each in executions]
    found["service/executions.json"] = json.dumps(started).encode()
    return found


def _begin_build(store: MemoryStore) -> None:
    """A build with a plan, an upload and a finished block, and nothing completed."""
    put_frames(store, tiny_sector(6, SHAPE))  # one frame more than in the cube that is served
    ref = plan(store, BEGUN)
    upload = begin_upload(ref, store=store)
    build_block(task(ref, upload, 0), store=store)


def _job_that_has_begun() -> Api:
    """A job of two cubes, of which one is cut; and a sector that ingest has listed."""
    api = Api(store_of_cubes())
    job = api.post("/v1/jobs", ORDER).json()["id"]
    api.handlers.invoke("plan_job", {"job": job, "attempt": 1})
    api.handlers.invoke("cut_item", {"job": job, "item": 0})
    body = json.dumps({"sweep": "SPOC/s0001"})
    api.handlers.invoke("ingest", {"Records": [{"messageId": "1", "body": body}]})
    return api


def main() -> None:
    """Write the archive that the command line names."""
    with zipfile.ZipFile(Path(sys.argv[1]), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(write_documents().items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
