"""Datasets of images: the files that the operator serves. One document in the bucket of cubes lists them."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, ValidationError, model_validator

from tessera_cloud import keys
from tessera_cloud.application.backend import HasPublicStore
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import DatasetsError, ObjectMissingError
from tessera_cloud.ports import ObjectReader, ObjectStore
from tessera_cloud.settings import Settings

ImageKind: TypeAlias = Literal["fits", "asdf"]
DatasetName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)")
_NAMED = 5
"""Largest number of mistakes that a message names."""


class Dataset(Wire):
    """A group of files of images.

    Parameters
    ----------
    name : str
        Name, which is part of addresses: small letters, digits, ``.``, ``_`` and ``-``.
    title, mission : str, optional
        Title and mission, for people.
    kind : {'fits', 'asdf'}, optional
        Format of all files.
    uris : tuple of str, optional
        Addresses of the files as ``s3://bucket/key``. Give either this or `bucket`, `prefix` and `suffix`.
    bucket, prefix, suffix : str, optional
        Bucket of the files, and beginning and end of their keys. All such objects belong to the dataset.
    public : bool, optional
        Whether the files are read without credentials.
    extensions : 'first', 'all' or tuple of str, optional
        Images of a FITS file that are cut.
    bands : dict, optional
        Name of each band to a text that is part of the names of all its files.
    zcut : str, optional
        Name of the survey in the Zcut protocol and in its file names; empty if the dataset is in no survey.
    hapcut : bool, optional
        Whether the Hapcut protocol serves the dataset.
    """

    name: DatasetName
    title: str = ""
    mission: str = ""
    kind: ImageKind = "fits"
    uris: tuple[str, ...] = ()
    bucket: str = ""
    prefix: str = ""
    suffix: str = ""
    public: bool = False
    extensions: Literal["first", "all"] | tuple[str, ...] = "first"
    bands: dict[str, str] = Field(default_factory=dict)
    zcut: Annotated[str, Field(pattern=r"^[\w.+-]{0,64}$")] = ""
    hapcut: bool = False

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.uris) == bool(self.bucket):
            raise ValueError("either uris, or bucket with prefix and suffix")
        for uri in self.uris:
            if not _URI.fullmatch(uri):
                raise ValueError(f"uris has {uri[:200]!r}; allowed: s3://bucket/key")
        if any(not name or not text for name, text in self.bands.items()):
            raise ValueError("a band has a name, and a text that names of its files have in common")
        return self

    @property
    def places(self) -> list[tuple[str, str]]:
        """Bucket and key of each file in `uris`."""
        return [(match["bucket"], match["key"]) for uri in self.uris if (match := _URI.fullmatch(uri))]

    @property
    def prefixes(self) -> list[tuple[str, str]]:
        """Pairs of bucket and prefix, or of bucket and key, that cover all its files."""
        return self.places or [(self.bucket, self.prefix)]

    @property
    def extension(self) -> Literal["all"] | list[int | str] | None:
        """Choice of extensions, as `tessera.images.file.ImageFile.choose` takes it."""
        if isinstance(self.extensions, tuple):
            return [int(name) if name.isdecimal() else name for name in self.extensions]
        return "all" if self.extensions == "all" else None

    def band_of(self, name: str) -> str:
        """Band of a file by its name; empty for none."""
        return next((band for band, text in self.bands.items() if text in name), "")


class Datasets(Wire):
    """The document ``images/datasets.json``."""

    datasets: tuple[Dataset, ...] = ()

    @model_validator(mode="after")
    def _different(self) -> Self:
        names = [dataset.name for dataset in self.datasets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} more than once; allowed: each name once")
        return self


def check_bucket(dataset: Dataset, settings: Settings) -> None:
    """Check that the stack may read the places of a dataset.

    The parameter ImageBuckets allows buckets. The stack's own bucket of cubes is allowed below ``images/files/``.

    Raises
    ------
    DatasetsError
        If a bucket is not allowed. The message names it and the allowed ones.
    """
    for bucket, key in dataset.prefixes:
        own = bucket == settings.cube_bucket and key.startswith(keys.IMAGE_FILES)
        if not own and bucket not in settings.image_buckets:
            allowed = ", ".join([*sorted(settings.image_buckets), f"{settings.cube_bucket}/{keys.IMAGE_FILES}"])
            raise DatasetsError(
                f"dataset {dataset.name}: {bucket}/{key} is not in a bucket that this stack may read; "
                f"allowed: {allowed}; more with the parameter ImageBuckets"
            )


def parse_datasets(data: bytes, settings: Settings) -> Datasets:
    """Parse and check the document.

    Raises
    ------
    DatasetsError
        If there are mistakes. The message names the first ones, their places and what is allowed.
    """
    try:
        found = Datasets.model_validate_json(data, extra="forbid")
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False)
        told = [
            f"{'.'.join(map(str, each['loc'])) or 'document'}: {each['msg'].removeprefix('Value error, ')}"
            f" (is {str(each['input'])[:80]!r})"
            for each in mistakes[:_NAMED]
        ]
        more = f"; and {len(mistakes) - _NAMED} more" if len(mistakes) > _NAMED else ""
        raise DatasetsError(f"{keys.DATASETS}: {'; '.join(told)}{more}") from error
    for dataset in found.datasets:
        check_bucket(dataset, settings)
    return found


def read_datasets(store: ObjectReader, settings: Settings) -> Datasets:
    """Read the datasets that the operator has configured; no datasets if there is no document."""
    try:
        data, _ = store.read(settings.cube_bucket, keys.DATASETS)
    except ObjectMissingError:
        return Datasets()
    return parse_datasets(data, settings)


def store_of(backend: HasPublicStore, *, public: bool) -> ObjectStore:
    """Store that reads the files of a dataset, which is `public` or not."""
    return backend.public_store if public else backend.store
