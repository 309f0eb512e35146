"""Recognize the cards of a position on the sky, and remove what programs interpret differently.

The header of a cutout is the header of its source with the reference pixels moved. It is not made from a WCS object,
because that would lose cards that some programs read (SIP, lookup tables, alternates, CD or PC, CROTA).
Source of the rules: FITS Standard 4.0, section 8, and the SIP and distortion conventions.
"""

from __future__ import annotations

import re

from astropy.io import fits

from tessera.errors import ImageFormatError

_OLD_MATRIX = re.compile(r"(PC|CD)(\d{3})(\d{3})")
_SIP = re.compile(r"(?:A|B|AP|BP)_(?:ORDER|DMAX|\d+_\d+)")
_AXIS_CARD = re.compile(
    r"(?:CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA|CRDER|CSYER|CNAME|CPDIS|CQDIS|CPERR)(\d+)[A-Z]?"
    r"|(?:PV|PS)(\d+)_\d+[A-Z]?"
    r"|(?:PC|CD)(\d+)_(\d+)[A-Z]?"
)
_MATRIX = re.compile(r"(?:PC|CD)(\d+)_(\d+)([A-Z]?)")
_FRAME = re.compile(
    r"(?:WCSAXES|WCSNAME|LONPOLE|LATPOLE|RADESYS|EQUINOX)[A-Z]?|EPOCH|RADECSYS|LT[VM]\d(?:_\d)?"
    r"|(?:D2IMDIS|D2IMERR)\d|(?:DP|DQ|D2IM)\d(?:\..*)?|WAT\d_\d{3}"
)
_PLATE = re.compile(r"PLT(?:RA[HMS]|DEC(?:SN|[DMS])|SCALE)|CNPIX[12]|[XY]PIXELSZ|PPO\d|AMD[XY]\d+")
"""Cards of the plate solutions of the Digitized Sky Survey."""
_WHOLE_PLATE = (
    *(f"PLTRA{unit}" for unit in "HMS"),
    *(f"PLTDEC{unit}" for unit in "DMS"),
    *("CNPIX1", "CNPIX2", "XPIXELSZ", "YPIXELSZ", "PPO3", "PPO6", "AMDX1", "AMDX2", "AMDX3", "AMDY1", "AMDY2", "AMDY3"),
)
"""Cards that every plate solution has. Without one of them, wcslib fails or even crashes."""
_SKY_AXIS = re.compile(r"(?:RA|DEC|.LON|.LAT|..LN|..LT)\b")


def is_sky_card(keyword: str) -> bool:
    """Whether a card describes the position of an image on the sky."""
    return any(kind.fullmatch(keyword) for kind in (_AXIS_CARD, _SIP, _FRAME, _PLATE))


def is_sky_axis(kind: str) -> bool:
    """Whether a value of CTYPE is an axis of the sky."""
    return bool(_SKY_AXIS.match(kind))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def has_plate(header: fits.Header) -> bool:
    """Whether a header has a plate solution that is complete."""
    return all(_is_number(header.get(keyword)) for keyword in _WHOLE_PLATE) and all(
        _is_number(header[keyword]) for keyword in header if _PLATE.fullmatch(keyword) and keyword != "PLTDECSN"
    )


def drop_partial_plate(header: fits.Header) -> fits.Header:
    """Return a header, or a copy of it without the cards of a plate solution if that is not complete."""
    plate = [keyword for keyword in header if _PLATE.fullmatch(keyword)]
    if not plate or has_plate(header):
        return header
    without = header.copy()
    for keyword in plate:
        without.remove(keyword, ignore_missing=True, remove_all=True)
    return without


def has_sky(header: fits.Header) -> bool:
    """Whether a header has the cards of a position on the sky: axes of the sky, or a plate solution."""
    kinds = [str(header[keyword]) for keyword in header if re.fullmatch(r"CTYPE\d", keyword)]
    return any(map(is_sky_axis, kinds)) or has_plate(header)


def borrow_sky(header: fits.Header, lender: fits.Header, name: str) -> fits.Header:
    """Give a header without a position on the sky that of another header, in place, and return it.

    Parameters
    ----------
    header : Header
        Header of the image. Its own cards of axes are removed.
    lender : Header
        Header that has a position on the sky.
    name : str
        Name of the lender, for HISTORY.
    """
    for keyword in {keyword for keyword in header if is_sky_card(keyword)}:
        header.remove(keyword, remove_all=True)
    header.extend((card for card in lender.cards if is_sky_card(card.keyword)), end=True)
    header.add_history(f"Position on the sky from {name}.")
    return header


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


def check_axes(header: fits.Header) -> None:
    """Check that the first two axes do not depend on the others.

    Raises
    ------
    ImageFormatError
        When the matrix mixes the other axes with the first two.
    """
    for keyword in header:
        mixed = _MATRIX.fullmatch(keyword)
        if mixed and (int(mixed[1]) > 2) != (int(mixed[2]) > 2) and header[keyword]:
            raise ImageFormatError(f"{keyword} is {header[keyword]}; the sky must not depend on other axes")


def drop_axes(header: fits.Header) -> fits.Header:
    """Remove the WCS cards of all axes except the first two, in place, and return the header.

    HISTORY keeps the removed values.

    Raises
    ------
    ImageFormatError
        See `check_axes`.
    """
    check_axes(header)
    for keyword in list(header):
        match = _AXIS_CARD.fullmatch(keyword)
        if match and max(int(axis) for axis in match.groups() if axis) > 2:
            header.add_history(f"{keyword} = {header[keyword]} (of an axis that was left out)")
            del header[keyword]
    for keyword in [keyword for keyword in header if re.fullmatch(r"WCSAXES[A-Z]?|NAXIS", keyword)]:
        header[keyword] = min(2, int(header[keyword]))
    for keyword in [keyword for keyword in header if re.fullmatch(r"NAXIS(?:[3-9]|\d{2,})", keyword)]:
        del header[keyword]
    return header


def has_more_axes(header: fits.Header) -> bool:
    """Whether a header describes more than two axes."""
    axes = [int(axis) for match in map(_AXIS_CARD.fullmatch, header) if match for axis in match.groups() if axis]
    return max([*axes, int(header.get("WCSAXES", 2)), int(header.get("NAXIS", 2))]) > 2


def clean_header(header: fits.Header, *, keep_axes: bool = False) -> fits.Header:
    """Copy a header and remove what programs interpret differently.

    See `modernize_cards`, `drop_stale_sip` and, unless `keep_axes`, `drop_axes`.
    """
    clean = drop_stale_sip(modernize_cards(header.copy()))
    if not has_more_axes(clean):
        return clean
    if keep_axes:
        check_axes(clean)
        return clean
    return drop_axes(clean)
