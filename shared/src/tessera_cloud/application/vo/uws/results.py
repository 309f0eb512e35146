"""Results of UWS jobs: the files of our jobs, and texts about what there is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tessera_cloud import keys
from tessera_cloud.application.backend import HasJobs
from tessera_cloud.application.jobs.archive import collect_records
from tessera_cloud.application.jobs.plans import read_plan
from tessera_cloud.application.jobs.records import JobRecord
from tessera_cloud.application.vo.uws.records import GENERAL, USAGE, UwsPart, UwsResult
from tessera_cloud.errors import ObjectMissingError

ZIP = "application/zip"
TEXT = "text/plain"
_STOPPED = "the work was stopped; make the job again"
_EXPIRED = "the results have expired; make the job again"


@dataclass
class Found:
    """What the parts of a UWS job have left.

    Parameters
    ----------
    files, texts : list of UwsResult
        Files, and texts about combinations without one.
    failures : list of str
        Reasons why files are missing that should be there.
    interrupted : bool
        Whether work was stopped before its end, so that the same job may make more at another time.
    """

    files: list[UwsResult] = field(default_factory=list)
    texts: list[UwsResult] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    interrupted: bool = False


def text_result(about: str, label: str, sentence: str) -> UwsResult:
    """A text about a combination without a file. `label` is one of the errors of SODA 1.0, such as ``UsageError``."""
    text = f"{label}: {sentence}\n"
    return UwsResult(name=f"{about}.txt", mime=TEXT, bytes=len(text.encode()), text=text)


def collect(parts: Sequence[UwsPart], records: Sequence[JobRecord | None], backend: HasJobs) -> Found:
    """Collect the results of parts that have ended. Names are unique."""
    found = Found()
    for part, record in zip(parts, records, strict=True):
        if part.job:
            _collect_job(part, record, found, backend)
        else:
            _collect_now(part, found)
    named = Counter[str]()
    for results in (found.files, found.texts):
        for place, result in enumerate(results):
            named[result.name] += 1
            number = named[result.name]
            if number > 1:
                results[place] = result.model_copy(update={"name": f"{number}-{result.name}"})
    return found


def _collect_now(part: UwsPart, found: Found) -> None:
    for result in part.results:
        (found.texts if result.text else found.files).append(result)
    for reason in part.failures:
        found.failures.append(reason)
        found.texts.append(text_result("failure", GENERAL, reason))


def _collect_job(part: UwsPart, record: JobRecord | None, found: Found, backend: HasJobs) -> None:
    outcome = record.outcome if record is not None and not record.cancelled else None
    try:
        plan = read_plan(backend.store, backend.settings.result_bucket, part.job)
    except ObjectMissingError:
        if outcome is not None and outcome.key:  # another service of ours made it, which keeps only the archive
            found.files.append(UwsResult(name="cutouts.zip", mime=ZIP, bytes=outcome.bytes, key=outcome.key))
            return
        _interrupt(outcome.reason if outcome else _STOPPED if record else _EXPIRED, found)
        return
    made, failed = collect_records(part.job, plan, backend)
    for cube in made:
        key = keys.job_file(part.job, cube.name)
        found.files.append(UwsResult(name=cube.name, mime=part.media, bytes=cube.bytes, key=key))
    if outcome is None or (outcome.status == "failed" and not outcome.n_failed and not outcome.nothing):
        _interrupt(outcome.reason if outcome else _STOPPED if record else _EXPIRED, found)
        return
    for cube in failed:
        found.failures.append(f"{cube.obs_id}: {cube.reason}")
        found.texts.append(text_result(cube.obs_id, GENERAL, cube.reason))
    known = {cube.obs_id for cube in (*made, *failed)}
    for name in part.cubes:
        if name not in known:
            sentence = f"{name} has no pixels there, or no cadence at that time"
            found.texts.append(text_result(name, USAGE, sentence))


def _interrupt(reason: str, found: Found) -> None:
    found.failures.append(reason)
    found.interrupted = True
