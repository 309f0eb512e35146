"""Answers to requests for cutouts of images: one file or an archive, sent inline or stored in the bucket of results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tessera.io.deflate import zip_pieces
from tessera.provenance.crate import Crate
from tessera_cloud import keys
from tessera_cloud.application import results
from tessera_cloud.application.backend import HasImages, HasStore
from tessera_cloud.application.images.order import ImageOrder, Protocol
from tessera_cloud.application.results import ResultWriter, exists
from tessera_cloud.errors import FatalError, ObjectMissingError

if TYPE_CHECKING:
    from tessera_cloud.application.images.cut import Made
    from tessera_cloud.application.images.files import FilePlan, Files

FAILURES = "failures.json"
"""Member of an archive that lists the files that could not be cut."""
_BYTES = 4
_UNSAFE = re.compile(r"[^A-Za-z0-9_.+-]")
"""Characters that keys may have, but that are unsafe in headers and file names."""


@dataclass(frozen=True)
class ImageFailure:
    """A file that could not be cut, with the reason."""

    file: str
    reason: str


@dataclass(frozen=True)
class ImageAnswer:
    """A file or an archive; without a name if no image has pixels.

    Parameters
    ----------
    name : str
        File name of the answer; empty if there is nothing to cut.
    data : bytes or None
        Content of a small answer; None for a large one.
    key : str
        Key of a large answer in the bucket of results; empty for a small one.
    n_cutouts, n_bytes : int
        Number of files in the answer, and its size in bytes. Both are 0 if the answer was found.
    cached : bool
        Whether an earlier request had made the answer.
    failures : tuple of ImageFailure
        Files that could not be cut.
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


def _stored_name(order: ImageOrder, suffix: str) -> str:
    """Name of a large answer that is found again, where the size of a shape's box is not known."""
    if not order.request.area:
        return f"{_stem(order)}_cutout{suffix}"
    from tessera.images.names import file_stem  # noqa: PLC0415 - imports astropy

    request = order.request
    return f"{file_stem(order.images[0].found.name)}_{request.ra:.7f}_{request.dec:.7f}_cutout{suffix}"


def _find_made(order: ImageOrder, plan: FilePlan, backend: HasStore) -> ImageAnswer | None:
    """Find a large answer that an earlier request has made; None if there is none."""
    if sum(image.pixels for image in order.images) * _BYTES <= results.INLINE_LIMIT:
        return None
    for suffix in (f".{order.request.form}", ".zip") if plan.is_file else (".zip",):
        key = keys.image_result(order.id, suffix)
        if exists(backend.store, backend.settings.result_bucket, key):
            return ImageAnswer(_stored_name(order, suffix), key=key, cached=True)
    return None


def _failures(several: Sequence[Made]) -> tuple[ImageFailure, ...]:
    failed = [made for made in several if made.reason]
    return tuple(ImageFailure(made.image.found.name, made.reason) for made in failed)


def _failures_file(failures: Sequence[ImageFailure], order: ImageOrder) -> Files:
    """List of failures as a member of an archive. Clients of MAST's protocols get none: they expect only cutouts."""
    if not failures or order.protocol is not Protocol.OWN:
        return []
    document = {"failures": [asdict(failure) for failure in failures]}
    return [(FAILURES, json.dumps(document).encode())]


def _archive(files: Files, order: ImageOrder, backend: HasImages) -> Iterator[bytes]:
    """Bytes of an archive. Clients of MAST's protocols get no description of the files: they expect only cutouts."""
    members = ((name, [content], len(content)) for name, content in files)
    own = order.protocol is Protocol.OWN
    described = Crate(backend.now().date()).describe(members) if own else members
    return zip_pieces(described, stored=order.request.is_picture)


def answer_images(order: ImageOrder, backend: HasImages) -> ImageAnswer:
    """Make the answer to an order, unless an earlier request has made it.

    Raises
    ------
    ObjectMissingError
        If no file has pixels, and one is not where the index says.
    FatalError
        If files could not be read and no other file has pixels.
    """
    from tessera_cloud.application.images.files import plan_files  # noqa: PLC0415 - imports astropy; most requests search

    plan = plan_files(order)
    if found := _find_made(order, plan, backend):
        return found
    from tessera_cloud.application.images.cut import cut_images  # noqa: PLC0415 - imports astropy, see above

    several = cut_images(order, backend)
    failures = _failures(several)
    with_pixels = [made for made in several if not made.is_empty]
    if not with_pixels:
        if failures:
            reasons = "; ".join(f"{failure.file}: {failure.reason}" for failure in failures[:5])
            kind = ObjectMissingError if any(made.gone for made in several) else FatalError
            raise kind(f"no image could be cut: {reasons}")
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
            out.writelines(_archive([*files, *told], order, backend))
        data = out.finish()
        if data is None and order.request.area:
            name = _stored_name(order, f".{order.request.form}")
        return ImageAnswer(name, data, "" if data is not None else key, len(files), out.n_bytes, failures=failures)
