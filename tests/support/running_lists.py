"""Lists of targets through the HTTP API of the one-machine stack."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

from tessera_cloud import keys
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.names import CubeId
from tessera_local.stack import Stack

WORKER = "CutBandFunction"
_POLL = 0.3
_RUNNING = ("queued", "running")


class Lists:
    """A client of /v1/bulk, and what the service keeps of a list.

    Parameters
    ----------
    stack
        The service.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._url = f"{stack.url}/v1/bulk"
        self._bucket = stack.bucket("ResultBucket")

    def price(self, text: str, **options: str) -> dict[str, Any]:
        """Price of a list of CSV."""
        return self._post(f"{self._url}/plan", text, options)

    def begin(self, text: str, **options: str) -> dict[str, Any]:
        """Begin a list of CSV."""
        return self._post(self._url, text, options)

    def _post(self, url: str, text: str, options: dict[str, str]) -> dict[str, Any]:
        headers = {"Content-Type": "text/csv"}
        answer = requests.post(url, params=options, data=text.encode(), headers=headers, timeout=60)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, job: str, **query: str) -> dict[str, Any]:
        """A list as it is now."""
        answer = requests.get(f"{self._url}/{job}", params=query, timeout=60)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def wait(
        self, job: str, seconds: float = 3600.0, until: Callable[[dict[str, Any]], bool] = lambda _: False
    ) -> dict[str, Any]:
        """Wait until a list has ended, or until something holds for it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            now = self.get(job, limit="0")
            if now["status"] not in _RUNNING or until(now):
                return now
            time.sleep(_POLL)
        raise TimeoutError(f"the list {job} still runs after {seconds} s")

    def cancel(self, job: dict[str, Any]) -> dict[str, Any]:
        """Cancel a list with the token of the answer to its request."""
        token = {"cancel_token": job["cancel_token"]}
        answer = requests.delete(f"{self._url}/{job['id']}", params=token, timeout=60)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def download(self, job: str, folder: Path) -> Path:
        """Download all products, page by page, and check size and SHA-256 of each."""
        query: dict[str, str] = {}
        while True:
            page = self.get(job, **query)
            for file in page["files"]:
                path = folder / job / file["name"]
                path.parent.mkdir(parents=True, exist_ok=True)
                content = requests.get(file["url"], timeout=600).content
                assert len(content) == file["bytes"], file["name"]
                assert file["sha256"] in (None, hashlib.sha256(content).hexdigest()), file["name"]
                path.write_bytes(content)
            if page["next"] is None:
                return folder / job
            query["after"] = page["files"][-1]["name"]

    def records(self, job: str) -> list[dict[str, Any]]:
        """Records of the bands that have ended."""
        return [json.loads(self._read(key)) for key in sorted(self._listing(job))]

    def stamps(self, job: str) -> dict[int, str]:
        """When the record of each band was written."""
        return {int(key.rsplit("/", 1)[1].partition(".")[0]): when for key, when in self._listing(job).items()}

    def _listing(self, job: str) -> dict[str, str]:
        pages = self._stack.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=keys.bulk_records(job)
        )
        return {each["Key"]: each["LastModified"].isoformat() for page in pages for each in page.get("Contents", [])}

    def _read(self, key: str) -> bytes:
        return self._stack.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()


class Killer(threading.Thread):
    """Kills workers that cut bands at random moments, until it has killed enough, or is told to stop.

    Parameters
    ----------
    stack
        The service.
    times
        Number of workers to kill.
    seed
        Seed of the moments and of the choice.
    longest
        Longest time between two of them, in seconds.
    """

    def __init__(self, stack: Stack, times: int, seed: int, longest: float = 3.0) -> None:
        super().__init__(daemon=True)
        self._stack, self._times, self._longest = stack, times, longest
        self._chance = random.Random(seed)
        self._ended = threading.Event()
        self.killed = 0

    def run(self) -> None:
        """Wait and kill."""
        while self.killed < self._times and not self._ended.wait(self._chance.uniform(0, self._longest)):
            # A worker that has not started has the id 0, which killpg takes for the group of this process.
            if pids := [pid for pid in self._stack.workers(WORKER) if pid]:
                with suppress(ProcessLookupError):
                    os.killpg(self._chance.choice(pids), signal.SIGKILL)
                    self.killed += 1

    def stop(self) -> None:
        """Kill no more."""
        self._ended.set()
        self.join()


def copy_cube(stack: Stack, cube_id: CubeId, path: Path) -> Path:
    """Copy the cube that is served to a local file."""
    pointer = stack.s3.get_object(Bucket=stack.bucket("CubeBucket"), Key=keys.current(cube_id))
    published = PublishedCube.model_validate_json(pointer["Body"].read())
    stack.s3.download_file(published.bucket, published.key, str(path))
    return path
