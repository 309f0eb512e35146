"""The result of a search."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from astropy import units as u
from astropy.table import MaskedColumn, Table

from tessera.coverage.rows import Missing, SearchRow, failures, key_of
from tessera.coverage.show import HEADINGS, MOST_ROWS, cells, html_table, text_table
from tessera.errors import InvalidInputError, NoOverlapError
from tessera.targets.target import TargetList

if TYPE_CHECKING:
    from tessera.coverage.cutouts import Cutouts
    from tessera.coverage.served_cubes import Service
    from tessera.cutouts.results import CutoutOptions, Size
    from tessera.io.sources import Location
    from tessera.lightcurves.detrending.alignment import VectorSource
    from tessera.lightcurves.detrending.words import Detrending
    from tessera.lightcurves.masks import MaskChoice
    from tessera.lightcurves.quality import Quality
    from tessera.lightcurves.target_pixels import Background
    from tessera.progress import ProgressInput
    from tessera.stitching.curve import StitchedCurve
    from tessera.stitching.levels import Level

COLUMNS: dict[str, tuple[str, u.Unit | None]] = {
    "target": ("U", None),
    "ra": ("f8", u.deg),
    "dec": ("f8", u.deg),
    "product": ("U", None),
    "sector": ("i4", None),
    "camera": ("i2", None),
    "ccd": ("i2", None),
    "start": ("U", None),
    "end": ("U", None),
    "cadence": ("f8", u.s),
    "n_cadences": ("i4", None),
    "row": ("f8", u.pix),
    "column": ("f8", u.pix),
    "edge": ("f8", u.pix),
    "cube": ("U", None),
}
"""Columns of `SearchResult.table`, each with its type and unit."""
_INDEX = "a number of a row, a slice, a mask with one bool for each row, or numbers of rows"


@dataclass(frozen=True, repr=False)
class SearchResult:
    """Targets and the cubes that see them: one row per target and CCD, by target and sector.

    A slice, a mask, numbers of rows or a single number select rows and give a `SearchResult` of them, and so does
    iteration.

    Attributes
    ----------
    rows : tuple of SearchRow
        The rows. Their attributes are the columns of `table`, and `target` with ``name``, ``ra``, ``dec`` and ``tic``.
    targets : TargetList
        All targets of the search.
    missing : tuple of Missing
        Targets that are on no cube, each with its reason. Selected rows have none.
    unread : dict
        Cubes that cannot be read: path or address to the reason.
    service : str, Client or None
        Service that was asked, which also makes the cutouts.
    table : Table
        The rows as a table of astropy. Unknown values are masked.

    Examples
    --------
    >>> found = tessera.search("pi Men", sectors=[1, 4])  # doctest: +SKIP
    >>> found[found["cadence"] < 700].cut(11, output_dir="cutouts")  # doctest: +SKIP
    """

    rows: tuple[SearchRow, ...]
    targets: TargetList
    missing: tuple[Missing, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    service: Service | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[SearchResult]:
        """Each row as a result of its own."""
        return (self._of([number]) for number in range(len(self)))

    @overload
    def __getitem__(self, index: str) -> MaskedColumn: ...
    @overload
    def __getitem__(
        self, index: int | slice | Sequence[int] | Sequence[bool] | np.ndarray[Any, Any]
    ) -> SearchResult: ...
    def __getitem__(self, index: Any) -> SearchResult | MaskedColumn:
        """Select rows, or a column by its name."""
        if isinstance(index, str):
            if index not in COLUMNS:
                raise InvalidInputError("column", index, ", ".join(COLUMNS))
            return self._column(index)
        return self._of(_numbers(index, len(self)))

    def _of(self, numbers: Sequence[int]) -> SearchResult:
        return replace(self, rows=tuple(self.rows[number] for number in numbers), missing=(), unread={})

    @property
    def table(self) -> Table:
        """The rows as a table of astropy. Unknown values are masked."""
        return Table([self._column(name) for name in COLUMNS], masked=True)

    def _column(self, name: str) -> MaskedColumn:
        return _column(name, [_value(row, name) for row in self.rows])

    def cut(
        self,
        size: Size = 11,
        *,
        options: CutoutOptions | None = None,
        output_dir: Location | None = None,
        progress: ProgressInput = None,
    ) -> Cutouts:
        """Make a cutout for each row: a target pixel file.

        Parameters
        ----------
        size : int, (int, int), or Quantity, optional
            Size of a cutout in pixels or as angle: one value for both axes, or (rows, columns).
        options : CutoutOptions, optional
            Options of the cutouts, such as cadences.
        output_dir : str or Path, optional
            Folder of the files. Without it, the cutouts are in memory.
        progress : bool or callable, optional
            True shows a bar or lines on stderr. A function is called with (done, total) after each cutout.

        Returns
        -------
        Cutouts
            One item for each row, in the order of the rows, and one for each target in `missing`.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        NoOverlapError
            When there are neither rows nor missing targets.
        """
        from tessera.coverage.cutouts import cut_rows  # noqa: PLC0415 - a search alone needs no cutouts

        if not self.rows and not self.missing:
            raise NoOverlapError("the search has no rows, so there is nothing to cut")
        return cut_rows(self, size, options=options, output_dir=output_dir, progress=progress)

    def stitch(
        self,
        size: Size = 11,
        *,
        mask: MaskChoice = "default",
        background: Background = "default",
        quality: Quality = "default",
        detrend: Detrending = "none",
        vectors: VectorSource | None = None,
        level: Level = "divide",
        gap: float = 0.5,
        options: CutoutOptions | None = None,
        progress: ProgressInput = None,
    ) -> StitchedCurve:
        """Make one light curve of all sectors of a target.

        In each sector the CCD is taken on which the target lies farthest from the edge of the pixels that see the sky.
        CCDs on which it is not on such pixels are never taken. `StitchedCurve.left_out` says what was not used, and
        why.

        Parameters
        ----------
        size, options, progress
            See `cut`.
        mask, background, quality
            See `TargetPixels.to_lightcurve`; they hold for each sector. An array or digits as `mask` have the same
            pixels of the window in each sector, although the sky turns from sector to sector.
        detrend, vectors
            See `TargetPixels.to_lightcurve`. Cotrending vectors are beside each cube, or in the folder `vectors`. A
            sector that cannot be detrended is left out.
        level, gap
            See `tessera.stitch`.

        Returns
        -------
        StitchedCurve
            The light curve, with the level of each sector, what was done to it, and the gaps.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed, or the rows are of several targets or of SPOC and TICA
            frames.
        NoOverlapError
            When no sector can be used; the error says why.
        """
        from tessera.coverage.stitched import stitch_rows  # noqa: PLC0415 - a search alone needs no light curves

        measures = {"mask": mask, "background": background, "quality": quality, "detrend": detrend, "vectors": vectors}
        return stitch_rows(self, size, measures, level, gap, options=options, progress=progress)

    def locate(self, *, progress: ProgressInput = None) -> SearchResult:
        """Read the headers of the cubes whose pixels are not known, such as MAST's.

        Parameters
        ----------
        progress : bool or callable, optional
            True shows a bar or lines on stderr. A function is called with (done, total) after each cube.

        Returns
        -------
        SearchResult
            The same rows, with the pixel, the distance to the edge, the cadence, and exact times. A distance below 0
            says that a target is in the footprint, but not on pixels that see the sky. Cubes that cannot be read are in
            `unread`, and their rows stay as they are.

        Raises
        ------
        OSError
            When every cube cannot be read.
        """
        from tessera.coverage.own_cubes import locate_rows  # noqa: PLC0415 - few searches need it

        rows: dict[str, list[SearchRow]] = {}
        for row in self.rows:
            if row.n_cadences is None:
                rows.setdefault(row.cube, []).append(row)
        found = locate_rows(rows, self.targets, progress)
        unread = failures(list(rows), [item.error for item in found])
        known = {key_of(row): row for item in found for row in item.rows}
        located = tuple(known.get(key_of(row), row) for row in self.rows)
        return replace(self, rows=located, unread={**self.unread, **unread})

    def to_json(self) -> str:
        """Text of a JSON document with the lists ``rows`` and ``missing``, and the object ``unread``.

        A row has the columns of `table` and ``tic``. An item of ``missing`` has ``target``, ``ra``, ``dec``, ``tic``
        and ``reason``. Unknown values are null. ``unread`` has the reason for each cube that cannot be read.
        """
        rows = [
            {"target": row.target.name, "tic": row.target.tic} | {name: _value(row, name) for name in COLUMNS}
            for row in self.rows
        ]
        missing = [
            {
                "target": item.target.name,
                "tic": item.target.tic,
                "ra": None if np.isnan(item.target.ra) else item.target.ra,
                "dec": None if np.isnan(item.target.dec) else item.target.dec,
                "reason": item.reason,
            }
            for item in self.missing
        ]
        return json.dumps({"rows": rows, "missing": missing, "unread": dict(self.unread)}, indent=2, allow_nan=False)

    def lines(self, *, whole: bool = False, most: int | None = None, notes: bool = True) -> list[str]:
        """The result as lines of text.

        Parameters
        ----------
        whole : bool, optional
            Whether the whole address of each cube is shown, and not only its name.
        most : int, optional
            Largest number of rows; by default all.
        notes : bool, optional
            Whether lines below the table say what is missing.
        """
        shown = self.rows[:most]
        lines = text_table(HEADINGS, (cells(row, whole=whole) for row in shown)) if shown else []
        return [*lines, *self._notes(most)] if notes else lines

    def _notes(self, most: int | None) -> list[str]:
        """Lines below a table: how many rows are left out, and what is missing."""
        more = len(self) - len(self.rows[:most])
        missing = [f"{item.target.name}: {item.reason}" for item in self.missing]
        left = max(0, len(missing) - (most or len(missing)))
        return [
            *([f"... and {more:,} more rows"] if more else []),
            *missing[:most],
            *([f"... and {left:,} more targets that no cube sees"] if left else []),
            *(f"{cube} is not read: {reason}" for cube, reason in self.unread.items()),
        ]

    def _title(self) -> str:
        n_targets = len({row.target.number for row in self.rows})
        n_cubes = len({row.cube for row in self.rows})
        targets = f"{n_targets:,} targets" if n_targets != 1 else self.rows[0].target.name
        title = f"{targets} on {n_cubes:,} {'cube' if n_cubes == 1 else 'cubes'}"
        if n_targets == 1:
            title += f", at {self.rows[0].target.ra:.6f} {self.rows[0].target.dec:+.6f}"
        return title + (f"; {len(self.missing):,} on none" if self.missing else "")

    def __str__(self) -> str:
        """The first rows, and what is missing."""
        return "\n".join([self._title(), *self.lines(most=MOST_ROWS)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = (cells(row, whole=False) for row in self.rows[:MOST_ROWS])
        return html_table(HEADINGS, rows, self._title(), self._notes(MOST_ROWS))


def _value(row: SearchRow, name: str) -> Any:
    """Value of a row in a column of `COLUMNS`, as JSON can have it."""
    if name in ("ra", "dec"):
        return getattr(row.target, name)
    if name == "target":
        return row.target.name
    value = getattr(row, name)
    return str(value) if name == "cube" else value


def _column(name: str, values: list[Any]) -> MaskedColumn:
    kind, unit = COLUMNS[name]
    nothing = "" if kind == "U" else 0
    mask = [value is None or value == "" for value in values]
    filled = np.array([nothing if hidden else value for value, hidden in zip(values, mask, strict=True)], kind)
    return MaskedColumn(filled, name=name, mask=mask, unit=unit)


def _numbers(index: Any, n_rows: int) -> list[int]:
    """Numbers of the rows that an index selects."""
    if isinstance(index, np.ma.MaskedArray):
        index = index.filled(False)
    try:
        listed = isinstance(index, list) and not index
        chosen = np.atleast_1d(np.arange(n_rows)[:0] if listed else np.arange(n_rows)[index])
    except (IndexError, TypeError, ValueError) as error:
        raise InvalidInputError("index", index, f"{_INDEX}; there are {n_rows} rows") from error
    if chosen.ndim > 1:
        raise InvalidInputError("index", index, _INDEX)
    return [int(number) for number in chosen]
