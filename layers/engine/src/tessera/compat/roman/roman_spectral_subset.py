"""`RomanSpectralSubset`: astrocut's class that extracts the spectra of some sources from files of many sources."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from astropy.table import Table

from tessera.checks import check_choice
from tessera.errors import DataWarning, InvalidInputError, InvalidQueryError
from tessera.extras import import_extra
from tessera.images.inputs import label_inputs
from tessera.images.names import different_names, file_stem, replaceable
from tessera.io.files import write_pieces
from tessera.io.filesystems import in_filesystem
from tessera.io.outputs import create_folder
from tessera.narrator import Narrator
from tessera.roman.file import MISSION, quiet_asdf
from tessera.roman.products import SOFTWARE
from tessera.roman.spectra_reader import FileSpectra, check_range, read_spectra
from tessera.roman.spectra_writer import spectrum_bytes

if TYPE_CHECKING:
    from tessera.io.sources import Location


Grouping: TypeAlias = Literal["combined", "file", "source_file"]
"""Content of one result: all spectra, the spectra of one file, or the spectrum of one source in one file."""
_COLUMNS = {
    "source_file": ("file", "source_id", "subset"),
    "file": ("file", "source_ids", "subset"),
    "combined": ("files", "source_ids", "subset"),
}


def _listed(items: Any) -> list[str]:
    alone = isinstance(items, (str, os.PathLike, int, np.integer))
    return list(dict.fromkeys(str(item) for item in ([items] if alone else items)))


class RomanSpectralSubset:
    """Spectra of some sources from one or several files. The constructor reads them.

    Parameters
    ----------
    spectral_files : str, Path, file object, or list of them
        ASDF files with sources in ``roman.data``, each with ``wl``, ``flux``, ``flux_error`` and more.
    source_ids : str, int, or list of them
        Identifiers of the sources.
    wl_range : (float, float), optional
        Smallest and largest wavelength to keep, ends included, in the unit of the files or as Quantity.
    lite : bool, optional
        Whether to keep only wavelengths, flux and its error of a source, and the metadata of a file.
    max_workers : int, optional
        Number of files that are read at the same time; by default one per processor.
    verbose : bool, optional
        Whether to print progress on stderr. Messages that the logger ``tessera`` prints are not repeated.
    filesystem : fsspec file system, optional
        File system of the files, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.

    Attributes
    ----------
    subset_data : dict
        File to a dict of source to the data of this source.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    InvalidQueryError
        When no spectrum is found. A file without spectra, or a source without a spectrum in a file, is skipped with a
        `DataWarning`.
    """

    def __init__(  # noqa: PLR0917 - astrocut's signature
        self,
        spectral_files: Any,
        source_ids: str | int | Sequence[str | int],
        wl_range: Any = None,
        lite: bool = True,
        max_workers: int | None = None,
        verbose: bool = False,
        *,
        filesystem: Any = None,
    ) -> None:
        self._narrator = Narrator(__name__, verbose=verbose)
        self._files = label_inputs(in_filesystem(filesystem, spectral_files))
        self._source_ids = _listed(source_ids)
        if not self._source_ids:
            raise InvalidInputError("source_ids", source_ids, "an identifier, or a list of them")
        if max_workers is not None and (isinstance(max_workers, bool) or max_workers < 1):
            raise InvalidInputError("max_workers", max_workers, "an integer from 1 on, or None")
        self._wl_range, self._lite = check_range(wl_range), lite
        self._max_workers = max_workers or os.cpu_count() or 1
        self.subset()

    def subset(self) -> None:
        """Read the spectra. The constructor calls this method."""
        files = list(self._files.items())
        self._narrator.say("Processing files in parallel with up to %d workers...", self._max_workers)
        with quiet_asdf(), ThreadPoolExecutor(min(self._max_workers, len(files))) as pool:
            read = partial(read_spectra, source_ids=self._source_ids, wl_range=self._wl_range, lite=self._lite)
            found = list(pool.map(lambda file: read(file[1], file[0]), files))
        for spectra in found:
            for message in spectra.messages:
                warnings.warn(message, DataWarning, stacklevel=3)
        self._found = {spectra.file: spectra for spectra in found if spectra.sources}
        self.subset_data = {file: spectra.sources for file, spectra in self._found.items()}
        if not self._found:
            raise InvalidQueryError(
                "No subsets were created. Please verify that the source IDs are present in the spectral files and that "
                "the wavelength range overlaps with the data."
            )

    # -- selection ----------------------------------------------------------------------------------------------------

    def _select(self, spectral_files: Any, source_ids: Any) -> tuple[list[str], list[str]]:
        files = list(self._found) if spectral_files is None else _listed(spectral_files)
        for file in files:
            if file not in self._found:
                raise InvalidQueryError(f"Spectral file {file} not found in subset results.")
        known = sorted({name for file in files for name in self._found[file].sources})
        names = known if source_ids is None else _listed(source_ids)
        for name in names:
            if name not in known:
                raise InvalidQueryError(f"Source ID {name} not found in subset results.")
        return files, names

    def _trees(self, group_by: str, spectral_files: Any, source_ids: Any) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
        """Files, sources and tree of each group."""
        check_choice("group_by", group_by, _COLUMNS, f"Invalid group_by value: '{group_by}'.")
        files, names = self._select(spectral_files, source_ids)
        there = {file: [name for name in names if name in self._found[file].sources] for file in files}
        span = f" with wavelength range {self._wl_range}" if self._wl_range is not None else ""
        if group_by == "source_file":
            for file in files:
                for name in there[file]:
                    text = f"Spectral subset created for source ID {name} from file {file}{span}."
                    yield file, name, self._tree(self._found[file], self._found[file].sources[name], "id", name, text)
        elif group_by == "file":
            for file in files:
                text = f"Spectral subset created for source IDs {there[file]} from file {file}{span}."
                sources = {name: self._found[file].sources[name] for name in there[file]}
                yield file, there[file], self._tree(self._found[file], sources, "ids", there[file], text)
        else:
            text = f"Spectral subset created for source IDs {names} from files {', '.join(files)}{span}."
            yield files, names, self._combined(files, there, text)

    def _tree(self, spectra: FileSpectra, data: Any, kind: str, names: Any, text: str) -> dict[str, Any]:
        meta = {**spectra.branch["meta"], f"source_{kind}": names}
        if self._lite:
            return {MISSION: {"data": data, "meta": meta}, "history": _history(text)}
        branch = {**spectra.branch, "data": data, "meta": meta}
        return {**spectra.tree, MISSION: branch, "history": _history(text)}

    def _combined(self, files: list[str], there: Mapping[str, list[str]], text: str) -> dict[str, Any]:
        found = self._found
        data = {file: {name: found[file].sources[name] for name in there[file]} for file in files}
        meta = {file: {**found[file].branch["meta"], "source_ids": there[file]} for file in files}
        tree: dict[str, Any] = {MISSION: {"data": data, "meta": meta}, "history": _history(text)}
        if not self._lite:
            for file in files:
                for key, value in found[file].tree.items():
                    if key != MISSION:
                        tree.setdefault(f"{key}_combined", {})[file] = value
                for key, value in found[file].branch.items():
                    if key != "meta":
                        tree[MISSION].setdefault(f"{key}_combined", {})[file] = value
        return tree

    # -- results ------------------------------------------------------------------------------------------------------

    def iter_asdf_subsets(
        self, *, group_by: Grouping = "combined", spectral_files: Any = None, source_ids: Any = None
    ) -> Iterator[tuple[Any, Any, Any]]:
        """Files, sources and AsdfFile of each group. The iteration makes each when it reaches it.

        Parameters
        ----------
        group_by : {'combined', 'file', 'source_file'}, optional
            Content of a group: all spectra, the spectra of one file, or the spectrum of one source in one file.
        spectral_files, source_ids : optional
            Files and sources to select; by default all.

        Raises
        ------
        InvalidInputError
            When `group_by` is unknown.
        InvalidQueryError
            When a selected file or source has no spectrum.
        """
        asdf = import_extra("asdf", "ASDF files")
        for files, names, tree in self._trees(group_by, spectral_files, source_ids):
            yield files, names, asdf.AsdfFile(tree)

    def get_asdf_subsets(
        self, *, group_by: Grouping = "combined", spectral_files: Any = None, source_ids: Any = None
    ) -> Table:
        """Table of the items of `iter_asdf_subsets`, with the same arguments."""
        rows = list(self.iter_asdf_subsets(group_by=group_by, spectral_files=spectral_files, source_ids=source_ids))
        columns = _COLUMNS[group_by]
        if not rows:
            return Table(names=columns)
        table = {}
        for place, name in enumerate(columns):
            values: Any = [row[place] for row in rows]
            if name in ("files", "source_ids", "subset"):
                listed, values = values, np.empty(len(rows), object)
                for number, value in enumerate(listed):
                    values[number] = value
            table[name] = values
        return Table(table)

    def write_as_asdf(
        self,
        output_dir: Location = ".",
        *,
        group_by: Grouping = "combined",
        spectral_files: Any = None,
        source_ids: Any = None,
        max_workers: int | None = None,  # noqa: ARG002 - more workers are not faster
        validate_output: bool = True,
    ) -> list[str]:
        """Write ASDF files. Each file appears only when it is complete.

        Parameters
        ----------
        output_dir : str or Path, optional
            Folder of the files. It is created if it does not exist.
        group_by : {'combined', 'file', 'source_file'}, optional
            Content of one file; see `iter_asdf_subsets`.
        spectral_files, source_ids : optional
            Files and sources to select; by default all.
        max_workers : int, optional
            This argument is ignored.
        validate_output : bool, optional
            Whether to check every file against its schemas. With False, only the first file is checked.

        Returns
        -------
        list of str
            Paths of the files.

        Raises
        ------
        InvalidInputError, InvalidQueryError
            See `iter_asdf_subsets`.
        """
        folder, tag = create_folder(output_dir), "_lite" if self._lite else ""
        names: list[str] = []
        paths: list[str] = []
        for files, sources, tree in self._trees(group_by, spectral_files, source_ids):
            stem = "combined_spectral_subset" if group_by == "combined" else f"{file_stem(files)}_subset"
            source = f"_{sources}" if group_by == "source_file" else ""
            names = different_names([*names, f"{stem}{source}{tag}.asdf"])
            content = spectrum_bytes(tree, validate=validate_output or not paths)
            paths.append(write_pieces(replaceable(folder / names[-1], content), [content]).as_posix())
        return paths


def _history(text: str) -> dict[str, Any]:
    now = datetime.now(UTC)  # noqa: TID251 - the time at which the user makes the files
    return {"entries": [{"description": text, "time": now, "software": dict(SOFTWARE)}]}
