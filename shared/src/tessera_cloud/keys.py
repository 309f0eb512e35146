"""All keys that Tessera reads or writes. No other module spells a key, but `segment_keys` those of growing cubes."""

from __future__ import annotations

import re
from typing import TypeAlias

from tessera.errors import InvalidValueError
from tessera.tess.ids import CcdId
from tessera.tess.products import SPOC
from tessera_cloud.names import CubeId, frame_path

FOOTPRINT_INDEX = "index/footprints.json"
WITHDRAWN = "index/withdrawn.json"
"""Key of the list of cubes that an operator has withdrawn."""
SIDECARS = "sidecars/"
"""Prefix of the sidecars of all cubes, also of cubes in public sources."""
CUBES = "cubes/"
"""Prefix of our own cubes and their pointers."""
COVERAGE = "coverage/"
"""Prefix of the coverage of the sky: its document and its files."""
COVERAGE_DOCUMENT = f"{COVERAGE}coverage.json"
STARS = "stars/"
"""Prefix of the star catalogue of an operator."""
STAR_DOCUMENT = f"{STARS}catalogue.json"
DATASETS = "images/datasets.json"
"""Key of the document that lists the datasets of images."""
IMAGE_FILES = "images/files/"
"""Prefix of images in the bucket of cubes."""
PLAN = "plan.json"
_POINTER = "current.json"
_CUBE = re.compile(rf"{CUBES}(?P<folder>[^/]+)/(?P<build_id>[^/]+)/[^/]+-cube\.(fits|json)")

Covered: TypeAlias = CubeId | CcdId
"""A cube by its id. A CCD id means the SPOC cube of that CCD."""


def sector_frames(prefix: str, cube_id: CubeId) -> str:
    """Prefix of the frames of a cube, as MAST keeps them."""
    return prefix + cube_id.names.frame_folder(cube_id.ccd_id)


def frame(prefix: str, name: str, product: str = SPOC.name) -> str:
    """Key of a frame in MAST's layout, below the prefix of its product."""
    return prefix + frame_path(product, name)


def builds(of: Covered) -> str:
    """Prefix of all builds of a cube."""
    return f"builds/{of}/"


def generation(of: Covered) -> str:
    """Key of the number of the last listing of a cube's frames."""
    return f"{builds(of)}generation.json"


def build(of: Covered, build_id: str) -> str:
    """Prefix of all objects of one build."""
    return f"{builds(of)}{build_id}/"


def block_records(build_prefix: str) -> str:
    """Prefix of the records of finished blocks."""
    return f"{build_prefix}blocks/"


def block_record(build_prefix: str, index: int) -> str:
    """Key of the record of a finished block."""
    return f"{block_records(build_prefix)}{index:05d}.json"


def upload_record(build_prefix: str) -> str:
    """Key of the record of a build's unfinished upload."""
    return f"{build_prefix}upload.json"


def failure(build_prefix: str) -> str:
    """Key of the note of a block that failed for good."""
    return f"{build_prefix}failure.json"


def cube(of: Covered, build_id: str) -> str:
    """Key of the cube that a build makes."""
    return f"{CUBES}{of}/{build_id}/{of.cube_name}"


def current(of: Covered) -> str:
    """Key of the pointer to the current cube."""
    return f"{CUBES}{of}/{_POINTER}"


def is_pointer(key: str) -> bool:
    """Whether a key is the key of a pointer."""
    return key.startswith(CUBES) and key.endswith(f"/{_POINTER}")


def current_of(key: str) -> str | None:
    """Key of the pointer that may name the cube at a key; None if there is no cube of ours at such a key."""
    match = _CUBE.fullmatch(key)
    return f"{CUBES}{match['folder']}/{_POINTER}" if match else None


def plan_of(key: str) -> str:
    """Key of the plan of the cube at a key.

    Raises
    ------
    InvalidValueError
        If `key` is not the key of a cube.
    """
    match = _CUBE.fullmatch(key)
    if match is None:
        raise InvalidValueError("key", key, "the key of a cube")
    return f"builds/{match['folder']}/{match['build_id']}/{PLAN}"


def sidecar(etag: str) -> str:
    """Key of the sidecar of the cube with an ETag."""
    return f"{SIDECARS}{etag}.npz"


def index_run(run: str) -> str:
    """Prefix of the documents of one run of the FootprintIndex workflow."""
    return f"index/runs/{run}/"


def cube_listing(run: str) -> str:
    """Key of the list of cubes that were found in the sources."""
    return f"{index_run(run)}listing.json"


def cubes_to_read(run: str) -> str:
    """Key of the list of cubes that a run has to read."""
    return f"{index_run(run)}cubes.json"


def cube_results(run: str) -> str:
    """Prefix below which Step Functions writes how the tasks of a run ended."""
    return f"{index_run(run)}tasks"


def cube_outcome(run: str, obs_id: str) -> str:
    """Key of the outcome of reading one cube."""
    return f"{index_run(run)}rows/{obs_id}.json"


def coverage_file(product: str, name: str, part_hash: str) -> str:
    """Key of a file of the coverage, by its name for users, such as ``s0001-st.fits``."""
    stem, _, suffix = name.partition(".")
    return f"{COVERAGE}{product}/{stem}-{part_hash}.{suffix}"


def coverage_result(product: str, name: str, part_hash: str) -> str:
    """Key of the copy of a file of the coverage that is too large to be sent inline."""
    return coverage_file(product, name, part_hash).replace(COVERAGE, "results/coverage-", 1)


