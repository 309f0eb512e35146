"""Puts a catalogue of stars into the bucket of cubes: that of the demonstration, or one of the user's own tables."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from tessera_cloud import keys
from tessera_cloud.application.neighbours.layout import RECORD, StarFile
from tessera_cloud.application.neighbours.make import Made, make_star_file, put_star_file
from tessera_cloud.application.neighbours.tables import StarTable
from tessera_cloud.bootstrap import writer_of
from tessera_local.demo import demonstration
from tessera_local.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DEMONSTRATION = "Demonstration"
"""Name of the catalogue of the demonstration. A star's number is its place among the stars of the sector, from 1."""


def put_stars(s3: "S3Client", bucket: str, tables: Sequence[str | StarTable], name: str, epoch: float | None) -> Made:
    """Make a catalogue and serve it; see `make_star_file` for the arguments and errors."""
    with TemporaryDirectory() as folder:
        made = make_star_file(tables, name, epoch, Path(folder) / "stars")
        put_star_file(made, writer_of(s3), bucket)
    return made


def put_demonstration_stars(stack: Stack) -> None:
    """Serve the stars of the demonstration, unless there is a catalogue of the user's."""
    bucket = stack.bucket("CubeBucket")
    if _name_of_current(stack.s3, bucket) in (None, DEMONSTRATION):
        put_stars(stack.s3, bucket, [demonstration_stars()], DEMONSTRATION, None)


def demonstration_stars() -> StarTable:
    """Stars of the demonstration, which do not move."""
    stars = demonstration.catalogue()
    records = np.zeros(len(stars.ra), RECORD)
    records["id"] = np.arange(1, len(records) + 1)
    records["ra"], records["dec"], records["magnitude"] = stars.ra % 360.0, stars.dec, stars.magnitude
    records["pm_ra"] = records["pm_dec"] = np.nan
    return StarTable(records, 2018.6)


def _name_of_current(s3: "S3Client", bucket: str) -> str | None:
    try:
        body = s3.get_object(Bucket=bucket, Key=keys.STAR_DOCUMENT)["Body"]
    except s3.exceptions.NoSuchKey:
        return None
    return StarFile.model_validate_json(body.read()).name
