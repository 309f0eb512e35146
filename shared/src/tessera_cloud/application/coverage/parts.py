"""What the coverage consists of: the parts, their names, and the document that lists their files.

A part is a sector of a product, or all sectors of it. The product `ALL` has the cubes of all products. Each part has
four files: a MOC and a space-time MOC, both as FITS and as JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TypeAlias

from pydantic import Field

from tessera_cloud import keys
from tessera_cloud.contracts import PublishedCube, Wire
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import ObjectReader

SPACE_ORDER = 10
"""Order of the cells on the sky: sides of 3.4 arcminutes, half of the margin within which a footprint is known."""
TIME_ORDER = 28
"""Order of the cells of time: 2**33 microseconds, which is 2.4 hours. So a day is resolved. Files are smallest with it:
the cubes of a sector begin within minutes of each other, mostly in one cell."""
ALL = "all"
"""Name of the part with all sectors, and of the product with all products."""
RECIPE = 1
"""Number that is raised when the files of the same footprints must be made again."""
SUFFIXES = (".fits", ".json", "-st.fits", "-st.json")
"""Ends of the names of the files of a part: MOC and space-time MOC (ST)."""
_NAME = re.compile(r"(?:(all)|s(\d{1,6}))((?:-st)?\.(?:fits|json))", re.ASCII | re.IGNORECASE)

Cubes: TypeAlias = tuple[PublishedCube, ...]
PartName: TypeAlias = tuple[str, str]
"""Product and name of a part, such as ``("SPOC", "s0001")``."""


class CoveragePart(Wire):
    """A part of the coverage.

    Parameters
    ----------
    hash : str
        Hash of the footprints and times of the cubes, which is part of the keys of the files.
    cubes : int
        Number of cubes.
    sky_fraction : float
        Part of the sky that the MOC covers, 0 to 1.
    t_min, t_max : float
        Begin of the first cube and end of the last, MJD as in the index.
    files : dict
        Name of each file, such as ``s0001-st.fits``, to its size in bytes.
    """

    hash: str
    cubes: int
    sky_fraction: float
    t_min: float
    t_max: float
    files: dict[str, int]


class Coverage(Wire):
    """The document ``coverage/coverage.json``: product to name of a part to part."""

    space_order: int = SPACE_ORDER
    time_order: int = TIME_ORDER
    products: dict[str, dict[str, CoveragePart]] = Field(default_factory=dict)

    @classmethod
    def of(cls, parts: Mapping[PartName, CoveragePart]) -> Coverage:
        """Coverage of some parts."""
        products: dict[str, dict[str, CoveragePart]] = {}
        for (product, name), part in parts.items():
            products.setdefault(product, {})[name] = part
        return cls(products=products)

    def by_name(self) -> dict[PartName, CoveragePart]:
        """All parts."""
        return {(product, name): part for product, parts in self.products.items() for name, part in parts.items()}

    def file_keys(self) -> set[str]:
        """Keys of all files."""
        return {
            keys.coverage_file(product, name, part.hash)
            for (product, _), part in self.by_name().items()
            for name in part.files
        }


def parse_coverage(data: bytes | None) -> Coverage | None:
    """Coverage from its document; None if there is none, or if it is damaged, because it can be made again."""
    with suppress(ValueError):
        return None if data is None else Coverage.model_validate_json(data)
    return None


def read_coverage(store: ObjectReader, bucket: str) -> Coverage | None:
    """Read the coverage; None if it was not written yet."""
    try:
        return parse_coverage(store.read(bucket, keys.COVERAGE_DOCUMENT)[0])
    except ObjectMissingError:
        return None


def part_of_sector(sector: int) -> str:
    """Name of the part of a sector, such as ``s0001``."""
    return f"s{sector:04d}"


def parse_file_name(name: str) -> tuple[str, str] | None:
    """Part and end of the name of a file: ``("s0001", "-st.fits")``; None if no file can have that name.

    The number of a sector may lack its zeros, and case does not matter.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    everything, sector, suffix = match.groups()
    return (ALL if everything else part_of_sector(int(sector))), suffix.lower()


def _order(of: PartName) -> tuple[bool, str, bool, str]:
    product, name = of
    return product != ALL, product, name != ALL, name.rjust(9)


def group_cubes(cubes: Iterable[PublishedCube]) -> dict[PartName, Cubes]:
    """Cubes of each part, by product and sector, and `ALL` before the others."""
    found: dict[PartName, list[PublishedCube]] = {}
    for cube in sorted(cubes, key=lambda cube: cube.obs_id):
        for product in (ALL, cube.cube_id.product):
            for name in (ALL, part_of_sector(cube.ccd_id.sector)):
                found.setdefault((product, name), []).append(cube)
    return {of: tuple(found[of]) for of in sorted(found, key=_order)}


def hash_of(cubes: Cubes) -> str:
    """Hash of all that the files of a part depend on: 16 hexadecimal digits."""
    rows = [(cube.obs_id, cube.s_region, cube.t_min, cube.t_max) for cube in cubes]
    text = json.dumps([RECIPE, SPACE_ORDER, TIME_ORDER, rows])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def find_current(coverage: Coverage | None, wanted: Mapping[PartName, Cubes]) -> dict[PartName, CoveragePart]:
    """Parts of a coverage that show the cubes that they should."""
    known = coverage.by_name() if coverage else {}
    return {of: known[of] for of, cubes in wanted.items() if of in known and known[of].hash == hash_of(cubes)}


def is_there(product: str, part: CoveragePart, sizes: Mapping[str, int]) -> bool:
    """Whether all files of a part are in a listing, key to size, with their sizes."""
    return all(sizes.get(keys.coverage_file(product, name, part.hash)) == size for name, size in part.files.items())
