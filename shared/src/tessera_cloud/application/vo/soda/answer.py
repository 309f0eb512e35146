"""Answers requests of SODA while the client waits: with one file, or with an archive."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TypeAlias

from tessera.provenance.crate import Crate
from tessera_cloud import keys
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutouts.answer import (
    CutoutAnswer,
    Making,
    answer_file,
    answer_once,
    plan_cutouts,
    write_zip,
)
from tessera_cloud.application.cutouts.order import SYNC_BYTES, CutoutOrder
from tessera_cloud.application.cutouts.planned import Planned
from tessera_cloud.application.cutouts.target import TPF_BYTES
from tessera_cloud.application.images.answer import ImageAnswer, answer_images
from tessera_cloud.application.images.order import MOST_PACKED_BYTES, MOST_PIXELS
from tessera_cloud.application.results import order_id
from tessera_cloud.application.vo.soda.orders import Placed
from tessera_cloud.application.vo.soda.parameters import SodaRequest
from tessera_cloud.errors import TooLargeError, UsageError
from tessera_cloud.settings import Settings

Sleep: TypeAlias = Callable[[float], None]
Ordered: TypeAlias = tuple[CutoutOrder, Planned]

ARCHIVE = "soda.zip"
"""File name of archives."""
_IMAGE_BYTES = 4
"""Bytes of a pixel of an image, about."""


def check_images(placed: Placed) -> None:
    """Refuse images that cannot be cut in the time of a request, as images always are.

    Raises
    ------
    TooLargeError
        Saying what is allowed.
    """
    packed = sum(image.found.size for order in placed.images for image in order.images if image.whole)
    for n, most, what in (
        (_pixels(placed), MOST_PIXELS, "pixels"),
        (packed, MOST_PACKED_BYTES, "bytes of packed files"),
    ):
        if n > most:
            value, allowed = f"{n:,} {what} of images in all", f"at most {most:,}; ask for them one by one"
            raise TooLargeError(f"the request is for {value}; allowed: {allowed}", value=value, allowed=allowed)


def _pixels(placed: Placed) -> int:
    """Pixels of all cutouts of images, about."""
    return sum(image.pixels for order in placed.images for image in order.images)


def check_sync(placed: Placed, settings: Settings) -> None:
    """Refuse what takes longer than a client can wait.

    Raises
    ------
    TooLargeError
        Saying that ``/soda/async`` makes it.
    """
    check_images(placed)
    n_bytes = sum(order.n_bytes for order in placed.cutouts)
    if n_bytes > SYNC_BYTES or any(order.is_heavy(settings) for order in placed.cutouts):
        pixels, number = max((max(order.pixels), number) for number, order in enumerate(placed.cutouts))
        parameter = placed.cutouts[number].request.target.sized_by
        value = f"about {pixels:,} pixels in a cutout, {n_bytes:,} bytes of files"
        allowed = f"at most {settings.max_sync_pixels:,} pixels, {SYNC_BYTES:,} bytes"
        message = f"{parameter} is too large for /soda/sync, {value}; allowed: {allowed}. /soda/async makes larger ones"
        raise TooLargeError(message, parameter=parameter, value=value, allowed=allowed)


def answer_soda(request: SodaRequest, placed: Placed, backend: Backend, sleep: Sleep | None = None) -> ImageAnswer:
    """Make the answer to a request, unless it is there.

    Parameters
    ----------
    request : SodaRequest
        What is wanted.
    placed : Placed
        Its orders.
    backend : Backend
        Ports and caches.
    sleep : callable, optional
        See `tessera_cloud.application.cutouts.answer.answer_once`.

    Returns
    -------
    ImageAnswer
        One file, or an archive; without a name if nothing has pixels.

    Raises
    ------
    UsageError
        If there are several files, and one is asked for.
    """
    cubes = [(order, item) for order in placed.cutouts for item in plan_cutouts(order, backend)]
    images = [made for order in placed.images if (made := answer_images(order, backend)).name]
    n_files = len(cubes) + len(images)
    if not n_files:
        return ImageAnswer()
    if n_files > 1 and request.form == "fits":
        allowed = f"application/zip, because there are {n_files} files"
        raise UsageError.about("RESPONSEFORMAT", request.media, allowed)
    if n_files == 1 and request.form != "zip":
        if images:
            return images[0]
        order, item = cubes[0]
        return _named(item.file_name, 1, answer_file(order, item, backend, sleep))
    return _archive(placed, cubes, images, backend, sleep)


def _archive(
    placed: Placed, cubes: Sequence[Ordered], images: Sequence[ImageAnswer], backend: Backend, sleep: Sleep | None
) -> ImageAnswer:
    """All files."""
    store, bucket = backend.store, backend.settings.result_bucket

    def write(out: io.RawIOBase) -> tuple[str, ...]:
        others = [(made.name, store.read(bucket, made.key)[0] if made.data is None else made.data) for made in images]
        write_zip([item for _, item in cubes], out, store, others, Crate(backend.now().date()))
        return tuple(item.published.obs_id for _, item in cubes) + tuple(made.name for made in images)

    ids = [order.id for order in placed.cutouts] + [order.id for order in placed.images]
    made_of = ids[0] if placed.cutouts and len(ids) == 1 else order_id(*ids)
    n_bytes = sum(item.n_values for _, item in cubes) * TPF_BYTES + _pixels(placed) * _IMAGE_BYTES
    making = Making(made_of, keys.result(made_of), n_bytes, write)
    return _named(ARCHIVE, len(cubes) + len(images), answer_once(making, backend, sleep))


def _named(name: str, n_files: int, answer: CutoutAnswer) -> ImageAnswer:
    if answer.cached:
        return ImageAnswer(name, answer.data, answer.key, cached=True)
    return ImageAnswer(name, answer.data, answer.key, n_files, answer.n_bytes)
