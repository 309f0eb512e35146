"""Cards that describe the whole image: of a cutout they are wrong, so they are updated or removed.

Sources: the NOAO mosaic keywords (DATASEC and the like), the FITS Standard 4.0 (DATAMIN, DATAMAX), and the headers of
JWST, HST, the Dark Energy Camera and Astrometry.net.
"""

from __future__ import annotations

import re

from astropy.io import fits

from tessera.windows import Window

_SECTION = re.compile(r"\s*\[\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]\s*")
_IN_PIXELS = re.compile(r"(?:DATA|TRIM|BIAS|GOOD|STAT|FIT)SEC[A-Z0-9]?")
"""Sections in pixels of the image."""
_GONE = re.compile(
    r"(?:CCD|DET|AMP|ORIG|FRM|IMG)SEC[A-Z0-9]?"
    r"|(?:DATA|IRAF-?)(?:MIN|MAX|MEAN|MEDN|STD|RMS|MED)|(?:GOOD|SNR)(?:MIN|MAX|MEAN)|NGOODPIX|IRAF-B/P"
    r"|CENT(?:RA|DEC)|CEN(?:RA|DEC)\d|CORN[1-4](?:RA|DEC)|COR[1-4](?:RA|DEC)\d"
    r"|CENTERA[12]|SIZAXIS[12]|NPIX[12]|PIXVALUE|SUBS(?:TRT|IZE)[12]"
)
"""Sections of the detector, statistics of all pixels, and positions of the image's centre and corners."""


def update_whole(header: fits.Header, window: Window, s_region: str | None) -> None:
    """Update or remove the cards that describe the whole image, in place. HISTORY keeps the removed values.

    Parameters
    ----------
    header : Header
        Header of the image.
    window : Window
        Window of the cutout.
    s_region : str or None
        Polygon of the cutout as IVOA text; None if it is not known.
    """
    for keyword in dict.fromkeys(header):
        if _IN_PIXELS.fullmatch(keyword):
            section = _moved_section(str(header[keyword]), window)
            if section is None:
                _remove(header, keyword)
            else:
                header[keyword] = section
        elif _GONE.fullmatch(keyword):
            _remove(header, keyword)
        elif keyword == "S_REGION":
            if s_region is None:
                _remove(header, keyword)
            else:
                header[keyword] = s_region
        elif keyword in ("IMAGEW", "IMAGEH"):
            header[keyword] = window.n_columns if keyword == "IMAGEW" else window.n_rows


def _remove(header: fits.Header, keyword: str) -> None:
    value = header[keyword]
    header.remove(keyword, remove_all=True)
    header.add_history(f"{keyword} = {value} (of the whole image)")


def _moved_section(text: str, window: Window) -> str | None:
    """Part of a section ``[first:last,first:last]``, columns before rows and from 1, that is in a window; or None."""
    match = _SECTION.fullmatch(text)
    if match is None:
        return None
    limits = [int(limit) for limit in match.groups()]
    moved: list[int] = []
    for low, high, first, n in (
        (*limits[:2], window.first_column, window.n_columns),
        (*limits[2:], window.first_row, window.n_rows),
    ):
        pair = max(min(low, high) - first, 1), min(max(low, high) - first, n)
        if pair[0] > pair[1]:
            return None
        moved += pair if low <= high else pair[::-1]
    return "[{}:{},{}:{}]".format(*moved)
