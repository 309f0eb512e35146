"""Read headers, times and WCS of a cube: all that a reader needs before it reads pixels. A sidecar stores them.

The info table of a cube has over a hundred columns. Cutouts need seven of them and the cards of one frame. A sidecar
holds no more than that, so that a cube that was read once can be opened with one small read.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.checks import check_headers, check_table, read_table
from tessera.cubes.frame_checks import TAN_SIP
from tessera.cubes.frames import ReadBytes
from tessera.cubes.info_rows import InfoRows, parse_info_rows
from tessera.cubes.layout import DOUBLE, WORD, CubeLayout
from tessera.cubes.segments.joining import Segment
from tessera.errors import CubeFormatError, NoWcsError
from tessera.fits.headers import Header, HeaderSyntaxError, padded, parse_header, read_header
from tessera.provenance.record import digest_facts
from tessera.sky.wcs import frame_wcs, pixel_scales
from tessera.tess.ids import CcdId, cube_stem
from tessera.tess.products import PRODUCTS, Product, find_product

if TYPE_CHECKING:
    from astropy.wcs import WCS

_SIDECAR_FORMAT, _GROWING_FORMAT = 1, 2
"""Of cubes in one file, and of growing cubes, which a release that does not know segments must not read."""
_SMALLEST_SCALE, _LARGEST_SCALE = 1e-9, 180.0
"""Sizes in degrees between which a pixel can be."""


@dataclass(frozen=True)
class Cube:
    """A cube without its pixels: headers, shape, times and WCS.

    Parameters
    ----------
    name : str
        File name, such as ``tess-s0001-1-1-cube.fits``.
    product : Product
        Kind of its frames.
    primary : Header
        Header of the primary HDU.
    layout : CubeLayout
        Shape of the array.
    data_offset : int
        Position of the first byte of the array in the file.
    series : dict
        Arrays of shape (n_cadences,): ``start`` and ``stop`` (BTJD or TJD, float64), ``barycorr`` (days, float64),
        ``quality`` and ``cadence_number`` (int32, 0 where the frames have none), ``file`` (bytes).
    wcs_cadence : int
        Cadence whose WCS is used for all cadences; see `find_wcs_cadence`.
    wcs_cards : dict
        Cards of that frame; missing ones are left out.
    segments : tuple of Segment, optional
        Segments of a growing cube whose reader has no segment table; see `tessera.cubes.segments`.
    """

    name: str
    product: Product
    primary: Header
    layout: CubeLayout
    data_offset: int
    series: dict[str, NDArray[Any]]
    wcs_cadence: int
    wcs_cards: dict[str, Any]
    segments: tuple[Segment, ...] = ()

    @property
    def obs_id(self) -> str:
        """Stem of the name without ``-cube``: ``tess-s0001-1-1``."""
        return cube_stem(self.name)

    @property
    def ccd_id(self) -> CcdId:
        """Sector, camera and CCD, from the primary header, or else from the name; see `CcdId.of_cube`."""
        return CcdId.of_cube(*self.detector, self.name)

    @property
    def detector(self) -> tuple[int | None, int | None, int | None]:
        """Sector, camera and CCD that the primary header names; None for those that it does not."""
        values = map(self.primary.get, ("SECTOR", *self.product.detector))
        sector, camera, ccd = (value if type(value) is int else None for value in values)
        return sector, camera, ccd

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the primary header, the times, and the names of the frames."""
        return digest_facts(self.primary.text, self.series)

    @cached_property
    def wcs(self) -> WCS:
        """WCS of the frames, distortion included; raises NoWcsError if it cannot be used."""
        try:
            return frame_wcs(self.wcs_cards)
        except NoWcsError as error:
            raise NoWcsError(f"{self.name}: {error}") from error

    @cached_property
    def pixel_scales(self) -> tuple[float, float]:
        """Size of a pixel in degrees: (per row, per column); raises NoWcsError if it is no size."""
        scales = pixel_scales(self.wcs)
        if not all(_SMALLEST_SCALE < scale < _LARGEST_SCALE for scale in scales):
            found = f"its pixels have {scales[0]:g} by {scales[1]:g} degrees"
            raise NoWcsError(f"{self.name}: its WCS cannot be used: {found}")
        return scales

    def to_sidecar(self) -> bytes:
        """Write everything but the pixels as a small file (NumPy's npz)."""
        about = {
            "format": _SIDECAR_FORMAT,
            "name": self.name,
            "product": self.product.name,
            "primary": self.primary.text.decode("ascii"),
            "layout": astuple(self.layout),
            "data_offset": self.data_offset,
            "wcs_cadence": self.wcs_cadence,
            "wcs_cards": self.wcs_cards,
        }
        if self.segments:
            about |= {"format": _GROWING_FORMAT, "segments": [segment.to_fields() for segment in self.segments]}
        data = io.BytesIO()
        arrays: dict[str, Any] = {f"series_{name}": values for name, values in self.series.items()}
        np.savez_compressed(data, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
        return data.getvalue()

    @classmethod
    def from_sidecar(cls, data: bytes) -> Cube:
        """Read what `to_sidecar` wrote.

        Raises
        ------
        CubeFormatError
            When the data are no sidecar, or one of another version.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                arrays = {name.removeprefix("series_"): archive[name] for name in archive.files}
            about = json.loads(arrays.pop("about").tobytes())
            number = about["format"]
        except (ValueError, LookupError, TypeError, OSError, EOFError, BadZipFile, zlib.error) as error:
            raise CubeFormatError(f"not a sidecar: {error}") from error
        if number not in (_SIDECAR_FORMAT, _GROWING_FORMAT):
            raise CubeFormatError(f"the sidecar has format {number}; {_SIDECAR_FORMAT} is needed")
        return cls(
            about["name"],
            PRODUCTS[about["product"]],
            parse_header(about["primary"].encode("ascii")),
            CubeLayout(*about["layout"]),
            about["data_offset"],
            arrays,
            about["wcs_cadence"],
            about["wcs_cards"],
            tuple(map(Segment.from_fields, about.get("segments", ()))),
        )


def find_wcs_cadence(ctype: Sequence[Any], wanted: str = TAN_SIP) -> int | None:
    """Find the cadence whose WCS is used for all: the middle one, or the next one that has a WCS.

    The first cadence follows the last one.

    Parameters
    ----------
    ctype : sequence of str
        Value of CTYPE2 of each cadence.
    wanted : str, optional
        Value of CTYPE2 in a cadence with a WCS.

    Returns
    -------
    int or None
        The cadence; None when no cadence has a WCS.
    """
    n = len(ctype)
    cadences = ((n // 2 + step) % n for step in range(n))
    return next((cadence for cadence in cadences if str(ctype[cadence]).strip() == wanted), None)


def read_series(name: str, product: Product, info: InfoRows) -> dict[str, NDArray[Any]]:
    """Read the columns of an info table that `Cube.series` keeps.

    Raises
    ------
    CubeFormatError
        When a column is missing, or has values that it cannot have.
    """
    for keyword in (product.start, product.stop):
        for cadence in np.flatnonzero(np.isinf(info.column(keyword, "<f8"))):
            raise CubeFormatError(f"{name}: {keyword} of cadence {cadence} is infinite in the info table")
    nothing = np.full(len(info.rows), np.nan if product.barycentric else 0.0)
    return {
        "start": info.column(product.start, "<f8"),
        "stop": info.column(product.stop, "<f8"),
        "barycorr": info.column("BARYCORR", "<f8") if "BARYCORR" in info else nothing,
        "quality": info.integers(product.quality),
        "cadence_number": info.integers(product.cadence),
        "file": info.texts("FFI_FILE"),
    }


def read_cube_layout(
    name: str, file_size: int, read: ReadBytes, *, check: bool = True
) -> tuple[Header, CubeLayout, int]:
    """Read the two headers in front of a cube's array, in one request.

    Parameters
    ----------
    name, file_size, read, check
        See `read_cube`.

    Returns
    -------
    tuple
        Primary header, shape, and the first byte of the array.

    Raises
    ------
    CubeFormatError
        When the file is not a cube, or its headers are damaged.
    """
    start = read(0, min(file_size, 12 * 2880))

    def read_again(offset: int, length: int) -> bytes:
        known = start[offset : offset + length]
        return known if len(known) == length else read(offset, length)

    try:
        primary = read_header(read_again, 0, file_size, 2880)
        image = read_header(read_again, primary.n_bytes, file_size, 2880)
        axes = [image.integer(f"NAXIS{axis}") for axis in range(1, image.integer("NAXIS") + 1)]
    except HeaderSyntaxError as reason:
        raise CubeFormatError(f"{name}: {reason}") from reason
    if primary.get("SIMPLE") is not True:
        raise CubeFormatError(f"{name}: SIMPLE is {primary.get('SIMPLE')!r:.60}; T is needed")
    bitpix = image.get("BITPIX")
    if len(axes) != 4 or axes[0] not in (1, 2) or min(axes) < 1 or bitpix not in (-8 * WORD, -8 * DOUBLE):
        raise CubeFormatError(f"{name}: the image has {f'axes {axes}, BITPIX {bitpix}':.80}; not a cube")
    if check:
        check_headers(name, primary, image)
    layout = CubeLayout(axes[3], axes[2], axes[1], axes[0], DOUBLE if bitpix == -8 * DOUBLE else WORD)
    return primary, layout, primary.n_bytes + image.n_bytes


def read_info_rows(cube: Cube, file_size: int, read: ReadBytes, *, check: bool = True) -> InfoRows:
    """Read the info table of a cube in one request.

    Parameters
    ----------
    cube : Cube
        The cube, whose headers are known.
    file_size, read, check
        See `read_cube`.

    Raises
    ------
    CubeFormatError
        When the table is damaged.
    """
    start = cube.data_offset + padded(cube.layout.data_bytes)
    return _read_info(cube.name, cube.layout, file_size, read, start, check=check)


def _read_info(
    name: str, layout: CubeLayout, file_size: int, read: ReadBytes, table_offset: int, *, check: bool
) -> InfoRows:
    hdu = read_table(name, file_size, read, table_offset, check=False)
    info = parse_info_rows(name, hdu, check_table(name, hdu) if check else None)
    if len(info.rows) != layout.n_cadences:
        raise CubeFormatError(f"{name}: {len(info.rows)} rows in the info table for {layout.n_cadences} cadences")
    return info


def read_cube(name: str, file_size: int, read: ReadBytes, *, check: bool = True) -> Cube:
    """Read everything of a cube but its pixels, in two requests.

    Parameters
    ----------
    name : str
        File name of the cube.
    file_size : int
        Size in bytes.
    read : callable
        ``read(start, length)`` returns those bytes of the file.
    check : bool, optional
        Whether to check the size of the file, and the checksums of headers and info table. Pixels are not checked.

    Raises
    ------
    CubeFormatError
        When the file is not a cube, is too short or too long, or its headers or its info table are damaged.
    NoWcsError
        When no cadence has a WCS.
    """
    return read_cube_and_info(name, file_size, read, check=check)[0]


def read_cube_and_info(name: str, file_size: int, read: ReadBytes, *, check: bool = True) -> tuple[Cube, InfoRows]:
    """Read everything of a cube but its pixels, and return its info table, too; see `read_cube`."""
    primary, layout, data_offset = read_cube_layout(name, file_size, read, check=check)
    info = _read_info(name, layout, file_size, read, data_offset + padded(layout.data_bytes), check=check)
    product = find_product(name, info)
    cadence = find_wcs_cadence(info.texts("CTYPE2").astype("U").tolist())
    if cadence is None:
        raise NoWcsError(f"{name}: no cadence of the info table has CTYPE2 = {TAN_SIP}")
    series = read_series(name, product, info)
    return Cube(name, product, primary, layout, data_offset, series, cadence, info.cards(cadence)), info
