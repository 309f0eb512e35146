"""Find sky positions on images, and make the header of a cutout.

The header of a cutout is the header of its source with the reference pixels moved. It is not made from a WCS object,
because that would lose cards that some programs read (SIP, lookup tables, alternates, CD or PC, CROTA).
Source of the rules: FITS Standard 4.0, section 8, and the SIP and distortion conventions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, NoConvergence, WcsError
from astropy.wcs.utils import proj_plane_pixel_scales, skycoord_to_pixel, wcs_to_celestial_frame
from numpy.typing import NDArray

from tessera.errors import ImageFormatError
from tessera.sky.sphere import chord_degrees, unit_vectors
from tessera.windows import Window

_OLD_MATRIX = re.compile(r"(PC|CD)(\d{3})(\d{3})")
_SIP = re.compile(r"(?:A|B|AP|BP)_(?:ORDER|DMAX|\d+_\d+)")
_AXIS_CARD = re.compile(
    r"(?:CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA|CRDER|CSYER|CNAME|CPDIS|CQDIS|CPERR)(\d+)[A-Z]?"
    r"|(?:PV|PS)(\d+)_\d+[A-Z]?"
    r"|(?:PC|CD)(\d+)_(\d+)[A-Z]?"
)
_MATRIX = re.compile(r"(?:PC|CD)(\d+)_(\d+)([A-Z]?)")
_FRAME = re.compile(r"(?:WCSAXES|WCSNAME|LONPOLE|LATPOLE|RADESYS|EQUINOX)[A-Z]?|EPOCH|RADECSYS|LT[VM]\d(?:_\d)?")
_PHYSICAL = "PHYSICAL"
_SCALE_BASELINE = 2.0
"""Distance in pixels over which the size of a pixel is measured. Over shorter ones, lookup tables add noise."""


def is_sky_card(keyword: str) -> bool:
    """Whether a card describes the position of an image on the sky."""
    return bool(_AXIS_CARD.fullmatch(keyword) or _SIP.fullmatch(keyword) or _FRAME.fullmatch(keyword))


def modernize_cards(header: fits.Header) -> fits.Header:
    """Rename matrix cards of the old form (PC001001, CD001001), in place, and return the header."""
    for old in [keyword for keyword in header if _OLD_MATRIX.fullmatch(keyword)]:
        match = _OLD_MATRIX.fullmatch(old)
        assert match is not None
        new = f"{match[1]}{int(match[2])}_{int(match[3])}"
        if new in header:
            del header[old]
        else:
            header.rename_keyword(old, new)
    return header


def drop_stale_sip(header: fits.Header) -> fits.Header:
    """Remove SIP cards when CTYPE does not end with ``-SIP``, in place, and return the header.

    Images that were resampled (such as HST's ``drz``) keep SIP cards that are no longer valid.
    """
    stale = [keyword for keyword in header if _SIP.fullmatch(keyword)]
    if stale and not any(str(header.get(f"CTYPE{axis}", "")).endswith("-SIP") for axis in (1, 2)):
        for keyword in stale:
            del header[keyword]
        header.add_history(f"{len(stale)} SIP cards removed: CTYPE1 and CTYPE2 say that there is no such distortion.")
    return header


def drop_axes(header: fits.Header) -> fits.Header:
    """Remove the WCS cards of all axes except the first two, in place, and return the header.

    HISTORY keeps the removed values.

    Raises
    ------
    ImageFormatError
        When the matrix mixes these axes with the first two.
    """
    for keyword in list(header):
        mixed = _MATRIX.fullmatch(keyword)
        if mixed and (int(mixed[1]) > 2) != (int(mixed[2]) > 2) and header[keyword]:
            raise ImageFormatError(f"{keyword} is {header[keyword]}; the sky must not depend on other axes")
        match = _AXIS_CARD.fullmatch(keyword)
        if match and max(int(axis) for axis in match.groups() if axis) > 2:
            header.add_history(f"{keyword} = {header[keyword]} (of an axis that was left out)")
            del header[keyword]
    for keyword in [keyword for keyword in header if re.fullmatch(r"WCSAXES[A-Z]?|NAXIS", keyword)]:
        header[keyword] = min(2, int(header[keyword]))
    for keyword in [keyword for keyword in header if re.fullmatch(r"NAXIS(?:[3-9]|\d{2,})", keyword)]:
        del header[keyword]
    return header


def clean_header(header: fits.Header) -> fits.Header:
    """Copy a header and remove what programs interpret differently.

    See `modernize_cards`, `drop_stale_sip` and `drop_axes`.
    """
    clean = drop_stale_sip(modernize_cards(header.copy()))
    axes = [int(axis) for match in map(_AXIS_CARD.fullmatch, clean) if match for axis in match.groups() if axis]
    return drop_axes(clean) if max([*axes, int(clean.get("WCSAXES", 2)), int(clean.get("NAXIS", 2))]) > 2 else clean


def read_image_wcs(header: fits.Header, tables: fits.HDUList | None = None) -> WCS:
    """Read the celestial WCS of an image.

    Parameters
    ----------
    header : Header
        Header of the image, from `clean_header`.
    tables : HDUList, optional
        HDUs that contain the lookup tables of distortion.

    Raises
    ------
    ImageFormatError
        When the header has no celestial WCS, or the WCS cannot be read.
    """
    kinds = [str(header.get(f"CTYPE{axis}", "")) for axis in (1, 2)]
    if any(kind.endswith("-TAB") for kind in kinds):
        raise ImageFormatError(f"its axes are {', '.join(kinds)}; coordinates in tables are not supported")
    try:
        wcs = WCS(header, fobj=tables, relax=True)
        if wcs.has_celestial and wcs.naxis == 2:
            wcs_to_celestial_frame(wcs)
            return wcs
    except (WcsError, ValueError, KeyError, IndexError, TypeError, AssertionError) as error:
        raise ImageFormatError(f"its WCS cannot be read: {error}") from error
    raise ImageFormatError(f"it has no celestial WCS: CTYPE1 and CTYPE2 are {kinds[0]!r} and {kinds[1]!r}")


def find_pixel(wcs: WCS, sky: SkyCoord) -> tuple[float, float] | None:
    """Find the pixel of a sky position.

    Parameters
    ----------
    wcs : WCS
        WCS of an image, with distortion, in any celestial frame.
    sky : SkyCoord
        One position, in any frame.

    Returns
    -------
    (float, float) or None
        Row and column; the centre of the first pixel is 0. None when the WCS has no solution, or when the solution does
        not convert back to the position. This happens far from the image.
    """
    try:
        column, row = (float(value) for value in skycoord_to_pixel(sky, wcs, origin=0, mode="all"))
    except NoConvergence:
        return None
    if not np.isfinite([row, column]).all():
        return None
    there = _directions(wcs, [[column, row]])
    frame = sky.transform_to(wcs_to_celestial_frame(wcs)).spherical
    asked = unit_vectors(np.array([frame.lon.deg]), np.array([frame.lat.deg]))
    near = chord_degrees(there, asked)[0] <= 0.1 * max(proj_plane_pixel_scales(wcs)[:2])
    return (row, column) if near else None


def _directions(wcs: WCS, pixels: Any) -> NDArray[np.float64]:
    """Unit vectors of pixels (column, row), in the frame of the WCS."""
    world = wcs.all_pix2world(np.asarray(pixels, np.float64), 0)
    lon, lat = ((world[:, axis] * u.Unit(wcs.wcs.cunit[axis])).to_value(u.deg) for axis in (wcs.wcs.lng, wcs.wcs.lat))
    return unit_vectors(np.atleast_1d(lon), np.atleast_1d(lat))


def scales_at(wcs: WCS, row: float, column: float) -> tuple[float, float]:
    """Size of the pixels around a position, in degrees: (per row, per column)."""
    half = _SCALE_BASELINE / 2
    ends = [[column, row - half], [column, row + half], [column - half, row], [column + half, row]]
    vectors = _directions(wcs, ends)
    lengths = np.degrees(2 * np.arcsin(np.linalg.norm(vectors[1::2] - vectors[::2], axis=1) / 2)) / _SCALE_BASELINE
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        per_column, per_row = proj_plane_pixel_scales(wcs)
        return float(per_row), float(per_column)
    return float(lengths[0]), float(lengths[1])


def move_origin(header: fits.Header, window: Window) -> fits.Header:
    """Change the header of an image to the header of a window, in place, and return it.

    The reference pixels and IRAF's LTV cards are moved. An alternate WCS gives the pixels of the source.

    Parameters
    ----------
    header : Header
        Header of the image, from `clean_header`.
    window : Window
        Window on the image. Its first pixel becomes the first pixel of the cutout.
    """
    offsets = {1: window.first_column, 2: window.first_row}
    kinds = re.compile(r"(?:CTYPE|CRVAL|CRPIX)[12]([A-Z]?)")
    for alternate in sorted({match[1] for match in map(kinds.fullmatch, list(header)) if match}):
        for axis, offset in offsets.items():
            header[f"CRPIX{axis}{alternate}"] = float(header.get(f"CRPIX{axis}{alternate}", 0.0)) - offset
    for axis, offset in offsets.items():
        if f"LTV{axis}" in header:
            header[f"LTV{axis}"] -= offset
    _add_physical(header, offsets)
    return header


def _add_physical(header: fits.Header, offsets: dict[int, int]) -> None:
    """Add an alternate WCS that gives the pixels of the source. If the source has one, it was already moved."""
    used = {
        match[1] for match in map(re.compile(r"(?:CTYPE|CRPIX|WCSNAME)\d?([A-Z])").fullmatch, list(header)) if match
    }
    if any(header.get(f"WCSNAME{letter}") == _PHYSICAL for letter in used):
        return
    free = [letter for letter in "PQRSTUVWXYZABCDEFGHIJKLMNO" if letter not in used]
    if not free:
        return
    letter = free[0]
    header[f"WCSNAME{letter}"] = (_PHYSICAL, "pixels of the original image")
    header[f"WCSAXES{letter}"] = (2, "number of physical axes")
    for axis, (offset, name) in zip((1, 2), zip(offsets.values(), ("X", "Y"), strict=True), strict=True):
        header[f"CTYPE{axis}{letter}"] = (f"RAW{name}", f"original {'column' if axis == 1 else 'row'}")
        header[f"CUNIT{axis}{letter}"] = "pixel"
        header[f"CRPIX{axis}{letter}"] = (1.0, "reference pixel")
        header[f"CRVAL{axis}{letter}"] = (float(offset + 1), "value there")
        header[f"CDELT{axis}{letter}"] = (1.0, "step")


def table_records(header: fits.Header) -> list[tuple[str, str, int]]:
    """Lookup tables that a header refers to: (EXTNAME, prefix of its record cards, EXTVER)."""
    found = []
    for name, card, prefix in (("WCSDVARR", "CPDIS", "DP"), ("D2IMARR", "D2IMDIS", "D2IM")):
        for axis in (1, 2):
            if str(header.get(f"{card}{axis}", "")).strip().upper() == "LOOKUP":
                version = header.get(f"{prefix}{axis}.EXTVER", axis)
                found.append((name, f"{prefix}{axis}", int(version)))
    return found


def move_tables(hdus: Iterable[fits.ImageHDU], window: Window) -> list[fits.ImageHDU]:
    """Copy lookup tables and move them to the pixels of a window. The tables keep their full size."""
    moved = []
    for hdu in hdus:
        header = hdu.header.copy()
        for axis, offset in ((1, window.first_column), (2, window.first_row)):
            header[f"CRVAL{axis}"] = float(header.get(f"CRVAL{axis}", 0.0)) - offset
        moved.append(fits.ImageHDU(np.array(hdu.data), header))
    return moved
