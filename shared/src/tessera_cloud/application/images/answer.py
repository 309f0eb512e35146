"""Answers to requests for cutouts of images: one file, or an archive; inline, or where the client is sent to."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tessera_cloud import keys
from tessera_cloud.application import results
from tessera_cloud.application.backend import HasImages, HasStore
from tessera_cloud.application.images.cut import Made, cut_images
from tessera_cloud.application.images.files import FilePlan, Files, plan_files
from tessera_cloud.application.images.order import ImageOrder, Protocol
from tessera_cloud.application.results import ResultWriter, exists
from tessera_cloud.errors import FatalError

FAILURES = "failures.json"
"""Member of an archive that tells which files could not be cut."""
_BYTES = 4
_UNSAFE = re.compile(r"[^A-Za-z0-9_.+-]")
"""What keys may have and a header or a file system may not."""
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ImageFailure:
    """A file that could not be cut, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class ImageAnswer:
    """A file or an archive.

    Parameters
    ----------
    name : str
        File name of the answer; empty where there is nothing to cut.
    data : bytes or None
        Its content, where it is small.
    key : str
        Key of its object in the bucket of results, where it is large.
    n_cutouts, n_bytes : int
        Files in the answer, and its size, where it was made.
    cached : bool
        Whether it had been made before.
    failures : tuple of ImageFailure
        Images that could not be cut.
    """

    name: str = ""
    data: bytes | None = None
    key: str = ""
    n_cutouts: int = 0
    n_bytes: int = 0
    cached: bool = False
    failures: tuple[ImageFailure, ...] = ()


def _stem(order: ImageOrder) -> str:
    return order.protocol or (order.images[0].dataset if order.images else "images")


def _find_made(order: ImageOrder, plan: FilePlan, backend: HasStore) -> ImageAnswer | None:
    """A large answer that was made before."""
    if sum(image.pixels for image in order.images) * _BYTES <= results.INLINE_LIMIT:
        return None
    for suffix in (f".{order.request.form}", ".zip") if plan.is_file else (".zip",):
        key = keys.image_result(order.id, suffix)
        if exists(backend.store, backend.settings.result_bucket, key):
            return ImageAnswer(f"{_stem(order)}_cutout{suffix}", key=key, cached=True)
    return None


def _failures(several: Sequence[Made]) -> tuple[ImageFailure, ...]:
    failed = [made for made in several if made.reason]
    return tuple(ImageFailure(made.image.found.name, made.reason) for made in failed)


def _failures_file(failures: Sequence[ImageFailure], order: ImageOrder) -> Files:
    """Failures as a member of an archive; clients of MAST's protocols take every member for a file of theirs."""
    if not failures or order.protocol is not Protocol.OWN:
        return []
    document = {"failures": [asdict(failure) for failure in failures]}
    return [(FAILURES, json.dumps(document).encode())]


def _archive(files: Files, out: ResultWriter, order: ImageOrder) -> None:
    packed = zipfile.ZIP_STORED if order.request.is_picture else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w", packed) as archive:
        for name, data in files:
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = packed
            archive.writestr(info, data, compresslevel=1)


def answer_images(order: ImageOrder, backend: HasImages) -> ImageAnswer:
    """Make what an order asks for, unless it is there.

    Raises
    ------
    FatalError
        When none of the files could be read.
    """
    plan = plan_files(order)
    if found := _find_made(order, plan, backend):
        return found
    several = cut_images(order, backend)
    failures = _failures(several)
    with_pixels = [made for made in several if not made.is_empty]
    if not with_pixels:
        if failures:
            reasons = "; ".join(f"{failure.file}: {failure.reason}" for failure in failures[:5])
            raise FatalError(f"no image could be cut: {reasons}")
        return ImageAnswer()
    made = plan.build(with_pixels, order, backend.now().date())
    files = [(_UNSAFE.sub("_", name), data) for name, data in made]
    told = _failures_file(failures, order)
    alone = plan.is_file and len(files) == 1 and not told
    name = files[0][0] if alone else f"{_stem(order)}_cutouts.zip"
    key = keys.image_result(order.id, f".{order.request.form}" if alone else ".zip")
    with ResultWriter(backend.store, backend.settings.result_bucket, key) as out:
        if alone:
            out.write(files[0][1])
        else:
            _archive([*files, *told], out, order)
        data = out.finish()
        return ImageAnswer(name, data, "" if data is not None else key, len(files), out.n_bytes, failures=failures)
