"""The document of datasets, and the index that is made of it: mistakes are named, other buckets are not read."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tessera_cloud import keys
from tessera_cloud.application.images.datasets import Datasets, parse_datasets
from tessera_cloud.errors import DatasetsError, TransientError, UnreadImagesError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Api
from tests.support.builds import SETTINGS
from tests.support.handlers import ROOT, Handlers
from tests.support.image_service import BUCKET, IMAGE_SETTINGS, image_api, put_datasets, run_image_index
from tests.support.images import FITS_IMAGES


def fits_bytes(data: Any) -> bytes:
    """A file without a sky."""
    content = io.BytesIO()
    fits.PrimaryHDU(data).writeto(content)
    return content.getvalue()


def parse(*datasets: dict[str, Any]) -> None:
    parse_datasets(json.dumps({"datasets": datasets}).encode(), IMAGE_SETTINGS)


ALLOWED = {"name": "fine", "uris": [f"s3://{BUCKET}/a.fits"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Not Fine"}, r"datasets\.0\.name: .*'Not Fine'"),
        ({"kind": "jpeg"}, r"datasets\.0\.kind: .*'fits' or 'asdf'.*'jpeg'"),
        ({"bucket": BUCKET}, "either uris, or bucket with prefix and suffix"),
        ({"uris": []}, "either uris, or bucket with prefix and suffix"),
        ({"uris": ["https://elsewhere.example/a.fits"]}, "allowed: s3://bucket/key"),
        ({"uris": ["/etc/passwd"]}, "allowed: s3://bucket/key"),
        (
            {"uris": ["s3://other/a.fits"]},
            "other/a.fits is not in a bucket that this stack may read; allowed: pictures",
        ),
        ({"uris": [f"s3://{SETTINGS.cube_bucket}/cubes/a.fits"]}, "is not in a bucket that this stack may read"),
        ({"bands": {"r": ""}}, "a band has a name"),
        ({"title": 5}, r"datasets\.0\.title"),
        ({"colour": "red"}, r"datasets\.0\.colour: Extra inputs"),
    ],
)
def test_a_mistake_is_named(change: dict[str, Any], message: str) -> None:
    parse(ALLOWED)
    with pytest.raises(DatasetsError, match=message):
        parse(ALLOWED | change)


def test_the_example_of_the_documentation_is_valid() -> None:
    (example,) = re.findall(
        r"```json\n(.*?)```", (ROOT / "docs/guide/images.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert [dataset.kind for dataset in Datasets.model_validate_json(example).datasets] == ["fits", "asdf"]


def test_names_are_used_once() -> None:
    with pytest.raises(DatasetsError, match="fine more than once"):
        parse(ALLOWED, ALLOWED)


def test_what_is_no_json_is_named() -> None:
    with pytest.raises(DatasetsError, match=r"images/datasets\.json: document: Invalid JSON"):
        parse_datasets(b"{", IMAGE_SETTINGS)


@pytest.fixture
def handlers() -> Handlers:
    store = MemoryStore()
    store.write(BUCKET, "a.fits", (FITS_IMAGES / "gc_2mass_k.fits").read_bytes())
    put_datasets(store, [ALLOWED])
    return Api(store, IMAGE_SETTINGS).handlers


def store_of(handlers: Handlers) -> MemoryStore:
    store = handlers.services.store
    assert isinstance(store, MemoryStore)
    return store


def index(handlers: Handlers, name: str = "fine") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(store_of(handlers).objects[SETTINGS.cube_bucket, keys.dataset_index(name)])
    return document


def test_headers_are_read_and_no_pixels(handlers: Handlers) -> None:
    store = store_of(handlers)
    store.requests.clear()
    run_image_index(handlers)
    assert len([request for request in store.requests if request[0] == "read_range"]) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no FITS file at all", "OSError"),
        (fits_bytes(None), "ImageFormatError: no image with pixels"),
        (fits_bytes(np.ones((5, 5))), "ImageFormatError: it has no celestial WCS"),
        ((FITS_IMAGES / "gc_2mass_k.fits").read_bytes()[:5000], ""),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_does_not_stop_the_others(
    handlers: Handlers, data: bytes, reason: str
) -> None:
    store_of(handlers).write(BUCKET, "b.fits", data)
    put_datasets(store_of(handlers), [{"name": "fine", "bucket": BUCKET, "suffix": ".fits"}])
    summary = run_image_index(handlers)
    (failure,) = summary["failures"]
    assert (failure["dataset"], failure["name"]) == ("fine", "b.fits")
    assert failure["reason"].startswith(reason)
    assert [row["found"]["key"] for row in index(handlers)["rows"]] == ["a.fits"]


def test_a_dataset_that_cannot_be_listed_keeps_its_index(handlers: Handlers) -> None:
    run_image_index(handlers)
    store_of(handlers).delete(BUCKET, "a.fits")
    (failure,) = run_image_index(handlers)["failures"]
    assert "there is no such object" in failure["reason"]
    assert len(index(handlers)["rows"]) == 1


def test_an_empty_listing_keeps_the_index_too(handlers: Handlers) -> None:
    put_datasets(store_of(handlers), [{"name": "fine", "bucket": BUCKET, "suffix": ".fits"}])
    run_image_index(handlers)
    store_of(handlers).delete(BUCKET, "a.fits")
    assert run_image_index(handlers)["failures"][0]["reason"] == "there are no such files"
    assert len(index(handlers)["rows"]) == 1


def test_other_extensions_are_read_again_and_other_bands_are_not(handlers: Handlers) -> None:
    run_image_index(handlers)
    put_datasets(store_of(handlers), [ALLOWED | {"bands": {"k": "a.fits"}}])
    assert run_image_index(handlers)["kept"] == 1
    assert index(handlers)["rows"][0]["band"] == "k"
    put_datasets(store_of(handlers), [ALLOWED | {"extensions": "all"}])
    assert run_image_index(handlers)["read"] == 1


def test_an_index_that_would_not_change_is_not_written(handlers: Handlers) -> None:
    run_image_index(handlers)
    before = store_of(handlers).requests.count(("write", SETTINGS.cube_bucket, keys.dataset_index("fine")))
    run_image_index(handlers)
    assert before == store_of(handlers).requests.count(("write", SETTINGS.cube_bucket, keys.dataset_index("fine"))) == 1


def test_a_task_that_left_nothing_is_an_error_after_the_index_is_written(handlers: Handlers) -> None:
    ref = handlers.invoke("list_images", {"run": "one"})
    with pytest.raises(UnreadImagesError, match=r"the tasks of 1 images left no outcome; not read: a\.fits"):
        handlers.invoke("write_image_index", ref)
    assert index(handlers)["rows"] == []


def test_an_error_that_may_pass_is_tried_again(handlers: Handlers, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = handlers.invoke("list_images", {"run": "one"})
    (task,) = json.loads(store_of(handlers).objects[ref["bucket"], ref["to_read"]])

    def slow(*_: Any, **__: Any) -> bytes:
        raise TransientError("503 SlowDown")

    monkeypatch.setattr(store_of(handlers), "read_range", slow)
    with pytest.raises(TransientError, match="SlowDown"):
        handlers.invoke("read_image", task)
    assert (ref["bucket"], keys.image_outcome("one", 0)) not in store_of(handlers).objects


def test_public_datasets_are_read_without_credentials() -> None:
    public, own = MemoryStore(), MemoryStore()
    public.write(BUCKET, "a.fits", (FITS_IMAGES / "gc_2mass_k.fits").read_bytes())
    put_datasets(own, [ALLOWED | {"public": True}])
    handlers = Api(own, IMAGE_SETTINGS).handlers
    handlers.services = dataclasses.replace(handlers.services, open_public_store=lambda settings: public)
    assert run_image_index(handlers)["read"] == 1
    assert {bucket for _, bucket, _ in public.requests} == {BUCKET}
    assert {bucket for _, bucket, _ in own.requests} == {SETTINGS.cube_bucket}


@pytest.mark.slow
def test_every_real_image_of_the_tests_has_a_footprint_around_its_middle() -> None:
    api = image_api()
    for item in api.get("/v1/images").json()["datasets"]:
        for row in index(api.handlers, item["name"])["rows"]:
            for image in row["images"]:
                numbers = [float(word) for word in image["s_region"].split()[1:9]]
                middle = {"ra": sum(numbers[::2]) / 4, "dec": sum(numbers[1::2]) / 4}
                found = api.get("/v1/images/search", **middle, dataset=item["name"]).json()["images"]
                assert row["found"]["key"].endswith(tuple(each["name"] for each in found))
