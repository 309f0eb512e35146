"""Write the products of a band, one target after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from tessera.bulk.curve_record import curve_record
from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.archives import FilePacker, Member, member_name
from tessera.bulk.products.curve_fits import curve_file
from tessera.bulk.products.folder import Folder, ProductFile
from tessera.bulk.products.parquet import CurveTable
from tessera.bulk.status import BulkStatus, Status
from tessera.bulk.work.made import Made
from tessera.cubes.reader import Cube
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.provenance.fits_files import add_provenance
from tessera.provenance.record import Origin

_PIXEL_BYTES = 20
"""Bytes of a pixel of a cadence in a full target pixel file."""
_ROW_BYTES = 64
"""Bytes of a cadence beside its pixels, at most."""
_HEADER_BYTES = 100_000
"""Bytes of all headers of a target pixel file, at most."""


class BandWriter:
    """Products of a band; `open_band` makes it.

    Attributes
    ----------
    files : tuple of ProductFile
        After the block of `open_band`: all files, in the order of their names.
    statuses : tuple of BulkStatus
        After the block: what became of each target, by row of the list; one for each product.
    n_ok, n_failed : int
        Targets with products, and without.
    """

    def __init__(
        self,
        folder: Folder,
        band: StoredBand,
        cube: Cube,
        options: BulkOptions,
        *,
        origin: Origin | None = None,
        vectors: AlignedVectors | None = None,
    ) -> None:
        self._band, self._cube, self._options, self._origin, self._vectors = band, cube, options, origin, vectors
        self._targets = band.targets()
        self._files: list[ProductFile] = []
        self.packer = FilePacker(folder, f"{band.cube}-{band.number:05d}", options.packing, self._files.append)
        self._statuses: list[BulkStatus] = []
        parquet = "parquet" in options.outputs
        about: Any = {"origin": origin, "vectors": vectors}
        self._table = CurveTable(folder, band, options, self._keep_table, **about) if parquet else None
        self.files: tuple[ProductFile, ...] = ()
        self.statuses: tuple[BulkStatus, ...] = ()
        self.n_ok = self.n_failed = 0

    def add(self, made: Made) -> None:
        """Write the products of a target.

        Raises
        ------
        OSError
            When a file cannot be written.
        """
        place = made.sighting
        failed = band_status(self._band, place, made.status, made.reason)
        if made.status != "ok" and made.file is None:
            self.n_failed += 1
            self._statuses.append(failed)
            return
        self.n_ok += 1
        if made.status != "ok":
            without = [product for product in self._options.outputs if product != "tpf"]
            self._statuses += [replace(failed, product=product) for product in without]
        if self._table is not None and made.curve is not None:
            self._table.add(place, made.curve)
        if "lightcurves" in self._options.outputs and made.curve is not None:
            content = self._with_record(place, curve_file(self._cube, self._band, self._targets, place, made.curve))
            member = self.packer.add(self._name(place, "lc.fits"), [content], len(content))
            self._keep_member(place, "lightcurves", member)
        if "tpf" in self._options.outputs and made.file is not None:
            pixels = int(self._band.n_rows[place]) * int(self._band.n_columns[place])
            n_bytes = self._cube.layout.n_cadences * (pixels * _PIXEL_BYTES + _ROW_BYTES) + _HEADER_BYTES
            member = self.packer.add(self._name(place, "tpf.fits"), made.file, n_bytes)
            self._keep_member(place, "tpf", member)

    def finish(self) -> None:
        """Write what waits; `open_band` calls it."""
        if self._table is not None:
            self._table.finish()
        self.packer.finish()
        self.files = tuple(sorted(self._files, key=lambda each: each.name))
        self.statuses = tuple(sorted(self._statuses, key=lambda status: (status.row, status.product)))

    def _with_record(self, place: int, content: bytes) -> bytes:
        """The FITS file of a light curve, with its record if the cube is known."""
        if self._origin is None:
            return content
        describe = partial(curve_record, self._origin, self._band, place, self._options, vectors=self._vectors)
        return b"".join(add_provenance([content], describe))

    def _name(self, place: int, ending: str) -> str:
        return member_name(self._band.cube, int(self._band.row[place]), self._band.name[place], ending)

    def _keep_member(self, place: int, product: str, member: Member) -> None:
        ok = band_status(self._band, place, "ok")
        self._statuses.append(replace(ok, product=product, file=member.file, member=member.name, sha256=member.sha256))

    def _keep_table(self, file: ProductFile, places: Sequence[int]) -> None:
        self._files.append(file)
        for place in places:
            self._keep_member(place, "parquet", Member(file.name, "", file.sha256))


@contextmanager
def open_band(
    folder: Folder,
    band: StoredBand,
    cube: Cube,
    options: BulkOptions,
    *,
    origin: Origin | None = None,
    vectors: AlignedVectors | None = None,
) -> Iterator[BandWriter]:
    """Write the products of a band. The same targets in the same order give the same files.

    Parameters
    ----------
    folder : Folder
        Folder of the results.
    band : StoredBand
        The band.
    cube : Cube
        Its cube.
    options : BulkOptions
        What to write.
    origin : Origin, optional
        What the records of light curves say of the cube; without it, they have no record.
    vectors : AlignedVectors, optional
        Cotrending vectors of the cube, if they were used.

    Yields
    ------
    BandWriter
        Takes the targets. Its files and statuses are complete after the block. After an error in the block, no
        unfinished file appears.

    Raises
    ------
    MissingPackageError
        When Parquet files are wanted and Arrow or HEALPix is not installed.
    OSError
        When a file cannot be written.
    """
    writer = BandWriter(folder, band, cube, options, origin=origin, vectors=vectors)
    with writer.packer:
        yield writer
        writer.finish()


def band_status(band: StoredBand, place: int, status: Status, reason: str = "") -> BulkStatus:
    """Row of the status table for the target at a place of a band, without a product."""
    return BulkStatus(
        int(band.row[place]),
        band.name[place],
        int(band.tic[place]),
        float(band.ra[place]),
        float(band.dec[place]),
        band.cube,
        band.sector,
        band.camera,
        band.ccd,
        bool(band.best[place]),
        status,
        reason,
    )


def failed_band(band: StoredBand, reason: str) -> tuple[BulkStatus, ...]:
    """Rows of the status table for a band of which nothing could be made, in the order of the list."""
    rows = [band_status(band, place, "error", reason) for place in range(len(band))]
    return tuple(sorted(rows, key=lambda status: status.row))
