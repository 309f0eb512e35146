"""The coverage as requests read it: which files there are, and their bytes."""

from __future__ import annotations

from dataclasses import dataclass

from tessera_cloud import keys
from tessera_cloud.application.backend import HasStore
from tessera_cloud.application.coverage.parts import ALL, Coverage, CoveragePart, parse_file_name, read_coverage
from tessera_cloud.application.results import exists
from tessera_cloud.errors import NotFoundError

_NAMES = "all or a sector such as s0001, then .fits, .json, -st.fits or -st.json"


@dataclass(frozen=True, slots=True)
class CoverageFile:
    """A file of the coverage.

    Parameters
    ----------
    product : str
        Product as the document spells it.
    name : str
        Name as the document spells it, such as ``s0001-st.fits``.
    part : CoveragePart
        The part that it shows.
    """

    product: str
    name: str
    part: CoveragePart

    @property
    def key(self) -> str:
        """Key of the file."""
        return keys.coverage_file(self.product, self.name, self.part.hash)

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.part.files[self.name]

    @property
    def saved_as(self) -> str:
        """Name under which clients save the file, such as ``tess-spoc-s0001-moc.fits``."""
        stem, _, suffix = self.name.partition(".")
        part, _, space_time = stem.partition("-")
        words = [word.lower() for word in (self.product, part) if word != ALL] or [ALL]
        return f"tess-{'-'.join(words)}-{space_time}moc.{suffix}"


def current_coverage(backend: HasStore) -> Coverage:
    """Read the coverage.

    Raises
    ------
    NotFoundError
        If it was not written yet.
    """
    coverage = read_coverage(backend.store, backend.settings.cube_bucket)
    if coverage is None:
        raise NotFoundError("the coverage is not written yet; it is written when the list of cubes is, at least daily")
    return coverage


def find_file(product: str, name: str, coverage: Coverage) -> CoverageFile:
    """Find a file by its product and its name. Case does not matter, and a sector may lack its zeros.

    Raises
    ------
    NotFoundError
        If there is no such file. The message says what there is.
    """
    found = {known.lower(): known for known in coverage.products}.get(product.lower())
    if found is None:
        raise NotFoundError.named("product", product, " or ".join(coverage.products) or "none yet: there are no cubes")
    parsed = parse_file_name(name)
    if parsed is None:
        raise NotFoundError.about("file", name, _NAMES)
    of, suffix = parsed
    part = coverage.products[found].get(of)
    if part is None or of + suffix not in part.files:
        raise NotFoundError.named("file", name, f"a sector of {found} in /v1/coverage")
    return CoverageFile(found, of + suffix, part)


def read_file(file: CoverageFile, backend: HasStore) -> bytes:
    """Read a file."""
    return backend.store.read(backend.settings.cube_bucket, file.key)[0]


def copy_to_results(file: CoverageFile, backend: HasStore) -> str:
    """Copy a file to the results, unless it is there, and return its key. Results can be linked to, and expire."""
    key, bucket = keys.coverage_result(file.product, file.name, file.part.hash), backend.settings.result_bucket
    if not exists(backend.store, bucket, key):
        backend.store.write(bucket, key, read_file(file, backend))
    return key
