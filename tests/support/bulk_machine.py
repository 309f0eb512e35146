"""Lists of targets over cubes in memory: step by step, or by the real BulkJob state machine."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import boto3

from tessera.bulk.options import BulkOptions
from tessera.bulk.status import BulkStatus, parse_status
from tessera_cloud import keys
from tessera_cloud.application.bulk.submit import GivenList, place_order, submit_list
from tessera_cloud.application.jobs.records import Asker, JobRecord, read_job
from tessera_cloud.settings import BulkSettings
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, LISTS, sky
from tests.support.builds import SETTINGS
from tests.support.handlers import Handlers
from tests.support.state_machine import Stack

BULK_SETTINGS = dataclasses.replace(API_SETTINGS, bulk=BulkSettings(machine=LISTS, concurrency=4, max_jobs=1))
CURVES = BulkOptions(size=(5, 5))
ALL = BulkOptions(outputs=("parquet", "lightcurves", "tpf"), size=(5, 5))
PIXELS = [(9.2, 8.1), (20.3, 14.2), (20.9, 15.7), (31.0, 22.4)]
"""Pixels of the targets, row and column, far from the edges."""


def a_list(pixels: list[tuple[float, float]] = PIXELS) -> bytes:
    """CSV of targets at pixels of the frames."""
    rows = [f"star {n},{ra!r},{dec!r}" for n, (ra, dec) in enumerate((sky(*pixel) for pixel in pixels), 1)]
    return "\n".join(["name,ra,dec", *rows]).encode() + b"\n"


class BulkWorld:
    """Lists that are asked for as the API does, and their products.

    Parameters
    ----------
    handlers : Handlers
        The functions, with the cubes in their store.
    """

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers
        self.handlers.services = dataclasses.replace(handlers.services, settings=BULK_SETTINGS)
        self.store.clock = lambda: handlers.now().timestamp()

    @property
    def store(self) -> MemoryStore:
        """The store of the functions."""
        store = self.handlers.services.store
        assert isinstance(store, MemoryStore)
        return store

    def ask(self, options: BulkOptions = CURVES, data: bytes | None = None, n_cubes: int = 2) -> str:
        """Ask for a list, and return its id."""
        backend, given = self.handlers.services, GivenList.of(a_list() if data is None else data, "csv")
        order = place_order(given, options, backend)
        submit_list(order, given, n_cubes, Asker(client="a", token="t"), backend)
        return order.id

    def plan(self, job: str, attempt: int = 1) -> list[dict[str, Any]]:
        """Plan a list, and return the items of the Map."""
        ref = self.handlers.invoke("plan_bulk", {"job": job, "attempt": attempt})
        items: list[dict[str, Any]] = json.loads(self.store.objects[ref["bucket"], ref["bands"]])
        return items

    def run(self, job: str, attempt: int = 1) -> dict[str, Any]:
        """Take every step of a list, one after the other."""
        for item in self.plan(job, attempt):
            self.handlers.invoke("cut_band", item)
        return self.finish(job, attempt)

    def finish(self, job: str, attempt: int = 1) -> dict[str, Any]:
        """Complete a list."""
        task = {"job": job, "attempt": attempt, "machine": LISTS, "refused": ""}
        outcome: dict[str, Any] = self.handlers.invoke("finish_bulk", task)
        return outcome

    def record(self, job: str) -> JobRecord:
        """The record of a list in the table."""
        record, _ = read_job(self.handlers.services.state, job)
        assert record is not None
        return record

    def products(self, job: str) -> dict[str, bytes]:
        """Products of a list by name."""
        prefix = keys.bulk_products(job)
        found = {key: data for (bucket, key), data in self.store.objects.items() if bucket == SETTINGS.result_bucket}
        return {key.removeprefix(prefix): data for key, data in sorted(found.items()) if key.startswith(prefix)}

    def statuses(self, job: str) -> list[BulkStatus]:
        """Rows of the status table."""
        return parse_status(self.products(job)["status.csv"])

    def check_products(self, job: str) -> None:
        """Check that all files that the manifest names exist with their checksums, and no others."""
        products = self.products(job)
        named = {file["name"]: file["sha256"] for file in json.loads(products["manifest.json"])["files"]}
        assert set(products) - {"manifest.json"} == set(named)
        assert {name: hashlib.sha256(products[name]).hexdigest() for name in named} == named


class BulkStore(MemoryStore):
    """A store that also writes lists of bands to the interpreter's S3, because its Map reads them there."""

    def write(self, bucket: str, key: str, data: bytes, **conditions: Any) -> str:
        etag = super().write(bucket, key, data, **conditions)
        if key.startswith("bulk/") and key.endswith("bands.json"):
            boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=data)
        return etag


class BulkStack(Stack):
    """The state machine, and lists that are asked for."""

    machine = "bulk_job"

    def __init__(self, cubes: MemoryStore) -> None:
        super().__init__(BulkStore(objects=dict(cubes.objects)), BULK_SETTINGS)
        self.world = BulkWorld(self.handlers)

    def open(self) -> None:
        """Create the bucket of the interpreter."""
        boto3.client("s3").create_bucket(Bucket=SETTINGS.result_bucket)

    def make(self, mode: str = "DISTRIBUTED") -> dict[str, Any]:
        """Run the execution of the only list that was started and has not ended."""
        executions = self.handlers.executions
        ((machine, name),) = [key for key, one in executions.executions.items() if one.status == "RUNNING"]
        answer = self.wait(self.start_with(dict(executions.executions[machine, name].request or {}), mode))
        executions.end(machine, name, answer["status"], error=answer.get("error", ""))
        return answer
