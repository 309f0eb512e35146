"""What each stored document is, and the frozen contracts of the release before: JSON schemas of what it reads.

``.venv/bin/python -m tests.upgrade.contracts`` freezes those of this release.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tessera_cloud.application.bulk.documents import PlanDocument
from tessera_cloud.application.bulk.order import BandRecord, BandTask, BulkOrder
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.images.messages import DatasetIndex, ImageListing, ImageOutcome, ImageTask
from tessera_cloud.application.index.messages import CubeListing, CubeOutcome, CubeTask
from tessera_cloud.application.index.withdrawn import Withdrawals
from tessera_cloud.application.ingest.rules import CcdState
from tessera_cloud.application.ingest.sweeps import SweepState
from tessera_cloud.application.jobs.plans import CubeRecord, JobPlan
from tessera_cloud.application.jobs.queue import JobQueue
from tessera_cloud.application.jobs.records import JobRecord
from tessera_cloud.application.switch import Switch
from tessera_cloud.contracts import BlockRecord, CubePlan, FailureNote, PublishedCube, UploadRecord, Wire

FROZEN = Path(__file__).with_name("contracts.json")
KINDS: dict[str, type[Wire]] = {
    r"cubes/builds/[^/]+/[^/]+/plan\.json": CubePlan,
    r"cubes/builds/[^/]+/[^/]+/upload\.json": UploadRecord,
    r"cubes/builds/[^/]+/[^/]+/failure\.json": FailureNote,
    r"cubes/builds/[^/]+/[^/]+/blocks/\d+\.json": BlockRecord,
    r"cubes/cubes/[^/]+/current\.json": PublishedCube,
    r"cubes/index/footprints\.json": PublishedCube,
    r"cubes/index/withdrawn\.json": Withdrawals,
    r"cubes/index/runs/run-\d+/listing\.json": CubeListing,
    r"cubes/index/runs/run-\d+/cubes\.json": CubeTask,
    r"cubes/index/runs/run-\d+/rows/[^/]+\.json": CubeOutcome,
    r"cubes/index/runs/images-[^/]+/listing\.json": ImageListing,
    r"cubes/index/runs/images-[^/]+/images\.json": ImageTask,
    r"cubes/index/runs/images-[^/]+/rows/\d+\.json": ImageOutcome,
    r"cubes/images/index/[^/]+\.json": DatasetIndex,
    r"results/jobs/[^/]+/order\.json": CutoutOrder,
    r"results/jobs/[^/]+/plan\.json": JobPlan,
    r"results/jobs/[^/]+/records/\d+\.json": CubeRecord,
    r"results/bulk/[^/]+/order\.json": BulkOrder,
    r"results/bulk/[^/]+/plan\.json": PlanDocument,
    r"results/bulk/[^/]+/bands\.json": BandTask,
    r"results/bulk/[^/]+/records/\d+\.json": BandRecord,
    r"table/ccd/.+": CcdState,
    r"table/sweep/.+": SweepState,
    r"table/job/.+": JobRecord,
    r"table/jobs/(queue|lists)": JobQueue,
    r"table/switch/service": Switch,
}
"""Pattern of a name below its store to the contract. Lists and the columns of the index hold one document per row."""
OTHERS = re.compile(
    r"cubes/(cubes/.*\.fits|sidecars/.*|images/datasets\.json|ingest/.*|images/files/.*)"
    r"|cubes/builds/[^/]+/(generation\.json|[^/]+/[a-z-]+)"
    r"|results/bulk/[^/]+/(list|lost\.csv|rows\.npz|(bands|status|products)/.*)"
    r"|(frames|results/jobs/[^/]+)/.*\.fits|executions\.json|table/canary/.*"
)
"""Names of other objects: FITS files, headers, counters, lists without fields, what operators write, and products."""


def contract_of(name: str) -> type[Wire] | None:
    """Contract of a document by its name; None for other objects."""
    below = name.split("/", 1)[1]
    found = [kind for pattern, kind in KINDS.items() if re.fullmatch(pattern, below)]
    assert found or OTHERS.fullmatch(below), f"{below} has no contract: add it to KINDS"
    return found[0] if found else None


def rows_of(data: bytes) -> list[dict[str, Any]]:
    """Documents in an object: of a list, its items; of the index, its rows; of any other object, the object."""
    content: Any = json.loads(data)
    if isinstance(content, list):
        return content
    if "obs_id" in content and isinstance(content["obs_id"], list):
        rows = zip(*content.values(), strict=True)
        return [dict(zip(content, row, strict=True)) for row in rows]
    return [content]


def schemas() -> dict[str, Any]:
    """JSON schema of every contract, by name."""
    return {kind.__name__: kind.model_json_schema(mode="validation") for kind in KINDS.values()}


if __name__ == "__main__":
    FROZEN.write_text(json.dumps(schemas(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
