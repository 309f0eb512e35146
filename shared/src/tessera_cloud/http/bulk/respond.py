"""Shows a list as our API does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tessera_cloud import keys
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.bulk.order import BandFile
from tessera_cloud.application.bulk.status import ListState
from tessera_cloud.http.bulk.models import ListFile, ListJob, ListPlan, ListProgress
from tessera_cloud.http.charging import charge_more
from tessera_cloud.http.cutouts.wait_routes import LISTS_PATH
from tessera_cloud.http.framework.answers import iso, result_url
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import Request


def to_list(
    state: ListState, request: Request, *, plan: Mapping[str, Any] | None = None, after: str = "", limit: int
) -> ListJob:
    """A list with a page of its products.

    Parameters
    ----------
    state : ListState
        The list.
    request : Request
        Request of the client, who is charged for the products on the page.
    plan : mapping, optional
        Plan of a list that has none yet.
    after : str, optional
        Name of the last product of the page before.
    limit : int
        Largest number of products.
    """
    record, outcome = state.status.record, state.status.record.outcome
    page, last = state.page(after, limit) if limit else ((), "")
    if page:
        charge_more(request, sum(file.bytes for file in page), f"{record.id}/{after}")
    plan, path = state.plan or plan, f"{LISTS_PATH}/{record.id}"
    whole = outcome is not None and bool(outcome.key)
    return ListJob(
        id=record.id,
        status=state.status.phase,
        phase=state.phase,
        created=iso(record.created),
        attempt=record.attempt,
        turn=state.status.turn or None,
        progress=_progress(state, plan),
        eta_seconds=None if state.seconds_left is None else round(state.seconds_left),
        reason=state.status.reason or None,
        plan=None if plan is None else ListPlan.model_validate(plan),
        files=[_file(file, record.id, request.services) for file in page],
        next=link(request.base, path, after=last, limit=limit) if last else None,
        status_url=result_url(request.services, keys.bulk_statuses(record.id), "status.csv") if whole else None,
        manifest_url=result_url(request.services, keys.bulk_manifest(record.id), "manifest.json") if whole else None,
        expires=iso(record.kept_until) if record.ended else None,
        cancel_token=state.status.token or None,
        url=link(request.base, path),
        wait_url=link(request.base, f"{path}/wait"),
    )


def _progress(state: ListState, plan: Mapping[str, Any] | None) -> ListProgress:
    known = plan or {}
    return ListProgress(
        rows=known.get("rows"),
        rows_done=state.rows_done,
        cutouts=known.get("cutouts") if state.cutouts is None else state.cutouts,
        done=state.done,
        failed=state.failed,
        no_overlap=state.no_overlap,
        bands=known.get("bands"),
        bands_done=state.bands_done,
    )


def _file(file: BandFile, job_id: str, backend: Backend) -> ListFile:
    key = f"{keys.bulk_products(job_id)}{file.name}"
    url = result_url(backend, key, file.name.rsplit("/", 1)[-1])
    return ListFile(name=file.name, bytes=file.bytes, sha256=file.sha256 or None, url=url)