def star_file(content_hash: str) -> str:
    """Key of a file of stars."""
    return f"{STARS}{content_hash}.stars"


def result(request_hash: str) -> str:
    """Key of a stored answer."""
    return f"results/{request_hash}.zip"


def claim(request_hash: str) -> str:
    """Key of the note that an answer is being made."""
    return f"results/{request_hash}.claim"


def preview(request_hash: str) -> str:
    """Key of a stored preview."""
    return f"previews/{request_hash}.json"


def preview_frames(request_hash: str) -> str:
    """Key of the stored pixels of a preview."""
    return f"previews/{request_hash}.frames"


def job(job_id: str) -> str:
    """Prefix of everything that belongs to one job."""
    return f"jobs/{job_id}/"


def job_order(job_id: str) -> str:
    """Key of the order of a job."""
    return f"{job(job_id)}order.json"


def job_plan(job_id: str) -> str:
    """Key of a job's plan."""
    return f"{job(job_id)}{PLAN}"


def job_records(job_id: str) -> str:
    """Prefix of the records that the cubes of a job leave."""
    return f"{job(job_id)}records/"


def job_record(job_id: str, item: int) -> str:
    """Key of the record of one cube of a job."""
    return f"{job_records(job_id)}{item:05d}.json"


def job_file(job_id: str, name: str) -> str:
    """Key of a target pixel file of a job."""
    return f"{job(job_id)}{name}"


def partial_result(job_id: str, attempt: int) -> str:
    """Key of the archive of a job that lacks some cubes."""
    return f"{job(job_id)}partial-{attempt}.zip"


def upload(upload_id: str) -> str:
    """Key of a list of targets that a client uploads."""
    return f"uploads/{upload_id}"


def bulk(job_id: str) -> str:
    """Prefix of everything that belongs to one list of targets."""
    return f"bulk/{job_id}/"


def bulk_order(job_id: str) -> str:
    """Key of what was asked for: the options, and where the list is."""
    return f"{bulk(job_id)}order.json"


def bulk_list(job_id: str) -> str:
    """Key of the list as the client sent it."""
    return f"{bulk(job_id)}list"


def bulk_plan(job_id: str) -> str:
    """Key of the plan: the cubes, the counts and the price."""
    return f"{bulk(job_id)}{PLAN}"


def bulk_bands(job_id: str) -> str:
    """Key of the list of bands, the items of the distributed Map."""
    return f"{bulk(job_id)}bands.json"


def bulk_band(job_id: str, band: int) -> str:
    """Key of what the task of one band needs: its targets, windows and ranges of bytes."""
    return f"{bulk(job_id)}bands/{band:05d}.npz"


def bulk_records(job_id: str) -> str:
    """Prefix of the records that bands leave."""
    return f"{bulk(job_id)}records/"


def bulk_record(job_id: str, band: int) -> str:
    """Key of the record of a band that has ended: counts, and the files that it made."""
    return f"{bulk_records(job_id)}{band:05d}.json"


def bulk_band_statuses(job_id: str) -> str:
    """Prefix of the lines of ``status.csv`` that bands leave."""
    return f"{bulk(job_id)}status/"


def bulk_status(job_id: str, band: int) -> str:
    """Key of the lines of ``status.csv`` about the targets of a band."""
    return f"{bulk_band_statuses(job_id)}{band:05d}.csv"


def bulk_lost(job_id: str) -> str:
    """Key of the lines of ``status.csv`` about targets on cubes that cannot be opened."""
    return f"{bulk(job_id)}lost.csv"


def bulk_rows(job_id: str) -> str:
    """Key of the rows of the list as they were understood, with the positions of names."""
    return f"{bulk(job_id)}rows.npz"


def bulk_products(job_id: str) -> str:
    """Prefix of the products, which users get."""
    return f"{bulk(job_id)}products/"


def bulk_manifest(job_id: str) -> str:
    """Key of the list of all products of a list of targets."""
    return f"{bulk_products(job_id)}manifest.json"


def bulk_statuses(job_id: str) -> str:
    """Key of the table that says what became of each row of a list of targets."""
    return f"{bulk_products(job_id)}status.csv"


def ingest_manifest(cube_id: CubeId, frames_hash: str) -> str:
    """Key of the manifest that ingest keeps of the frames of a CCD."""
    return f"ingest/{cube_id}/{frames_hash}.json"


def ephemeris(request_hash: str) -> str:
    """Key of stored positions of a moving target."""
    return f"ephemerides/{request_hash}.json"


def dataset_index(dataset: str) -> str:
    """Key of the index of a dataset of images."""
    return f"images/index/{dataset}.json"


def image_run(run: str) -> str:
    """Prefix of the documents of one run of the ImageIndex workflow."""
    return index_run(f"images-{run}")


def image_listing(run: str) -> str:
    """Key of the list of files that were found in the datasets."""
    return f"{image_run(run)}listing.json"


def images_to_read(run: str) -> str:
    """Key of the list of files that a run has to read."""
    return f"{image_run(run)}images.json"


def image_results(run: str) -> str:
    """Prefix below which Step Functions writes how the tasks of a run ended."""
    return f"{image_run(run)}tasks"


def image_outcome(run: str, number: int) -> str:
    """Key of the outcome of reading one file."""
    return f"{image_run(run)}rows/{number:07d}.json"


def image_result(request_hash: str, suffix: str) -> str:
    """Key of a stored cutout of images, or of another answer that may be one file."""
    return f"results/{request_hash}{suffix}"
