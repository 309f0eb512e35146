"""How large the windows of a light curve may be, and what is answered if they are larger."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tessera_cloud.errors import TooLargeError, TooManySectorsError

MAX_SIDE = 100
"""Largest number of pixels of a side of a window."""
MAX_VALUES = 100_000_000
"""Largest number of pixels times cadences of all sectors. They are 0.8 GB of cubes with errors, which takes a function
of 2,048 MB 11 s to read, as `tessera_cloud.application.cutouts.order.SYNC_BYTES` says. 40 sectors of 11 x 11 pixels
with 11,775 cadences have 57 million."""


def check_size(size: tuple[int, int], sectors: Sequence[tuple[int, int]], fits: Callable[[int], bool]) -> None:
    """Check the windows of all sectors.

    Parameters
    ----------
    size : (int, int)
        Rows and columns.
    sectors : sequence of (int, int)
        Number and cadences of each sector.
    fits : callable
        Whether the memory is large enough for one window of so many pixels times cadences.

    Raises
    ------
    TooLargeError
        If the window of one sector is too large. The message says which size is not.
    TooManySectorsError
        If all together are too large. The error has the sectors of requests that are not.
    """
    rows, columns = size
    asked, total = f"size is {rows},{columns}", rows * columns * sum(n for _, n in sectors)
    longest = max((n for _, n in sectors), default=0)
    if not _fits_alone(rows * columns * longest, fits):
        sides = (side for side in range(MAX_SIDE, 0, -1) if _fits_alone(side * side * longest, fits))
        side = next(sides, 0)
        allowed = f"up to {side},{side} where a sector has {longest:,} cadences"
        message = f"{asked}, which is too large for one sector; allowed: {allowed}. /v1/cutouts has larger windows"
        raise TooLargeError(message, parameter="size", value=f"{rows},{columns}", allowed=allowed)
    if total <= MAX_VALUES:
        return
    parts = split_sectors([(sector, rows * columns * n) for sector, n in sectors])
    allowed = f"at most {MAX_VALUES:,} in all sectors"
    ways = "; ".join(f"sectors={','.join(map(str, part))}" for part in parts)
    message = (
        f"{asked}; in {len(sectors)} sectors it has {total:,} pixels x cadences; allowed: {allowed}. Ask {len(parts)} "
        f"times: {ways}. Client.lightcurve does so, and makes one light curve of the answers"
    )
    raise TooManySectorsError(message, parts, parameter="size", value=f"{rows},{columns}", allowed=allowed)


def _fits_alone(n_values: int, fits: Callable[[int], bool]) -> bool:
    return n_values <= MAX_VALUES and fits(n_values)


def split_sectors(sectors: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Sectors of requests that are small enough, in order, and as few requests as that order allows.

    Parameters
    ----------
    sectors : sequence of (int, int)
        Number of each sector, and its pixels times cadences: at most `MAX_VALUES`.
    """
    parts: list[list[int]] = []
    filled = MAX_VALUES
    for sector, n_values in sectors:
        if filled + n_values > MAX_VALUES:
            parts.append([])
            filled = 0
        parts[-1].append(sector)
        filled += n_values
    return parts
