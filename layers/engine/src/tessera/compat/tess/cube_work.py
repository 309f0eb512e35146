"""What all ways to make a cube of a list of files have in common: reading frames, planning the cube and writing it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tessera.builds.arguments import check_positive
from tessera.builds.frame_files import FrameFile, hash_frame, open_frame, warn_of_temporary
from tessera.builds.frame_set import accept_update
from tessera.builds.layers import CubeLayer, FrameLayer, Layer, identity_of
from tessera.builds.update import OldCube
from tessera.builds.writing.blocks import READ_BYTES, REMOTE_READ_BYTES, plan_local_blocks
from tessera.builds.writing.writer import CubeWriter
from tessera.cubes.frames import Frame
from tessera.cubes.hashes.making import begin_record
from tessera.cubes.hashes.reading import read_record
from tessera.cubes.hdus import build_primary_header
from tessera.cubes.info_table import InfoTable
from tessera.cubes.layout import CubeLayout
from tessera.errors import DataWarning, InvalidInputError, UnreadableFrameError, reason_of
from tessera.io.locations import file_name, shown
from tessera.io.outputs import check_space
from tessera.io.sources import Location, Source
from tessera.narrator import Narrator
from tessera.progress import Counter
from tessera.provenance.record import Record
from tessera.tess.products import SPOC, Product

HEADER_READS = 16
"""Number of headers that are read at the same time."""

OnUnreadable = Literal["fail", "skip"]


@dataclass(frozen=True)
class CubeJob:
    """The parts of a cube that are known before its first pixel is read."""

    layout: CubeLayout
    layers: Sequence[Layer]
    new: FrameLayer
    primary: bytes
    info: bytes
    identity: str
    record: Record | None = None


class CubeWork:
    """Base of `CubeFactory`, which describes its attributes."""

    product: Product = SPOC
    max_memory: float
    threads: int
    on_unreadable: OnUnreadable
    filesystem: Any
    provenance: bool
    left_out: dict[str, str]
    _narrator: Narrator

    def _plan_new(self, inputs: Sequence[FrameFile], sector: int | None, date: str, *, provenance: bool) -> CubeJob:
        """Plan the cube of some frames."""
        frames = [item.frame for item in inputs]
        order = sorted(range(len(frames)), key=lambda index: frames[index].start)
        ordered = [frames[index] for index in order]
        layer = FrameLayer(ordered, [inputs[index].source for index in order], list(range(len(order))))
        return CubeJob(
            layout=self._layout(ordered[0], len(ordered)),
            layers=[layer],
            new=layer,
            primary=build_primary_header(ordered, sector, date),
            info=InfoTable.of_frames(frames).take(order).to_bytes(),
            identity=identity_of(self.product, sector, [item.source for item in inputs]),
            record=begin_record(self.product.name, self._hashes(inputs)) if provenance else None,
        )

    def _plan_update(
        self, old: OldCube, source: Source, inputs: Sequence[FrameFile], sector: int | None, date: str
    ) -> CubeJob:
        self._narrator.say("%d new images found!", len(inputs))
        frames = [item.frame for item in inputs]
        sector = accept_update(frames, old, sector)
        n_old = old.layout.n_cadences
        starts = [*old.starts, *(frame.start for frame in frames)]
        order = sorted(range(len(starts)), key=starts.__getitem__)
        place = {index: cadence for cadence, index in enumerate(order)}
        old_layer = CubeLayer(source, old.layout, old.data_offset, [place[index] for index in range(n_old)])
        sources = [item.source for item in inputs]
        new_layer = FrameLayer(frames, sources, [place[n_old + index] for index in range(len(frames))])
        return CubeJob(
            layout=self._layout(frames[0], len(order)),
            layers=[old_layer, new_layer],
            new=new_layer,
            primary=old.primary_header(frames, sector, date),
            info=old.info.append(frames).take(order).to_bytes(),
            identity=identity_of(self.product, sector, [source, *sources]),
            record=self._record_of_update(source, inputs),
        )

    def _hashes(self, inputs: Sequence[FrameFile]) -> list[dict[str, str]]:
        """Name and hash of each frame."""
        with ThreadPoolExecutor(HEADER_READS) as pool:
            hashes = pool.map(hash_frame, [item.location for item in inputs])
            return [{"name": item.frame.name, **each} for item, each in zip(inputs, hashes, strict=True)]

    def _record_of_update(self, old: Source, inputs: Sequence[FrameFile]) -> Record | None:
        """The record of a cube to which frames are added. It has one if the old cube has one."""
        known = read_record(old.name, old.size, old.read)
        if known is not None:
            return begin_record(self.product.name, [*known.record.source["frames"], *self._hashes(inputs)])
        if self.provenance:
            message = f"{old.name} has no record, so the hashes of its frames are not known."
            raise InvalidInputError("provenance", True, "False for this cube", message)
        return None

    def _layout(self, frame: Frame, n_cadences: int) -> CubeLayout:
        return CubeLayout(*frame.shape, n_cadences, self.product.n_planes)

    def _read(self, location: Location) -> FrameFile | UnreadableFrameError:
        try:
            return open_frame(location, self.product)
        except UnreadableFrameError as error:
            return error
        except OSError as error:
            if self.on_unreadable == "fail":
                raise
            return UnreadableFrameError(shown(location), reason_of(error))

    @contextmanager
    def _open(self, locations: Sequence[Location]) -> Iterator[list[FrameFile]]:
        """Open the frames and read their headers. An unreadable frame raises its error or is left out."""
        inputs: list[FrameFile] = []
        try:
            with ThreadPoolExecutor(HEADER_READS) as pool:
                for item in pool.map(self._read, locations):
                    if isinstance(item, FrameFile):
                        inputs.append(item)
                    elif self.on_unreadable == "fail":
                        raise item
                    else:
                        self.left_out[item.name] = item.reason
                        warnings.warn(f"Left out {item}", DataWarning, stacklevel=5)
            if not inputs:
                first = next(f"{name}: {reason}" for name, reason in self.left_out.items())
                allowed = f"at least one readable frame; the first is {first}"
                raise InvalidInputError("file_list", _files(len(locations)), allowed)
            warn_of_temporary(inputs)
            yield inputs
        finally:
            for item in inputs:
                item.source.close()

    def _write(self, path: Path, job: CubeJob, progress: BlockProgress, max_memory: float | None) -> None:
        memory = self.max_memory if max_memory is None else check_positive("max_memory", max_memory)
        read_bytes = REMOTE_READ_BYTES if job.new.remote else READ_BYTES // len(job.layers)
        plan = plan_local_blocks(job.layout, memory, self.threads, read_bytes)
        self._narrator.say(progress.message, plan.n_blocks, plan.rows_per_block)
        writer = CubeWriter(
            path,
            job.layout,
            job.layers,
            job.primary,
            job.info,
            job.identity,
            plan,
            self.threads,
            progress,
            job.record,
        )
        check_space("cube_file", path, writer.size)
        writer.write()


@dataclass
class BlockProgress:
    """Reports each finished block to the log and to the caller."""

    message: str
    layer: FrameLayer
    counter: Counter
    narrator: Narrator

    def __call__(self, block: int, n_blocks: int) -> None:
        """Report block number `block`, counted from 0."""
        for index, seconds in enumerate(self.layer.seconds):
            self.narrator.say("Completed file %d in %.3f sec.", index, seconds)
        self.layer.seconds[:] = [0.0] * len(self.layer.seconds)
        self.narrator.say("Completed block %d of %d", block + 1, n_blocks)
        self.counter(block + 1, n_blocks)


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number:,} files"


def without_duplicates(locations: Sequence[Location], known: set[str]) -> list[Location]:
    """Leave out frames whose file names a cube has, with a warning; raise an error if no frame is left."""
    new = []
    for location in locations:
        name = file_name(location)
        if name in known:
            warnings.warn(f"Removed duplicate file: {name}", DataWarning, stacklevel=3)
        else:
            new.append(location)
    if not new:
        message = "No new images were found in the provided file list."
        raise InvalidInputError("file_list", _files(len(locations)), "at least one new frame", message)
    return new
