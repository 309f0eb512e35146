"""The functions of images do their work within their policies; see `test_calls`."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tessera_cloud.errors import FatalError
from tests.support.api import Api
from tests.support.image_service import (
    BUCKET,
    CENTRE,
    HST,
    IMAGE_SETTINGS,
    SDSS,
    TRIPLE,
    TWO_MASS,
    put_images,
    run_image_index,
)
from tests.template import test_calls
from tests.template.reviewed import IMAGES
from tests.template.test_calls import PolicedHandlers, PolicedStore


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setitem(test_calls.BUCKETS, BUCKET, IMAGES)
    store = PolicedStore()
    put_images(store)
    found = Api(store, IMAGE_SETTINGS)
    found.handlers = PolicedHandlers(store)
    found.handlers.services = dataclasses.replace(found.handlers.services, settings=IMAGE_SETTINGS)
    return found


def test_the_workflow_is_allowed_to_do_what_it_does(api: Api) -> None:
    assert run_image_index(api.handlers)["read"] == 7
    assert run_image_index(api.handlers)["kept"] == 7


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/images", {}),
        ("/v1/images/search", CENTRE),
        (f"/v1/images/{TWO_MASS}/cutout", CENTRE),
        (f"/v1/images/{HST}/cutout", CENTRE),
        (f"/v1/images/{SDSS}/cutout", {**TRIPLE, "format": "png", "bands": "i,r,g"}),
        ("/zcut/api/v0.1/survey", CENTRE),
        ("/zcut/api/v0.1/astrocut", {**CENTRE, "x": 5, "y": 5}),
        ("/hapcut/api/v0.1/astrocut", {**CENTRE, "x": 5, "y": 5}),
    ],
)
def test_what_may_be_asked_may_be_answered(api: Api, path: str, query: dict[str, Any]) -> None:
    run_image_index(api.handlers)
    answer = api.get(path, **query)
    assert answer.status == 200, answer.content


def test_a_large_answer_may_be_stored_and_linked_to(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 1000)
    run_image_index(api.handlers)
    for _ in range(2):
        assert api.get(f"/v1/images/{TWO_MASS}/cutout", **CENTRE, size=50).status == 303


def test_nothing_but_images_may_be_read_in_the_bucket_of_cubes(api: Api) -> None:
    store = api.handlers.services.store
    assert isinstance(store, PolicedStore)
    store.function = "ImageApiFunction"
    with pytest.raises(FatalError, match="may not s3:GetObject on CubeBucket/cubes/x"):
        store.read("cubes", "cubes/x")
