"""Files of FITS images: find extensions, read headers, and read the pixels of a part of an image."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.errors import ImageFormatError, InvalidInputError
from tessera.images.wcs import clean_header, read_image_wcs, table_records
from tessera.io.file_objects import ImageInput, SourceFile, open_image_source
from tessera.io.ranges import ByteRange

if TYPE_CHECKING:
    from tessera.io.sources import Source

_PIXEL_CARDS = ("BSCALE", "BZERO", "BLANK")
_POINTER = re.compile(r"\d*[PQ]([A-Z])")
_ITEM_BYTES = {"B": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8}
_TABLES = frozenset({"WCSDVARR", "D2IMARR"})


def check_extension(extension: Any) -> Literal["all"] | list[int | str] | None:
    """Convert a user's choice of extensions to None (the first image), 'all' or a list.

    Raises
    ------
    InvalidInputError
        When `extension` is not a choice of extensions.
    """
    if extension is None:
        return None
    if isinstance(extension, str) and extension.lower() == "all":
        return "all"
    listed = list(extension) if isinstance(extension, (list, tuple, set, np.ndarray)) else [extension]
    checked: list[int | str] = []
    for item in listed:
        if isinstance(item, bool) or not isinstance(item, (int, np.integer, str)) or item == "":
            raise InvalidInputError("extension", extension, "None, 'all', a number or name, or a list of them")
        checked.append(item if isinstance(item, str) else int(item))
    if not checked:
        raise InvalidInputError("extension", extension, "None, 'all', a number or name, or a list of them")
    return checked


class ImageFile:
    """An open file of images. Only one thread may use it at a time.

    Parameters
    ----------
    hdus : HDUList
        HDUs of the file; astropy may load them later.
    source : Source, optional
        Source of the file's bytes. Without it, pixels come from the HDUs.
    file : SourceFile, optional
        File object through which astropy reads `source`.
    """

    def __init__(self, hdus: fits.HDUList, source: Source | None = None, file: SourceFile | None = None) -> None:
        self.hdus, self._source, self._file = hdus, source, file

    def is_image(self, number: int) -> bool:
        """Whether an extension is an image with pixels, and not a lookup table of another image's WCS."""
        hdu = self.hdus[number]
        return bool(hdu.is_image and hdu.size > 0 and hdu.header.get("EXTNAME") not in _TABLES)

    def choose(self, extension: Literal["all"] | list[int | str] | None) -> tuple[list[int], list[int | str]]:
        """Choose the extensions to cut.

        Parameters
        ----------
        extension : None, 'all' or list
            Choice of extensions, from `check_extension`. With None, reading stops at the first image.

        Returns
        -------
        (list of int, list of int or str)
            Numbers of the extensions to cut, and the requested extensions that are not images.
        """
        if extension is None:
            return next(([number] for number in self._numbers() if self.is_image(number)), []), []
        if extension == "all":
            return [number for number in self._numbers() if self.is_image(number)], []
        chosen: set[int] = set()
        missing: list[int | str] = []
        for item in extension:
            named = [item] if isinstance(item, int) else self._named(item)
            images = [number for number in named if self._has(number) and self.is_image(number)]
            chosen |= set(images)
            missing += [] if images else [item]
        return sorted(chosen), missing

    def _numbers(self) -> Iterator[int]:
        number = 0
        while self._has(number):
            yield number
            number += 1

    def _has(self, number: int) -> bool:
        try:
            self.hdus[number]
        except IndexError:
            return False
        return number >= 0

    def _named(self, name: str) -> list[int]:
        return [number for number in self._numbers() if self.hdus[number].name == name.strip().upper()]

    def shape(self, number: int) -> tuple[int, int]:
        """Rows and columns of an image.

        Raises
        ------
        ImageFormatError
            When the image has only one axis, or has further axes that are longer than 1.
        """
        shape = self.hdus[number].shape
        if len(shape) < 2 or any(n != 1 for n in shape[:-2]):
            raise ImageFormatError(f"its shape is {shape}; axes beyond the first two must have length 1")
        return int(shape[-2]), int(shape[-1])

    def header(self, number: int) -> fits.Header:
        """Copy of the header of an extension, cleaned by `tessera.images.wcs.clean_header`."""
        return clean_header(self.hdus[number].header)

    def wcs(self, header: fits.Header) -> WCS:
        """WCS of a header of this file, with its lookup tables."""
        self._check_tables(header)
        return read_image_wcs(header, self.hdus)

    def _check_tables(self, header: fits.Header) -> None:
        for name, _, version in table_records(header):
            if (name, version) not in self.hdus:
                raise ImageFormatError(f"its lookup table {name}, {version} is not in the file")

    def tables(self, header: fits.Header) -> list[fits.ImageHDU]:
        """Lookup tables that a header of this file refers to, in the order of `table_records`."""
        return [self.hdus[name, version] for name, _, version in table_records(header)]

    def prefetch(self, number: int, parts: Iterable[tuple[slice, slice]]) -> None:
        """Read the bytes of several parts (rows, columns) of an image together. `forget` releases them."""
        if self._source is None or self._file is None:
            return
        hdu = self.hdus[number]
        packed = isinstance(hdu, fits.CompImageHDU)
        if packed or self._source.remote:
            ranges = _tile_ranges if packed else _row_ranges
            self._file.prefetch(item for part in parts for item in ranges(self._source, hdu, *part))

    def forget(self) -> None:
        """Release the bytes that `prefetch` read."""
        if self._file is not None:
            self._file.forget()

    def read(self, number: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Read the pixels of a part of an image, with the values and the data type that `astropy.io.fits` returns.

        Only the bytes of these rows, or of the tiles that contain them, are read. Bytes from `prefetch` are used again.
        """
        hdu = self.hdus[number]
        if self._file is not None and not isinstance(hdu, fits.CompImageHDU):
            return self._read_plain(hdu, rows, columns)
        where = (*(0,) * (len(hdu.shape) - 2), rows, columns)
        loaded = self._file is None and ("data" in hdu.__dict__ or hdu.fileinfo() is None)
        pixels = hdu.data[where] if loaded else hdu.section[where]
        return np.array(pixels)

    def _read_plain(self, hdu: Any, rows: slice, columns: slice) -> NDArray[Any]:
        """Read rows of an uncompressed image, each as a range of bytes. astropy converts the bytes to values."""
        assert self._source is not None
        assert self._file is not None
        header = hdu.header
        shape = [("NAXIS1", columns.stop - columns.start), ("NAXIS2", rows.stop - rows.start)]
        cards = [
            ("XTENSION", "IMAGE"),
            ("BITPIX", header["BITPIX"]),
            ("NAXIS", 2),
            *shape,
            ("PCOUNT", 0),
            ("GCOUNT", 1),
        ]
        cards += [(name, header[name]) for name in _PIXEL_CARDS if name in header]
        head = fits.Header(cards).tostring().encode("ascii")
        ranges = _row_ranges(self._source, hdu, rows, columns)
        content = bytearray(len(head) + sum(item.length for item in ranges))
        content[: len(head)] = head
        view, position = memoryview(content), len(head)
        for item in ranges:
            if self._source.remote:
                view[position : position + item.length] = self._file.read_at(item.start, item.length)
            else:
                self._source.read_into(item.start, view[position : position + item.length])
            position += item.length
        return np.asarray(fits.ImageHDU.fromstring(bytes(content)).data)


@contextmanager
def open_images(item: ImageInput, fsspec_options: Mapping[str, Any] | None = None) -> Iterator[ImageFile]:
    """Open a file of images and close it at the end of the block. An HDUList is used as it is and stays open.

    Raises
    ------
    OSError
        When the file cannot be read or is not a FITS file.
    """
    if isinstance(item, fits.HDUList):
        yield ImageFile(item)
        return
    source = open_image_source(item, fsspec_options)
    with contextlib.closing(source):
        file = SourceFile(source)
        with fits.open(file, mode="readonly", memmap=False, lazy_load_hdus=True) as hdus:
            yield ImageFile(hdus, source, file)


def _row_ranges(_source: Source, hdu: Any, rows: slice, columns: slice) -> list[ByteRange]:
    """Byte ranges of some rows of an uncompressed image."""
    item = abs(int(hdu.header["BITPIX"])) // 8
    stride = int(hdu.shape[-1]) * item
    start, length = hdu.fileinfo()["datLoc"] + columns.start * item, (columns.stop - columns.start) * item
    if length == stride:
        return [ByteRange(start + rows.start * stride, (rows.stop - rows.start) * stride)]
    return [ByteRange(start + row * stride, length) for row in range(rows.start, rows.stop)]


def _tile_ranges(source: Source, hdu: fits.CompImageHDU, rows: slice, columns: slice) -> list[ByteRange]:
    """Byte ranges of the tiles that contain a part of a compressed image. Rows of its table point to the tiles.

    Source: FITS Standard 4.0, sections 7.3.5 and 10.1.
    """
    table = hdu.compressed_data
    info = hdu.fileinfo()
    header = fits.Header.fromstring(source.read(info["hdrLoc"], info["datLoc"] - info["hdrLoc"]))
    heap = info["datLoc"] + int(header.get("THEAP", header["NAXIS1"] * header["NAXIS2"]))
    grid = [-(-n // tile) for n, tile in zip(hdu.shape, hdu.tile_shape, strict=True)]
    parts = [*(slice(0, 1) for _ in hdu.shape[:-2]), rows, columns]
    tiles = zip(parts, hdu.tile_shape, strict=True)
    picked = [np.arange(part.start // tile, (part.stop - 1) // tile + 1) for part, tile in tiles]
    numbers = np.ravel_multi_index(np.meshgrid(*picked, indexing="ij"), grid).ravel()
    ranges: list[ByteRange] = []
    for column in table.columns:
        if column.name in ("COMPRESSED_DATA", "GZIP_COMPRESSED_DATA", "UNCOMPRESSED_DATA"):
            kind = _POINTER.match(str(column.format))
            size = _ITEM_BYTES[kind[1]] if kind else 1
            descriptors = np.asarray(table[column.name])[numbers].astype(np.int64)
            ranges += [ByteRange(heap + int(offset), int(n) * size) for n, offset in descriptors if n]
    return ranges
