"""Images of other missions that a service has: its datasets, what sees a place, and cutouts."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import unquote, urlsplit

from astropy import units as u
from astropy.io import fits

from tessera.checks import check_choice, check_integer, check_number_range, check_switch
from tessera.client.cuts.archives import is_safe, save, unpack
from tessera.client.cuts.cutting import settle_position
from tessera.client.cuts.orders import split_size
from tessera.client.image_records import FoundImages, ImageDataset
from tessera.client.places import TargetInput, check_name, check_radius
from tessera.client.wire.documents import Fields, ask, each
from tessera.client.wire.exchange import exchange, not_a_service
from tessera.client.wire.failures import DamagedAnswerError
from tessera.client.wire.steps import Answer, Send, Service, Steps, work
from tessera.cutouts.results import Size
from tessera.errors import InvalidInputError, InvalidQueryError, shown
from tessera.images.names import replaceable
from tessera.io.outputs import output_folder
from tessera.io.sources import Location
from tessera.io.temporary import largest_temporary

ImageFormat: TypeAlias = Literal["fits", "asdf", "png", "jpg"]
ImageStretch: TypeAlias = Literal["asinh", "sinh", "sqrt", "log", "linear"]
_DATASET = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_SUFFIXES = (".fits", ".asdf", ".png", ".jpg", ".json")
_FAILURES = "failures.json"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class ServiceImage:
    """A cutout of images, or the reason why a file could not be cut.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    status : {'ok', 'error'}
        Outcome.
    reason : str
        Why there is no cutout.
    name : str
        Name of the cutout; with an error, name of the file that could not be cut.
    data : bytes or None
        Content, if no folder was given.
    path : Path or None
        Path, if a folder was given.
    """

    dataset: str
    status: Literal["ok", "error"]
    reason: str
    name: str
    data: bytes | None = field(default=None, repr=False)
    path: Path | None = None

    @property
    def hdus(self) -> fits.HDUList:
        """A FITS cutout as an HDUList, in memory.

        Raises
        ------
        InvalidQueryError
            When there is no cutout, or it is no FITS file.
        """
        content = self.path.read_bytes() if self.path is not None else self.data
        if content is None or not content.startswith(b"SIMPLE  ="):
            raise InvalidQueryError(f"{self.name} is no FITS file{f': {self.reason}' if self.reason else ''}")
        return fits.open(io.BytesIO(content), memmap=False)


class ImageOperations:
    """Operations on images, as steps for a transport."""

    service: Service

    def datasets(self) -> Steps[list[ImageDataset]]:
        """List the datasets of images.

        Returns
        -------
        list of ImageDataset
            All datasets.

        Raises
        ------
        ServiceError
            When the service cannot answer.
        """
        return ask(self.service.get("/v1/images"), self.service, each("datasets", ImageDataset.read))

    def image_search(
        self, target: TargetInput, radius: float = 0.0, *, dataset: str | None = None, limit: int = 100
    ) -> Steps[FoundImages]:
        """Find the files whose images see a place.

        Parameters
        ----------
        target : (ra, dec), SkyCoord or str
            Position in degrees, or name.
        radius : float, optional
            Radius in degrees, at most 30.
        dataset : str, optional
            Name of one dataset; all by default.
        limit : int, optional
            Largest number of files, 1 to 1000.

        Returns
        -------
        FoundImages
            The files, and whether these are all.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        ServiceError
            When the service cannot answer.
        """
        query = {"radius": check_radius(radius), "limit": check_integer("limit", limit, 1, 1000)}
        chosen = None if dataset is None else check_dataset(dataset)
        place = yield from settle_position(target, self.service)
        request = self.service.get("/v1/images/search", ra=place.ra, dec=place.dec, **query, dataset=chosen)
        return (yield from ask(request, self.service, FoundImages.read))

    def image_cutouts(
        self,
        dataset: str,
        target: TargetInput,
        size: Size = 100,
        *,
        format: ImageFormat = "fits",  # noqa: A002 - the name of the parameter in the API
        bands: str | Iterable[str] | None = None,
        combine: Literal["mean"] | None = None,
        full: bool = False,
        stretch: ImageStretch | None = None,
        percent: tuple[float, float] | None = None,
        values: tuple[float, float] | None = None,
        invert: bool = False,
        output_dir: Location | None = None,
    ) -> Steps[list[ServiceImage]]:
        """Cut a position out of all images of a dataset that have pixels there.

        Parameters
        ----------
        dataset : str
            Name of the dataset.
        target : (ra, dec), SkyCoord or str
            Position in degrees, or name.
        size : int, (int, int) or Quantity, optional
            Size in pixels or as angle: one value for both axes, or (rows, columns).
        format : {'fits', 'asdf', 'png', 'jpg'}, optional
            Format of the cutouts.
        bands : str or list of str, optional
            Only these bands; three bands and a picture make red, green and blue.
        combine : 'mean', optional
            Makes one FITS file with the mean of images that share a grid.
        full : bool, optional
            Whether an ASDF file has the whole tree.
        stretch : {'asinh', 'sinh', 'sqrt', 'log', 'linear'}, optional
            Stretch of pictures.
        percent, values : (float, float), optional
            Percentiles, or values of pixels, that become black and white in pictures.
        invert : bool, optional
            Whether black and white are exchanged in pictures.
        output_dir : str or Path, optional
            Folder of the files. Without it, the results contain them as bytes. Other kinds of files are not replaced.

        Returns
        -------
        list of ServiceImage
            The cutouts, and the files that could not be cut.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        NothingFoundError
            When there is no such dataset, or none of its images has pixels there.
        ServiceError
            When the service cannot make the cutouts.
        """
        name, query = check_dataset(dataset), {"size": size_text(size)}
        query["format"] = check_choice("format", format, get_args(ImageFormat))
        query |= _look(stretch, percent, values, invert)
        query |= {} if bands is None else {"bands": _bands(bands)}
        query |= {} if combine is None else {"combine": check_choice("combine", combine, ("mean",))}
        query |= {"full": "true"} if check_switch("full", full) else {}
        folder = output_folder(output_dir)
        place = yield from settle_position(target, self.service)
        request = self.service.get(f"/v1/images/{name}/cutout", ra=place.ra, dec=place.dec, **query)
        with (yield from exchange(Send("GET", request.url, most=largest_temporary()), self.service)) as answer:
            return (yield from work(lambda: _files(answer, name, folder, self.service)))


def check_dataset(dataset: object) -> str:
    """Return the name of a dataset, or raise `InvalidInputError`."""
    if not isinstance(dataset, str) or not _DATASET.fullmatch(dataset):
        raise InvalidInputError("dataset", dataset, "the name of a dataset; `datasets()` lists them")
    return dataset


def size_text(size: Size) -> str:
    """Text of a size as the service reads it: ``100``, ``100,200`` or ``0.1,0.2d``.

    Raises
    ------
    InvalidInputError
        When it is no size.
    """
    sides, angles = split_size(size)
    numbers = [
        float(side.to_value(u.deg) if angles else side.value) if isinstance(side, u.Quantity) else float(side)
        for side in sides
    ]
    most = 58.0 if angles else 10_000.0
    texts = [f"{number:.9f}".rstrip("0").rstrip(".") for number in numbers]
    if not all(0 < float(text) <= most for text in texts):
        raise InvalidInputError("size", size, "at most 10,000 pixels or 58 degrees, and more than 0")
    return ",".join(texts if texts[0] != texts[1] else texts[:1]) + ("d" if angles else "")


def _look(stretch: object, percent: Any, values: Any, invert: object) -> dict[str, str]:
    """Parameters of pictures."""
    look = {} if stretch is None else {"stretch": check_choice("stretch", stretch, get_args(ImageStretch))}
    for name, pair in (("percent", percent), ("values", values)):
        if pair is not None:
            low, high = check_number_range(name, pair, "of black and white")
            look[name] = f"{low:.12g},{high:.12g}"
    return look | ({"invert": "true"} if check_switch("invert", invert) else {})


def _bands(bands: str | Iterable[str]) -> str:
    words = bands.split(",") if isinstance(bands, str) else list(bands)
    return ",".join(check_name("bands", word) for word in words)


def _file_name(answer: Answer) -> str:
    """Name that an answer has for its file; the last part of its path, if it says none."""
    message = Message()
    message["Content-Disposition"] = answer.headers.get("content-disposition", "")
    return message.get_filename() or unquote(urlsplit(answer.request.url).path.rpartition("/")[2])


def _files(answer: Answer, dataset: str, folder: Path | None, service: Service) -> list[ServiceImage]:
    answer.file.seek(0)
    if answer.file.read(len(_ZIP)) == _ZIP:
        files = unpack(answer, folder, _SUFFIXES, replaceable, apart=_FAILURES)
    elif answer.kind in ("text/html", "application/json"):
        raise not_a_service(answer, service, f"{answer.kind} instead of an image")
    else:
        name = _file_name(answer)
        if not is_safe(name, _SUFFIXES):
            raise DamagedAnswerError(f"{answer.where} sends a file of the name {shown(name)}, which is not written")
        files = [(name, save(answer, folder, name, replaceable))]
    results = []
    for name, content in files:
        if name == _FAILURES:
            results += _failures(content, dataset, answer)
        else:
            data, path = (content, None) if isinstance(content, bytes) else (None, content)
            results.append(ServiceImage(dataset, "ok", "", name, data, path))
    return results


def _failures(content: bytes | Path, dataset: str, answer: Answer) -> list[ServiceImage]:
    assert isinstance(content, bytes)
    try:
        items = each("failures", lambda item: (item.text("file"), item.text("reason")))(Fields(json.loads(content)))
    except (ValueError, RecursionError) as error:
        raise DamagedAnswerError(f"{answer.where} sends a list of failures that cannot be read: {error}") from error
    return [ServiceImage(dataset, "error", reason, file) for file, reason in items]
