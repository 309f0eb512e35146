"""Writes the log and the metrics of ingest.

The metrics are ``SectorListings`` and ``BuildsStarted``, and those that have alarms: ``FramesRemoved``,
``FramesReplaced``, ``BuildsGivenUp`` and ``IngestErrors``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tessera_cloud.application.builds.identity import build_id
from tessera_cloud.application.ingest.ccds import CcdReport
from tessera_cloud.application.ingest.rules import Rest, Start, Wait
from tessera_cloud.application.ingest.sweeps import IngestLog
from tessera_cloud.observability import count, logger

if TYPE_CHECKING:
    from tessera_cloud.application.newest.list_frames import HasHeaders

_SHOWN = 20
"""Largest number of names in a log line. The manifests have all of them."""


def _about(report: CcdReport) -> dict[str, Any]:
    ccd_id, state = report.cube_id.ccd_id, report.state
    about: dict[str, Any] = {
        "product": report.cube_id.product,
        "sector": ccd_id.sector,
        "camera": ccd_id.camera,
        "ccd": ccd_id.ccd,
    }
    if state:
        about |= {"build_id": build_id(state.hash), "frames": state.n_frames, "bytes": state.total_bytes}
    return about


def _write_change(report: CcdReport) -> None:
    """Warn of removed or replaced frames, because frames are usually only added."""
    change = report.change
    if change is None or not (change.removed or change.replaced):
        return
    logger.warning(
        "frames removed or replaced",
        n_added=len(change.added),
        n_removed=len(change.removed),
        n_replaced=len(change.replaced),
        removed=change.removed[:_SHOWN],
        replaced=change.replaced[:_SHOWN],
        **_about(report),
    )
    count("FramesRemoved", len(change.removed))
    count("FramesReplaced", len(change.replaced))


def _write_report(report: CcdReport) -> None:
    about = _about(report)
    match report.action:
        case _ if report.error:
            logger.error("check failed", error=f"{type(report.error).__name__}: {report.error}", **about)
            count("IngestErrors")
        case Start():
            execution = report.state.execution if report.state else ""
            logger.info("build started", execution=execution, **about)
            count("BuildsStarted")
        case Wait(seconds):
            why = "builds that run" if report.queued else "more frames"
            logger.info("waiting", reason=why, seconds=round(seconds), **about)
        case Rest("gave up"):
            logger.error("no cube after several builds", **about)
            count("BuildsGivenUp")
        case Rest("superseded"):
            logger.warning("a cube of a later listing is current", **about)
        case Rest(reason):
            logger.debug("nothing to do", reason=reason, **about)


def write_log(log: IngestLog) -> None:
    """Write one line per batch, and one per CCD that waits, starts a build or fails."""
    for report in log.reports:
        _write_change(report)
        _write_report(report)
    for sweep, keys in log.strays.items():
        logger.warning("frames in the wrong place", sweep=str(sweep), n=len(keys), keys=keys[:_SHOWN])
    if log.junk:
        logger.warning("messages dropped", n=len(log.junk), beginnings=log.junk[:_SHOWN])
    for error in log.errors:
        logger.error("messages will arrive again", error=error)
    count("IngestErrors", len(log.errors))
    listed = [str(sweep) for sweep in log.listed]
    logger.info("batch done", listed=listed, checks_sent=log.checks_sent, errors=len(log.errors))
    count("SectorListings", len(listed))


def list_frames(backend: HasHeaders, has_time: Callable[[], bool]) -> dict[str, Any]:
    """Bring the index of frames up to date, and log what was done; see `tessera_cloud.application.newest.list_frames`.

    An error of one CCD does not stop the others. It is tried again by the next run.
    """
    from tessera_cloud.application.newest.list_frames import (  # noqa: PLC0415 - brings much that few events need
        FramesLog,
        list_frames_of_ccds,
    )

    log = FramesLog()
    try:
        list_frames_of_ccds(backend, has_time, log)
    finally:
        for name, reason in log.failed.items():
            logger.warning("the frames of a CCD cannot be cut before there is a cube", ccd=name, reason=reason)
        logger.info("frames listed", listed=log.listed, removed=log.removed, left=log.left)
    return {"listed": len(log.listed), "left": log.left}
