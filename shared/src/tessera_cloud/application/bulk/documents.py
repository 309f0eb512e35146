"""Documents that the functions of a list leave for each other, beside its order."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, fields
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from tessera.bulk.target_rows import RowProblem, TargetRows
from tessera_cloud.application.jobs.records import JobRef
from tessera_cloud.contracts import Wire

_TEXTS = ("name", "sector_sets", "apertures")


class BulkItems(Wire):
    """Answer of plan_bulk: where the items of the distributed Map are, and how many tasks work at the same time."""

    bucket: str
    bands: str
    """Key of the items."""
    n_bands: int
    max_concurrency: Annotated[int, Field(ge=1)]
    refused: str = ""
    """Why the list cannot be worked on, in a sentence for the user; empty if it can."""


class FinishTask(JobRef):
    """Input of finish_bulk."""

    refused: str = ""
    """As in `BulkItems`."""


class LostCube(Wire):
    """A cube that may see targets and cannot be opened."""

    cube: str
    reason: str
    n_rows: int
    """Targets inside its footprint."""


class PlanDocument(Wire):
    """The plan of a list; ``plan.json``.

    Parameters
    ----------
    plan : dict
        Counts and price; see `tessera.bulk.plan.price.BulkPlan`.
    digest : str
        Hash of the bands and of the versions of their cubes. Records of bands name it, so records of an earlier plan do
        not count.
    n_bands : int
        Number of bands.
    lost : tuple of LostCube
        Cubes that the plan lacks.
    rows_at_once : int
        Rows of the list without a cutout, such as those on no cube: nothing is left to do for them.
    band_rows : tuple of float
        Rows of each band. A row with cutouts on three cubes counts a third in the band of each.
    """

    plan: dict[str, Any]
    digest: str
    n_bands: int
    lost: tuple[LostCube, ...] = ()
    rows_at_once: int = 0
    band_rows: tuple[float, ...] = ()


def rows_to_bytes(rows: TargetRows) -> bytes:
    """Write the rows of a list as a file (NumPy's npz). Names are looked up once, so later steps read them here."""
    names = [field.name for field in fields(rows)]
    arrays = {name: getattr(rows, name) for name in names if name not in {*_TEXTS, "problems"}}
    texts = {name: getattr(rows, name) for name in _TEXTS} | {"problems": [asdict(each) for each in rows.problems]}
    data = io.BytesIO()
    np.savez_compressed(data, texts=np.frombuffer(json.dumps(texts).encode(), np.uint8), **arrays)
    return data.getvalue()


def rows_from_bytes(data: bytes) -> TargetRows:
    """Read what `rows_to_bytes` wrote."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "texts"}
        texts = json.loads(archive["texts"].tobytes())
    return TargetRows(
        **arrays,
        name=tuple(texts["name"]),
        sector_sets=tuple(None if each is None else tuple(each) for each in texts["sector_sets"]),
        apertures=tuple(texts["apertures"]),
        problems=tuple(RowProblem(**each) for each in texts["problems"]),
    )
