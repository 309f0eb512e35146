"""Read the parts of a cube that an update keeps: its shape, its info table and its primary header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from astropy.io import fits

from tessera.cubes.checks import read_table
from tessera.cubes.frames import Frame, ReadBytes
from tessera.cubes.hdus import build_primary_header
from tessera.cubes.info_table import InfoTable
from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import read_cube_layout
from tessera.errors import CubeFormatError, InconsistentFramesError
from tessera.fits.hdus import format_hdu
from tessera.fits.headers import Header, padded
from tessera.tess.products import PRODUCTS, Product


@dataclass(frozen=True)
class OldCube:
    """A cube to which frames are added.

    Parameters
    ----------
    name : str
        File name of the cube.
    product : Product
        Kind of its frames.
    primary : Header
        Primary header of the cube.
    layout : CubeLayout
        Shape of the cube.
    data_offset : int
        Position of the first byte of its array in the file.
    info : InfoTable
        Cards of its frames.
    """

    name: str
    product: Product
    primary: Header
    layout: CubeLayout
    data_offset: int
    info: InfoTable

    @property
    def starts(self) -> list[float]:
        """Start of each exposure, in the unit of the frames' cards (days).

        Raises
        ------
        CubeFormatError
            When the info table does not have all of them.
        """
        values = self.info.columns[self.product.start].values
        if any(value is None for value in values):
            raise CubeFormatError(f"{self.name}: {self.product.start} is missing in the info table")
        return [float(value) for value in values if value is not None]

    @property
    def named_sector(self) -> int | None:
        """Sector in the names of its frames; None if they have none."""
        match = self.product.frame_sector.search(self.info.files[0])
        return int(match[1]) if match else None

    @property
    def sector(self) -> int | None:
        """Sector by its card, or else by the names of its frames; None if neither tells it."""
        known = self.primary.get("SECTOR")
        return known if isinstance(known, int) else self.named_sector

    def check(self, frames: Sequence[Frame]) -> None:
        """Check that frames can be added.

        Raises
        ------
        InconsistentFramesError
            When a frame differs in a card, or the cube already has its exposure. The message names the frame and the
            card.
        """
        starts = set(self.starts)
        shape = (self.layout.n_rows, self.layout.n_columns)
        detector = tuple(self.info.columns[keyword].values[0] for keyword in self.product.detector)
        for frame in frames:
            if frame.shape != shape:
                raise InconsistentFramesError(frame.name, f"NAXIS2, NAXIS1 are {frame.shape}, of {self.name} {shape}")
            if frame.detector != detector:
                keywords = ", ".join(self.product.detector)
                raise InconsistentFramesError(frame.name, f"{keywords} are {frame.detector}, of {self.name} {detector}")
            if None not in (frame.sector, self.sector) and frame.sector != self.sector:
                raise InconsistentFramesError(frame.name, f"its sector is {frame.sector}, of {self.name} {self.sector}")
            if frame.start in starts:
                reason = f"{self.name} already has a frame with {self.product.start} {frame.start}"
                raise InconsistentFramesError(frame.name, reason)

    def primary_header(self, new: Sequence[Frame], sector: int | None, date: str, *, history: bool = True) -> bytes:
        """Build the primary header of the new cube: as `build_primary_header` of all frames, plus HISTORY.

        Parameters
        ----------
        new : sequence of Frame
            Frames that are added.
        sector : int or None
            Value of the SECTOR card; None leaves it undefined.
        date : str
            Date of the update, YYYY-MM-DD.
        history : bool, optional
            Whether HISTORY cards are added.
        """
        earliest = min(new, key=lambda frame: frame.start)
        latest = max(new, key=lambda frame: frame.start)
        lines = [f"Updated on {date} with new image delivery.", f"First image is {earliest.name}."]
        header = fits.Header.fromstring(self.primary.text)
        if earliest.start < min(self.starts):
            started = build_primary_header([earliest], sector, date)
            previous = [str(line) for line in header["HISTORY"]] if "HISTORY" in header else []
            last = {keyword: (header[keyword], header.comments[keyword]) for keyword in self.product.from_last}
            header = fits.Header.fromstring(started)
            lines = previous + lines
            for keyword, value in last.items():
                header[keyword] = value
        for keyword in ("CHECKSUM", "DATASUM"):
            header.remove(keyword, ignore_missing=True)
        header["DATE"] = date
        header["SECTOR"] = (sector, "Observing sector")
        if latest.start > max(self.starts):
            for keyword in self.product.from_last:
                header[keyword] = (latest.science.get(keyword), latest.science.comment(keyword))
        for line in lines if history else ():
            header.add_history(line)
        return format_hdu(fits.PrimaryHDU(header=header).header)


def read_old_cube(name: str, file_size: int, read: ReadBytes, product: Product) -> OldCube:
    """Read the parts of a cube that an update keeps.

    Parameters
    ----------
    name, file_size, read
        See `tessera.cubes.reader.read_cube`.
    product : Product
        Kind of the frames that are added.

    Raises
    ------
    CubeFormatError
        When the file is not a cube, is damaged, or is a cube of another product.
    """
    primary, layout, data_offset = read_cube_layout(name, file_size, read)
    table = data_offset + padded(layout.data_bytes)
    info = InfoTable.parse(name, read_table(name, file_size, read, table))
    if product.start not in info.columns:
        other = next((item.name for item in PRODUCTS.values() if item.start in info.columns), "no known")
        raise CubeFormatError(f"{name} is a cube of {other} frames; {product.name} frames cannot be added")
    if len(info.files) != layout.n_cadences:
        raise CubeFormatError(f"{name}: {len(info.files)} rows in the info table, {layout.n_cadences} cadences")
    return OldCube(name, product, primary, layout, data_offset, info)
