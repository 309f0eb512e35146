"""Datasets of real images in a store: the operator's document, and the indexes of the ImageIndex workflow."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
from typing import Any

import numpy as np
from astropy.io import fits

from tessera_cloud import keys
from tessera_cloud.testing.memory_store import MemoryStore
from tessera_local.stack import Stack
from tests.support.api import API_SETTINGS, Api
from tests.support.builds import SETTINGS
from tests.support.handlers import Handlers
from tests.support.images import FITS_IMAGES, ROMAN, tan_header

BUCKET = "pictures"
"""A bucket that is not the stack's, and that the settings allow."""
SDSS, TWO_MASS, HST, ROMAN_L2 = "sdss", "2mass", "hst", "roman"
MOSAIC = "hst_skycell-p2007x09y05_wfc3_ir_f160w_coarse_drz.fits"
SDSS_FILES = [f"reprojected_sdss_{band}.fits.bz2" for band in "gri"]
DATASETS: list[dict[str, Any]] = [
    {
        "name": SDSS,
        "title": "Galaxies in three bands",
        "mission": "SDSS",
        "uris": [f"s3://{BUCKET}/sdss/{name}" for name in SDSS_FILES],
        "bands": {"g": "_sdss_g", "r": "_sdss_r", "i": "_sdss_i"},
        "public": True,
        "zcut": "sdss_three",
    },
    {"name": TWO_MASS, "bucket": BUCKET, "prefix": "galactic/", "suffix": ".fits", "zcut": "galactic_centre"},
    {
        "name": HST,
        "bucket": SETTINGS.cube_bucket,
        "prefix": "images/files/",
        "extensions": ["SCI", "WHT"],
        "hapcut": True,
    },
    {"name": ROMAN_L2, "kind": "asdf", "uris": [f"s3://{BUCKET}/roman/roman_like_wfi07_l2_window.asdf"]},
]
IMAGE_SETTINGS = dataclasses.replace(API_SETTINGS, image_buckets=frozenset({BUCKET}))
CENTRE: dict[str, Any] = {"ra": 266.4, "dec": -28.93}
"""A position on the images of the centre of the Galaxy."""
TRIPLE: dict[str, Any] = {"ra": 313.17, "dec": -5.70}
"""A position on the images in three bands."""
ROMAN_PLACE = {"ra": 8.782, "dec": -44.07}
_RUNS = itertools.count()


def mosaic() -> bytes:
    """A file with an image and its weights, in the layout of Hubble's mosaics."""
    with fits.open(FITS_IMAGES / "gc_2mass_k.fits") as source:
        header, data = source[0].header, source[0].data
        images = [fits.ImageHDU(data, header, name="SCI"), fits.ImageHDU(data * 2, header, name="WHT")]
        content = io.BytesIO()
        fits.HDUList([fits.PrimaryHDU(), *images]).writeto(content)
    return content.getvalue()


def image_api(store: MemoryStore | None = None) -> Api:
    """An API with indexed datasets."""
    store = store or MemoryStore()
    put_images(store)
    api = Api(store, IMAGE_SETTINGS)
    run_image_index(api.handlers)
    return api


def put_images(store: MemoryStore) -> None:
    """Write the files and the document that lists the datasets."""
    for name in SDSS_FILES:
        store.write(BUCKET, f"sdss/{name}", (FITS_IMAGES / name).read_bytes())
    for name in ("gc_2mass_k.fits", "gc_msx_e.fits"):
        store.write(BUCKET, f"galactic/{name}", (FITS_IMAGES / name).read_bytes())
    store.write(BUCKET, "galactic/readme.txt", b"not an image")
    store.write(SETTINGS.cube_bucket, f"images/files/{MOSAIC}", mosaic())
    for path in ROMAN.glob("roman_like*.asdf"):
        store.write(BUCKET, f"roman/{path.name}", path.read_bytes())
    put_datasets(store, DATASETS)


def put_images_on(stack: Stack) -> None:
    """The same on the one-machine stack, in a bucket that its parameter ImageBuckets names."""
    store, cubes = MemoryStore(), stack.bucket("CubeBucket")
    put_images(store)
    stack.s3.create_bucket(Bucket=BUCKET)
    for (bucket, key), data in store.objects.items():
        stack.s3.put_object(Bucket=BUCKET if bucket == BUCKET else cubes, Key=key, Body=data)
    document = json.dumps({"datasets": DATASETS}).replace(f'"{SETTINGS.cube_bucket}"', json.dumps(cubes))
    stack.s3.put_object(Bucket=cubes, Key=keys.DATASETS, Body=document.encode())


def put_datasets(store: MemoryStore, datasets: list[dict[str, Any]]) -> None:
    """Write the document that lists the datasets, as the operator does."""
    store.write(SETTINGS.cube_bucket, keys.DATASETS, json.dumps({"datasets": datasets}).encode())


def run_image_index(handlers: Handlers) -> dict[str, Any]:
    """Run the steps of the ImageIndex state machine."""
    ref = handlers.invoke("list_images", {"run": f"run-{next(_RUNS)}"})
    for task in json.loads(handlers.services.store.read(ref["bucket"], ref["to_read"])[0]):
        handlers.invoke("read_image", task)
    summary: dict[str, Any] = handlers.invoke("write_image_index", ref)
    return summary


def put_place(api: Api, name: str, ra: float, dec: float) -> None:
    """Add a dataset with one small image around a position, in every protocol, and index it."""
    content = io.BytesIO()
    pixels = np.arange(2500, dtype=np.float32).reshape(50, 50)
    fits.PrimaryHDU(pixels, tan_header(50, 50, ra=ra, dec=dec)).writeto(content)
    assert isinstance(api.store, MemoryStore)
    api.store.write(SETTINGS.cube_bucket, f"images/files/{name}.fits", content.getvalue())
    uris = [f"s3://{SETTINGS.cube_bucket}/images/files/{name}.fits"]
    put_datasets(api.store, [{"name": name, "uris": uris, "zcut": name, "hapcut": True, "bands": {"a": name}}])
    run_image_index(api.handlers)
