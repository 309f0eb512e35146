"""Cutouts of the rows of a search."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from astropy.io import fits

from tessera.coverage.rows import Key, SearchRow, key_of
from tessera.coverage.served_cubes import cut_service, opened
from tessera.coverage.show import MOST_ROWS, html_table, text_table
from tessera.cutouts.pairs import cut_pairs
from tessera.cutouts.results import CutoutOptions, CutoutResult, Size, Status
from tessera.errors import InvalidInputError
from tessera.io.locations import shown
from tessera.io.sources import Location
from tessera.progress import ProgressInput
from tessera.targets.target import Target

if TYPE_CHECKING:
    from tessera.coverage.result import SearchResult

_HEADINGS = ("target", "sector", "camera", "ccd", "status", "file or reason")


_NOBODY = Target("", np.nan, np.nan)


@dataclass(frozen=True)
class TargetCutout(CutoutResult):
    """The cutout of one row of a search, or why there is none.

    Attributes
    ----------
    row : SearchRow or None
        The row; None for a target that is on no cube.
    target : Target
        The target.
    """

    row: SearchRow | None = None
    target: Target = _NOBODY

    @property
    def hdus(self) -> fits.HDUList:
        """The target pixel file, read into memory.

        Raises
        ------
        InvalidInputError
            When there is no file, with the reason.
        """
        if self.path is not None:
            with fits.open(self.path, memmap=False, lazy_load_hdus=False) as file:
                return fits.HDUList([hdu.copy() for hdu in file])
        return fits.open(io.BytesIO(bytes(self._content())))

    @property
    def pixels(self) -> Any:
        """The pixels of the cutout: a `TargetPixels`."""
        from tessera import TargetPixels  # noqa: PLC0415 - only this property needs it

        return TargetPixels.read(self.path if self.path is not None else bytes(self._content()))

    def _content(self) -> bytes | bytearray:
        if self.data is None:
            raise InvalidInputError(
                "cutout", self.target.name, "one with the status 'ok'", f"There is no file: {self.reason}."
            )
        return self.data


class Cutouts(Sequence[TargetCutout]):
    """Cutouts of a search: one for each row, and one without a file for each target that is on no cube.

    Parameters
    ----------
    items : sequence of TargetCutout
        The cutouts.
    """

    def __init__(self, items: Sequence[TargetCutout]) -> None:
        self._items = tuple(items)

    def __len__(self) -> int:
        """Number of cutouts."""
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> TargetCutout: ...
    @overload
    def __getitem__(self, index: slice) -> Cutouts: ...
    def __getitem__(self, index: int | slice) -> TargetCutout | Cutouts:
        """One cutout, or some of them."""
        return Cutouts(self._items[index]) if isinstance(index, slice) else self._items[index]

    def __iter__(self) -> Iterator[TargetCutout]:
        """The cutouts."""
        return iter(self._items)

    @property
    def failed(self) -> Cutouts:
        """The cutouts that have no file."""
        return Cutouts([item for item in self._items if item.status != "ok"])

    def _title(self) -> str:
        n_failed = len(self.failed)
        n_made = len(self) - n_failed
        title = f"{n_made:,} {'cutout' if n_made == 1 else 'cutouts'}"
        return f"{title}; {n_failed:,} without a file" if n_failed else title

    def _more(self) -> list[str]:
        return [f"... and {len(self) - MOST_ROWS:,} more"] if len(self) > MOST_ROWS else []

    def __repr__(self) -> str:
        """The first cutouts."""
        rows = text_table(_HEADINGS, map(_cells, self._items[:MOST_ROWS])) if self._items else []
        return "\n".join([self._title(), *rows, *self._more()])

    def _repr_html_(self) -> str:
        return html_table(_HEADINGS, map(_cells, self._items[:MOST_ROWS]), self._title(), self._more())


def _cells(item: TargetCutout) -> tuple[str, ...]:
    row = item.row
    place = (
        ("-",) * 3 if row is None else tuple("-" if x is None else str(x) for x in (row.sector, row.camera, row.ccd))
    )
    file = item.reason or (str(item.path) if item.path is not None else item.name)
    return (item.target.name, *place, item.status, file)


def cut_rows(
    found: SearchResult,
    size: Size,
    *,
    options: CutoutOptions | None,
    output_dir: Location | None,
    progress: ProgressInput,
) -> Cutouts:
    """Make the cutouts of a search; see `SearchResult.cut`."""
    if found.service is None:
        made = _cut_cubes(found, size, options, output_dir, progress)
    else:
        with opened(found.service) as client:
            made = cut_service(client, found.rows, size, options=options, output_dir=output_dir, progress=progress)
    items = [_with_row(made[key_of(row)], row) for row in found.rows]
    for one in found.missing:
        status: Status = "error" if one.target.reason else "no overlap"
        items.append(TargetCutout("", one.target.ra, one.target.dec, status, one.reason, target=one.target))
    return Cutouts(sorted(items, key=lambda item: item.target.number))


def _cut_cubes(
    found: SearchResult,
    size: Size,
    options: CutoutOptions | None,
    output_dir: Location | None,
    progress: ProgressInput,
) -> dict[Key, CutoutResult]:
    rows: dict[str, list[SearchRow]] = {}
    for row in found.rows:
        rows.setdefault(row.cube, []).append(row)
    results = cut_pairs(
        list(rows),
        [[row.target.number for row in some] for some in rows.values()],
        found.targets.positions,
        size,
        options=options,
        output_dir=output_dir,
        stars=[target.star for target in found.targets.targets],
        progress=progress,
    )
    listed = (row for some in rows.values() for row in some)
    return dict(zip(map(key_of, listed), (item for some in results for item in some), strict=True))


def _with_row(result: CutoutResult, row: SearchRow) -> TargetCutout:
    values = {item.name: getattr(result, item.name) for item in fields(CutoutResult)}
    return TargetCutout(**values | {"cube": shown(row.cube)}, row=row, target=row.target)
