"""Datasets of images: which files the operator serves, as one document in the bucket of cubes says."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, ValidationError, model_validator

from tessera_cloud import keys
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import DatasetsError, ObjectMissingError
from tessera_cloud.ports import ObjectReader
from tessera_cloud.settings import Settings

ImageKind: TypeAlias = Literal["fits", "asdf"]
DatasetName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)")
_NAMED = 5
"""Mistakes of a document that a message names."""


class Dataset(Wire):
    """Files of images that belong together.

    Parameters
    ----------
    name : str
        Part of addresses: small letters, digits, ``.``, ``_`` and ``-``.
    title, mission : str, optional
        For people.
    kind : {'fits', 'asdf'}, optional
        Of all files.
    uris : tuple of str, optional
        Files as ``s3://bucket/key``; or else
    bucket, prefix, suffix : str, optional
        all objects of a bucket whose keys begin and end so.
    public : bool, optional
        The files are read without credentials.
    extensions : 'first', 'all' or tuple of str, optional
        Which images of a FITS file are cut.
    bands : dict, optional
        By the name of each band the text that names of its files have in common.
    zcut : str, optional
        Name of the survey in the Zcut protocol, which is part of file names; empty for none.
    hapcut : bool, optional
        Whether the Hapcut protocol has it.
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
        """Bucket and key of each file that is listed by its address."""
        return [(match["bucket"], match["key"]) for uri in self.uris if (match := _URI.fullmatch(uri))]

    @property
    def prefixes(self) -> list[tuple[str, str]]:
        """Buckets and prefixes, or keys, of all that it may read."""
        return self.places or [(self.bucket, self.prefix)]

    @property
    def extension(self) -> Literal["all"] | list[int | str] | None:
        """As `tessera.images.file.ImageFile.choose` has it."""
        if isinstance(self.extensions, tuple):
            return [int(name) if name.isdecimal() else name for name in self.extensions]
        return "all" if self.extensions == "all" else None

    def band_of(self, name: str) -> str:
        """The band of a file; empty for none."""
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
    """Refuse a place that whoever deployed the stack did not allow.

    The stack's own bucket of cubes has room for images below ``images/files/``.

    Raises
    ------
    DatasetsError
        Naming the bucket, and those that are allowed.
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
    """Read and check the document.

    Raises
    ------
    DatasetsError
        Naming each mistake, its place and what is allowed.
    """
    try:
        found = Datasets.model_validate_json(data)
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
    """The datasets that are configured; none where there is no document."""
    try:
        data, _ = store.read(settings.cube_bucket, keys.DATASETS)
    except ObjectMissingError:
        return Datasets()
    return parse_datasets(data, settings)
