"""Observations as ObsCore 1.1 describes them: cubes, and files of images, from their indexes alone.

What the indexes do not know is null.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from tessera_cloud.application.vo.identifiers import Published, identifier
from tessera_cloud.application.vo.obscore.regions import Places, region_text
from tessera_cloud.settings import PUBLIC_REGION

Floats: TypeAlias = NDArray[np.float64]
Value: TypeAlias = "str | int | float | None"

COLUMNS = (
    "dataproduct_type",
    "calib_level",
    "obs_collection",
    "obs_id",
    "obs_publisher_did",
    "access_url",
    "access_format",
    "access_estsize",
    "target_name",
    "s_ra",
    "s_dec",
    "s_fov",
    "s_region",
    "s_resolution",
    "s_xel1",
    "s_xel2",
    "t_min",
    "t_max",
    "t_exptime",
    "t_resolution",
    "t_xel",
    "em_min",
    "em_max",
    "em_res_power",
    "em_xel",
    "o_ucd",
    "pol_states",
    "pol_xel",
    "facility_name",
    "instrument_name",
    "cloud_access",
)
"""Columns of a row: the mandatory ones of ObsCore 1.1, in the order of its table, and IRSA's `cloud_access`."""
DATALINK = "application/x-votable+xml;content=datalink"
"""Content type of what `access_url` leads to."""


@dataclass(frozen=True)
class File:
    """What is known of one observation alone.

    Parameters
    ----------
    published : PublishedCube or PublishedImage
        The cube or the file of images.
    obs_id : str
        Name of the observation.
    bucket, key : str
        Place of the file.
    n_bytes : int
        Size of the file; 0 if it is not known.
    s_regions : tuple of str
        Polygons on the sky.
    other_ids : tuple of str, optional
        What clients may write instead of the identifier.
    """

    published: Published
    obs_id: str
    bucket: str
    key: str
    n_bytes: int
    s_regions: tuple[str, ...]
    other_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observations:
    """Observations that have most of their metadata in common: all cubes, or the files of a dataset.

    Parameters
    ----------
    files : sequence of File
        The observations, in the order of their index.
    common : mapping
        Column to the value that all rows have; None for null.
    numbers : mapping
        Column to an array of its numbers; NaN for null. Middles and sizes on the sky are added to them.
    places : Places
        Polygons of the observations.
    authority : str
        Authority of the identifiers.
    public : frozenset of str
        Buckets that everybody may read.
    """

    files: Sequence[File]
    common: Mapping[str, Value]
    numbers: Mapping[str, Floats]
    places: Places
    authority: str
    public: frozenset[str]

    @cached_property
    def ids(self) -> list[tuple[str, ...]]:
        """Identifiers of each observation, and names of cubes, as `plain_id` makes them."""
        return [
            tuple(map(plain_id, (identifier(file.published, self.authority), *file.other_ids))) for file in self.files
        ]

    @cached_property
    def _measured(self) -> dict[str, Floats]:
        ra, dec, diameter = self.places.middles()
        return {**self.numbers, "s_ra": ra, "s_dec": dec, "s_fov": diameter}

    @cached_property
    def _clockwise(self) -> list[list[bool]]:
        """Whether each polygon of each observation is clockwise."""
        edges = np.flatnonzero(np.diff(self.places.owners))
        return [part.tolist() for part in np.split(self.places.is_clockwise(), edges + 1)]

    def column(self, name: str) -> Floats:
        """Numbers of a column, one for each observation; NaN for null."""
        if name in self._measured:
            return self._measured[name]
        value = self.common[name]
        return np.full(len(self.files), np.nan if value is None else float(value))

    def rows(self, numbers: Sequence[int], address: Callable[[str], str]) -> Iterator[list[Value]]:
        """Rows of some observations, one after the other, with values in the order of `COLUMNS`.

        Parameters
        ----------
        numbers : sequence of int
            Places of the observations in `files`.
        address : callable
            Returns the address of the DataLink document of an identifier.
        """
        for number in numbers:
            row = {**self.common, **self._own(self.files[number], address)}
            row |= {name: _number(values[number]) for name, values in self._measured.items()}
            row["s_region"] = region_text(self.files[number].s_regions, self._clockwise[number])
            yield [_whole(row[name]) if name in _WHOLE else row[name] for name in COLUMNS]

    def _own(self, file: File, address: Callable[[str], str]) -> dict[str, Value]:
        name = identifier(file.published, self.authority)
        return {
            "obs_id": file.obs_id,
            "obs_publisher_did": name,
            "access_url": address(name),
            "access_estsize": -(-file.n_bytes // 1000) or None,
            "cloud_access": _cloud_access(file) if file.bucket in self.public else None,
        }


_WHOLE = frozenset({"s_xel1", "s_xel2", "t_xel"})
"""Columns of whole numbers that differ from row to row."""


def _number(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _whole(value: Value) -> int | None:
    return None if value is None else int(value)


def _cloud_access(file: File) -> str:
    """Place of a file in IRSA's form."""
    place = {"bucket_name": file.bucket, "key": file.key, "region": PUBLIC_REGION}
    return json.dumps({"aws": place})


def plain_id(given: str) -> str:
    """Form in which identifiers are compared: without regard to case and to escapes (IVOA Identifiers 2.0)."""
    return unquote(given.strip()).lower()
