"""Files of FITS images: find extensions, read headers, and read the pixels of a part of an image."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.errors import ImageFormatError
from tessera.images.extensions import Extensions, is_image
from tessera.images.headers.clean import borrow_sky, clean_header, has_sky
from tessera.images.headers.limits import check_header
from tessera.images.headers.moving import axis_records, table_records
from tessera.images.wcs import read_image_wcs
from tessera.io.file_objects import ImageInput, SourceFile, open_image_source
from tessera.io.ranges import ByteRange
from tessera.provenance.record import Origin

if TYPE_CHECKING:
    from tessera.io.sources import Source

_PIXEL_CARDS = ("BSCALE", "BZERO", "BLANK")
_POINTER = re.compile(r"\d*[PQ]([A-Z])")
_ITEM_BYTES = {"B": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8}


class ImageFile(Extensions):
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
        super().__init__(hdus)
        self._source, self._file = source, file
        self._starts: list[int | None] = [0]
        self._problems: list[ImageFormatError | None] = []
        self.broken: ImageFormatError | None = None

    def origin(self, label: object) -> Origin:
        """What the record of a cutout says of the file; its size is 0 where only HDUs are known."""
        source = self._source
        return Origin.of(label, 0 if source is None else source.size, getattr(source, "etag", ""))

    def has(self, number: int) -> bool:
        """See `Extensions.has`. Headers are checked before astropy reads them.

        After a header with an absurd structure there are no extensions, and `broken` is the reason.
        """
        if self._source is None or self._file is None:
            return super().has(number)
        try:
            while len(self._problems) <= number and (start := self._starts[-1]) is not None:
                following, problem = check_header(self._file.read_at, start, self._source.size)
                self._starts.append(following)
                self._problems.append(problem)
        except ImageFormatError as error:
            self.broken = error
            return False
        return super().has(number)

    def _problem(self, number: int) -> ImageFormatError | None:
        return self._problems[number] if number < len(self._problems) else None

    def is_image(self, number: int) -> bool:
        """See `Extensions.is_image`. An image with absurd values counts, so that it is reported."""
        return self._problem(number) is not None or super().is_image(number)

    def shape(self, number: int) -> tuple[int, ...]:
        """Lengths of the axes of an image: further axes, rows and columns. Further axes of length 1 are left out.

        Raises
        ------
        ImageFormatError
            When the image has only one axis, or its header has absurd values.
        """
        if (problem := self._problem(number)) is not None:
            raise problem
        shape = tuple(int(n) for n in self.hdus[number].shape)
        if len(shape) < 2:
            raise ImageFormatError(f"its shape is {shape}; allowed: two axes or more")
        return shape if math.prod(shape[:-2]) > 1 else shape[-2:]

    def header(self, number: int) -> fits.Header:
        """Copy of the header of an extension, cleaned by `tessera.images.headers.clean.clean_header`.

        An image without a position on the sky gets that of the primary header if the file has no pixels there, or that
        of the extension SCI of the same version and shape (or which SCIDATA names), as JWST's ERR and DQ need it.
        """
        keep = len(self.shape(number)) > 2
        header = clean_header(self.hdus[number].header, keep_axes=keep)
        if has_sky(header):
            return header
        lender = self._lender(number, header)
        if lender is None:
            return header
        other = self.hdus[lender]
        name = f"extension {lender} ({other.name})"
        return borrow_sky(header, clean_header(other.header, keep_axes=keep), name)

    def _lender(self, number: int, header: fits.Header) -> int | None:
        """Number of the HDU whose position on the sky an image without one has; None if there is none."""
        hdu, primary = self.hdus[number], self.hdus[0]
        if number and header.get("INHERIT") is not False and not primary.size and has_sky(primary.header):
            return 0
        science = str(header.get("SCIDATA", "SCI")).strip().upper()
        for other in self.numbers():
            each = self.hdus[other]
            same = each.name == science and (each.ver == hdu.ver or "SCIDATA" in header)
            if same and is_image(each) and each.shape[-2:] == hdu.shape[-2:] and has_sky(each.header):
                return other
        return None

    def wcs(self, header: fits.Header) -> WCS:
        """WCS of the first two axes of a header of this file, with its lookup tables."""
        self._check_tables(header)
        return read_image_wcs(header, self.hdus)

    def _check_tables(self, header: fits.Header) -> None:
        for name, _, version in table_records(header):
            if (name, version) not in self.hdus:
                raise ImageFormatError(f"its lookup table {name}, {version} is not in the file")
        for axis, name, version in axis_records(header):
            if (name, version) not in self.hdus:
                raise ImageFormatError(f"the table {name}, {version} of its axis {axis} is not in the file")

    def axis_tables(self, header: fits.Header) -> list[fits.BinTableHDU]:
        """Tables with the coordinates of further axes, in the order of `axis_records`."""
        return [self.hdus[name, version] for _, name, version in axis_records(header)]

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
            wanted = [item for part in parts for item in ranges(self._source, hdu, *part)]
            self._check_ranges(wanted)
            self._file.prefetch(wanted)

    def _check_ranges(self, ranges: Iterable[ByteRange]) -> None:
        """Raise an OSError if a range is not in the file, before anything is read or memory is taken for it."""
        assert self._source is not None
        for item in ranges:
            if item.start < 0 or item.length < 0 or item.start + item.length > self._source.size:
                raise OSError(f"{self._source.name} ends at byte {self._source.size:,}, before the cutout ends")

    def forget(self) -> None:
        """Release the bytes that `prefetch` read."""
        if self._file is not None:
            self._file.forget()

    def check_unchanged(self) -> None:
        """Raise an OSError when the file was changed while it was read."""
        if self._source is not None:
            self._source.check_unchanged()

    def read(self, number: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Read the pixels of a part of an image, with the values and the data type that `astropy.io.fits` returns.

        Only the bytes of these rows, or of the tiles that contain them, are read. Bytes from `prefetch` are used again.

        Returns
        -------
        ndarray, shape (..., rows, columns)
            Pixels of all planes, with the further axes of `shape`.
        """
        hdu = self.hdus[number]
        more = self.shape(number)[:-2]
        shape = (*more, rows.stop - rows.start, columns.stop - columns.start)
        if self._file is not None and not isinstance(hdu, fits.CompImageHDU):
            return self._read_plain(hdu, rows, columns, shape)
        where = (*(slice(None) for _ in hdu.shape[:-2]), rows, columns)
        loaded = self._file is None and ("data" in hdu.__dict__ or hdu.fileinfo() is None)
        pixels = hdu.data[where] if loaded else hdu.section[where]
        return np.array(pixels).reshape(shape)

    def _read_plain(self, hdu: Any, rows: slice, columns: slice, shape: tuple[int, ...]) -> NDArray[Any]:
        """Read rows of an uncompressed image, each as a range of bytes. astropy converts the bytes to values."""
        assert self._source is not None
        assert self._file is not None
        header = hdu.header
        axes = [(f"NAXIS{axis}", n) for axis, n in enumerate(reversed(shape), 1)]
        cards = [("XTENSION", "IMAGE"), ("BITPIX", header["BITPIX"]), ("NAXIS", len(shape)), *axes]
        cards += [("PCOUNT", 0), ("GCOUNT", 1)]
        cards += [(name, header[name]) for name in _PIXEL_CARDS if name in header]
        head = fits.Header(cards).tostring().encode("ascii")
        ranges = _row_ranges(self._source, hdu, rows, columns)
        self._check_ranges(ranges)
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
        _check_start(file, source)
        with fits.open(file, mode="readonly", memmap=False, lazy_load_hdus=True) as hdus:
            yield ImageFile(hdus, source, file)


