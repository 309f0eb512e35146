"""Answers to requests for cutouts of images: one file, or an archive; inline, or where the client is sent to."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tessera.images.names import different_names
from tessera_cloud import keys
from tessera_cloud.application import results
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.images.cut import Made, cut_images, make_colours, make_file, make_mean
from tessera_cloud.application.images.order import ImageOrder
from tessera_cloud.application.images.zcut_hapcut import hapcut_files, zcut_files
from tessera_cloud.application.results import ResultWriter, exists
from tessera_cloud.errors import FatalError
from tessera_cloud.observability import logger

FAILURES = "failures.json"
"""Member of an archive that tells which files could not be cut."""
_BYTES = 4
_UNSAFE = re.compile(r"[^A-Za-z0-9_.+-]")
"""What keys may have and a header or a file system may not."""
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ImageAnswer:
    """A file or an archive.

    Parameters
    ----------
    name : str
        Of it; empty where there is nothing to cut.
    data : bytes or None
        It, when it is small.
    key : str
        Where it is in the bucket of results, when it is not.
    n_cutouts, n_bytes : int
        Files in it, and its size, where it was made.
    cached : bool
        Whether it had been made before.
    """

    name: str = ""
    data: bytes | None = None
    key: str = ""
    n_cutouts: int = 0
    n_bytes: int = 0
    cached: bool = False


def _is_one(order: ImageOrder) -> bool:
    """Whether the answer is a file and no archive, if nothing fails."""
    request = order.request
    colours = request.form in ("png", "jpg") and len(request.bands) == 3
    alone = len(order.images) == 1 and (request.form in ("fits", "asdf") or len(order.images[0].extensions) < 2)
    return not order.protocol and (request.combine or colours or alone)


def _stem(order: ImageOrder) -> str:
    return order.protocol or (order.images[0].dataset if order.images else "images")


def _find_made(order: ImageOrder, backend: Backend) -> ImageAnswer | None:
    """A large answer that was made before."""
    if sum(image.pixels for image in order.images) * _BYTES <= results.INLINE_LIMIT:
        return None
    for suffix in (f".{order.request.form}", ".zip"):
        key = keys.image_result(order.id, suffix)
        if exists(backend.store, backend.settings.result_bucket, key):
            return ImageAnswer(f"{_stem(order)}_cutout{suffix}", key=key, cached=True)
    return None


def _files(
    several: Sequence[Made], order: ImageOrder, surveys: Mapping[str, str], day: date
) -> list[tuple[str, bytes]]:
    if order.protocol == "zcut":
        return zcut_files(several, surveys, order, day)
    if order.protocol == "hapcut":
        return hapcut_files(several, order, day)
    if order.request.combine:
        return [make_mean(several, order, day)]
    if order.request.form in ("png", "jpg") and len(order.request.bands) == 3:
        return [make_colours(several, order)]
    files = [file for made in several for file in make_file(made, order, day)]
    names = different_names([name for name, _ in files])
    return [(name, data) for name, (_, data) in zip(names, files, strict=True)]


def _tell_failures(several: Sequence[Made], order: ImageOrder) -> list[tuple[str, bytes]]:
    """Failures as a member of an archive; clients of MAST's protocols take every member for a file of theirs."""
    failed = [{"file": made.image.found.name, "reason": made.reason} for made in several if made.reason]
    if failed:
        logger.warning("images cannot be cut", failures=failed[:20])
    return [(FAILURES, json.dumps({"failures": failed}).encode())] if failed and not order.protocol else []


def _archive(files: Sequence[tuple[str, bytes]], out: ResultWriter, order: ImageOrder) -> None:
    packed = zipfile.ZIP_STORED if order.request.form in ("png", "jpg") else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w", packed) as archive:
        for name, data in files:
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = packed
            archive.writestr(info, data, compresslevel=1)


def answer_images(order: ImageOrder, backend: Backend, surveys: Mapping[str, str] | None = None) -> ImageAnswer:
    """Make what an order asks for, unless it is there.

    Parameters
    ----------
    order : ImageOrder
        What is wanted.
    backend : Backend
        Ports.
    surveys : mapping, optional
        Survey of the Zcut protocol by name of the dataset.

    Raises
    ------
    FatalError
        When none of the files could be read.
    """
    if found := _find_made(order, backend):
        return found
    several = cut_images(order, backend)
    with_pixels = [made for made in several if not made.is_empty]
    if not with_pixels:
        reasons = [f"{made.image.found.name}: {made.reason}" for made in several if made.reason]
        if reasons:
            raise FatalError(f"no image could be cut: {'; '.join(reasons[:5])}")
        return ImageAnswer()
    made_files = _files(with_pixels, order, surveys or {}, backend.now().date())
    files = [(_UNSAFE.sub("_", name), data) for name, data in made_files]
    told = _tell_failures(several, order)
    one = _is_one(order) and len(files) == 1 and not told
    name = files[0][0] if one else f"{_stem(order)}_cutouts.zip"
    key = keys.image_result(order.id, f".{order.request.form}" if one else ".zip")
    with ResultWriter(backend.store, backend.settings.result_bucket, key) as out:
        if one:
            out.write(files[0][1])
        else:
            _archive([*files, *told], out, order)
        data = out.finish()
        return ImageAnswer(name, data, "" if data is not None else key, len(files), out.n_bytes)
