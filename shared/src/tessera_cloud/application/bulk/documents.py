"""Documents of a list that its functions leave for each other, beside those of the order."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tessera_cloud.contracts import Wire


class BulkItems(Wire):
    """Answer of plan_bulk: where the items of the distributed Map are, and how many tasks work at the same time."""

    bucket: str
    bands: str
    """Key of the items."""
    results: str
    """Prefix below which Step Functions writes how the tasks ended."""
    n_bands: int
    max_concurrency: Annotated[int, Field(ge=1)]