def _check_start(file: SourceFile, source: Source) -> None:
    """Check that a file is a FITS file with a sound first header."""
    start = bytes(file.read_at(0, min(source.size, 9)))
    if start.startswith(b"#ASDF"):
        raise OSError(f"{source.name} is an ASDF file; allowed here: FITS files")
    if not start.startswith(b"SIMPLE  "):
        raise OSError(f"{source.name} is not a FITS file: it begins with {start!r}, not with SIMPLE")
    if check_header(file.read_at, 0, source.size)[0] is None:
        raise OSError(f"{source.name} is not a FITS file: it has only {source.size:,} bytes")


def _row_ranges(_source: Source, hdu: Any, rows: slice, columns: slice) -> list[ByteRange]:
    """Byte ranges of some rows of all planes of an uncompressed image, in order."""
    item = abs(int(hdu.header["BITPIX"])) // 8
    stride = int(hdu.shape[-1]) * item
    plane = int(hdu.shape[-2]) * stride
    first, length = hdu.fileinfo()["datLoc"] + columns.start * item, (columns.stop - columns.start) * item
    starts = [first + number * plane for number in range(math.prod(hdu.shape[:-2]))]
    if length == stride:
        return [ByteRange(start + rows.start * stride, (rows.stop - rows.start) * stride) for start in starts]
    return [ByteRange(start + row * stride, length) for start in starts for row in range(rows.start, rows.stop)]


def _tile_ranges(source: Source, hdu: fits.CompImageHDU, rows: slice, columns: slice) -> list[ByteRange]:
    """Byte ranges of the tiles that contain a part of a compressed image. Rows of its table point to the tiles.

    Source: FITS Standard 4.0, sections 7.3.5 and 10.1.
    """
    table = hdu.compressed_data
    info = hdu.fileinfo()
    header = fits.Header.fromstring(source.read(info["hdrLoc"], info["datLoc"] - info["hdrLoc"]))
    heap = info["datLoc"] + int(header.get("THEAP", header["NAXIS1"] * header["NAXIS2"]))
    grid = [-(-n // tile) for n, tile in zip(hdu.shape, hdu.tile_shape, strict=True)]
    parts = [*(slice(0, n) for n in hdu.shape[:-2]), rows, columns]
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
