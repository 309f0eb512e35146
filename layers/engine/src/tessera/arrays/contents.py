"""What a cube contains beside its pixels: coordinates and attributes, in the words of xarray.

The dataset and the Zarr store are both made from this, so they cannot differ.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import Cube
from tessera.cutouts.cadences import middle_time
from tessera.errors import InvalidInputError, InvalidValueError
from tessera.fits.hdus import format_card
from tessera.fits.headers import CARD, Header, HeaderSyntaxError, parse_card
from tessera.tess.products import PRODUCTS
from tessera.tpf.cards import BJDREFI

_WCS = re.compile(
    r"(WCSAXES|CTYPE[12]|CUNIT[12]|CRVAL[12]|CRPIX[12]|CDELT[12]|(CD|PC)[12]_[12]|LONPOLE|LATPOLE|RADESYS|EQUINOX"
    r"|(A|B|AP|BP)_(ORDER|DMAX|\d_\d))"
)
_NEEDED = ("cube", "product", "n_rows", "n_columns", "wcs")


@dataclass(frozen=True)
class Coordinate:
    """A coordinate with one dimension.

    Parameters
    ----------
    dim : str
        Its dimension.
    values : ndarray, shape (n,)
        Its values.
    attrs : dict
        Its attributes.
    """

    dim: str
    values: NDArray[Any]
    attrs: dict[str, Any]


def coordinates(cube: Cube) -> dict[str, Coordinate]:
    """Coordinates of a cube along its dimensions.

    ``time`` is the middle of the exposures, as in target pixel files. Frames of some cubes have no cadence numbers;
    their cadences are counted from 0, as ``CutoutOptions(cadences=...)`` counts them.
    """
    series, product, layout = cube.series, cube.product, cube.layout
    numbers = series["cadence_number"]
    where = "at the barycentre" if product.barycentric else "at the spacecraft"
    found = {
        "time": Coordinate(
            "time",
            (series["start"] + series["stop"]) / 2,
            {
                "long_name": f"middle of the exposure {where}",
                "units": "d",
                "time_system": product.time_system,
                "time_scale": "TDB",
                "reference": f"JD {BJDREFI}",
            },
        ),
        "cadence_number": Coordinate(
            "time",
            numbers if numbers.any() else np.arange(len(numbers), dtype=np.int32),
            {"long_name": "cadence number" if numbers.any() else "cadence, counted from 0"},
        ),
        "quality": Coordinate("time", series["quality"], {"long_name": "quality flags, 0 is good"}),
        **{
            axis: Coordinate(axis, np.arange(n), {"long_name": axis, "comment": "of the frame, counted from 0"})
            for axis, n in (("row", layout.n_rows), ("column", layout.n_columns))
        },
    }
    if product.barycentric:
        correction = {"long_name": "barycentric correction in the middle of the CCD", "units": "d"}
        found["time_correction"] = Coordinate("time", series["barycorr"], correction)
    return found


def pixel_attributes(cube: Cube) -> dict[str, dict[str, str]]:
    """Names of the planes of a cube, in order, to their attributes."""
    unit = cube.product.flux_unit
    planes = {
        "flux": {"long_name": "flux", "units": unit},
        "error": {"long_name": "standard deviation of the flux", "units": unit},
    }
    return dict(list(planes.items())[: cube.layout.n_planes])


def attributes(cube: Cube, location: str) -> dict[str, Any]:
    """Attributes of the dataset of a cube: all of them texts and numbers, which every format can store.

    ``wcs`` has the WCS cards of the frames, one a line. It is all that is needed to place a window, so a dataset that
    was saved and read again can be cut, too.
    """
    product, layout, middle = cube.product, cube.layout, middle_time(cube)
    ccd: dict[str, Any] = {}
    with suppress(InvalidValueError):  # somebody renamed the file
        ccd = {name: getattr(cube.ccd_id, name) for name in ("sector", "camera", "ccd")}
    return {
        "cube": cube.name,
        "location": location,
        "telescope": "TESS",
        "product": product.name,
        **ccd,
        "time_system": product.time_system,
        "time_scale": "TDB",
        **({"middle_time": middle} if np.isfinite(middle) else {}),
        "n_rows": layout.n_rows,
        "n_columns": layout.n_columns,
        "wcs": _wcs_text(cube),
    }


def _wcs_text(cube: Cube) -> str:
    """WCS cards as text. Numbers have all of their digits, so a window is placed exactly as from the cube itself."""
    cards = {keyword: value for keyword, value in cube.wcs_cards.items() if _WCS.fullmatch(keyword)}
    lines = [
        f"{keyword:8}= {value!r:>20}" if isinstance(value, float) else format_card(keyword, value).rstrip()
        for keyword, value in cards.items()
    ]
    return "\n".join(line.replace("e", "E") if "'" not in line else line for line in lines)


def frame_of(attrs: dict[Any, Any]) -> Cube:
    """Name, WCS and shape of the frames of a dataset, as a cube that has nothing else.

    Raises
    ------
    InvalidInputError
        When the attributes are not those of a cube, for example because an operation dropped them.
    """
    try:
        name, product, n_rows, n_columns, wcs = (attrs[name] for name in _NEEDED)
        cards = {card.keyword: card.value for card in (parse_card(line.ljust(CARD)) for line in wcs.splitlines())}
        layout = CubeLayout(int(n_rows), int(n_columns), 1, 1)
        return Cube(str(name), PRODUCTS[product], Header((), 0, b""), layout, 0, {}, 0, cards)
    except (KeyError, ValueError, TypeError, AttributeError, HeaderSyntaxError) as error:
        allowed = f"a dataset of tessera.open_cube, or a part of one, with its attributes {', '.join(_NEEDED)}"
        raise InvalidInputError("dataset", sorted(map(str, attrs)), allowed) from error
