"""Starts UWS jobs: reads their parameters as SODA, writes the orders of cubes, and cuts images at once."""

from __future__ import annotations

from collections.abc import Mapping

from tessera.errors import InvalidValueError
from tessera_cloud import keys
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.images.order import ImageOrder
from tessera_cloud.application.jobs.work import cutouts
from tessera_cloud.application.vo.soda.orders import Placed, SodaResult, place
from tessera_cloud.application.vo.soda.parameters import parse_soda
from tessera_cloud.application.vo.uws.records import PENDING, SEVERAL, USAGE, UwsJob, UwsPart, UwsResult
from tessera_cloud.application.vo.uws.results import ZIP, text_result
from tessera_cloud.application.vo.uws.work import begin, fail
from tessera_cloud.errors import FatalError, MultiValuedError, UsageError

_FITS = "application/fits"
_MEDIA = {"zip": ZIP, "asdf": "application/asdf", "jpg": "image/jpeg", "png": "image/png"}


def run(job: UwsJob, backend: Backend) -> UwsJob:
    """Start a job that is pending. Wrong parameters make it fail, as any error of a job does.

    Parameters
    ----------
    job : UwsJob
        The job.
    backend : Backend
        Ports and settings.

    Returns
    -------
    UwsJob
        The job as it is then.

    Raises
    ------
    TooManyRequestsError
        If too many jobs are queued or run. The job is still pending.
    TransientError
        If something does not answer for now. The job is still pending.
    """
    from tessera_cloud.application.vo.soda.answer import check_images  # noqa: PLC0415 - brings astropy

    if job.phase != PENDING:
        return job
    try:
        wanted = parse_soda(as_mapping(job))
        if wanted.form == "zip":
            allowed = "application/fits, because a job has a result for each file"
            raise UsageError.about("RESPONSEFORMAT", wanted.media, allowed)
        placed = place(wanted, backend)
        check_images(placed)
        parts = _parts(placed, wanted.media or _FITS, backend)
    except (UsageError, InvalidValueError) as error:
        return fail(job, str(error), SEVERAL if isinstance(error, MultiValuedError) else USAGE, backend)
    return begin(job, parts, backend, cutouts(backend.settings))


def as_mapping(job: UwsJob) -> Mapping[str, list[str]]:
    """Parameters of a job: names in small letters, each with all its values."""
    found: dict[str, list[str]] = {}
    for name, value in job.parameters:
        found.setdefault(name.lower(), []).append(value)
    return found


def _parts(placed: Placed, media: str, backend: Backend) -> list[UwsPart]:
    """Parts of the work, of which those with images are done."""
    parts = [_part_of_order(order, media, backend) for order in placed.cutouts]
    parts += [_cut(order, media, backend) for order in placed.images]
    nothing = [result for result in placed.results if result.order is None]
    texts = tuple(text_result(f"nothing-{number}", USAGE, _nothing(each)) for number, each in enumerate(nothing, 1))
    return [*parts, UwsPart(results=texts)] if texts else parts


def _part_of_order(order: CutoutOrder, media: str, backend: Backend) -> UwsPart:
    backend.store.write(backend.settings.result_bucket, keys.job_order(order.id), order.model_dump_json().encode())
    cubes = tuple(cube.obs_id for cube in order.cubes)
    return UwsPart(job=order.id, token=backend.new_token(), cubes=cubes, media=media)


def _nothing(result: SodaResult) -> str:
    """Why a combination has no result."""
    shape = f"{result.shape.parameter}={result.shape.text}"
    return f"{result.given} has no pixels in {shape}, or none at that TIME, BAND or POL"


def _cut(order: ImageOrder, media: str, backend: Backend) -> UwsPart:
    """Cut images, and keep the file."""
    from tessera_cloud.application.images.answer import answer_images  # noqa: PLC0415 - most requests cut no images

    try:
        answer = answer_images(order, backend)
    except FatalError as error:
        return UwsPart(failures=(str(error),))
    if not answer.name:
        names = ", ".join(image.found.name for image in order.images)
        return UwsPart(results=(text_result("nothing", USAGE, f"{names} has no pixels there"),))
    key, suffix = answer.key, answer.name.rpartition(".")[2]
    if answer.data is not None:
        key = keys.image_result(order.id, f".{suffix}")
        backend.store.write(backend.settings.result_bucket, key, answer.data)
    # The size of a file that was made before is not known yet, and whoever loads it is charged for it.
    size = answer.n_bytes or backend.store.head(backend.settings.result_bucket, key).size
    mime = media if suffix == "fits" else _MEDIA.get(suffix, "application/octet-stream")
    failures = tuple(f"{failure.file}: {failure.reason}" for failure in answer.failures)
    file = UwsResult(name=answer.name, mime=mime, bytes=size, key=key)
    return UwsPart(results=(file,), failures=failures)
