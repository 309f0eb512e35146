"""Shapes are cut at once and in jobs: the file has their box, and APERTURE says which pixels are inside."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from astropy.io import fits

from tessera_cloud.application.cutouts.answer import answer_now
from tessera_cloud.application.cutouts.order import CutoutOrder, place_order
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.cutouts.shaped import Shaped
from tessera_cloud.application.jobs.plans import wanted_of
from tessera_cloud.application.jobs.records import Asker
from tessera_cloud.application.jobs.submit import submit
from tessera_cloud.application.jobs.work import cutouts
from tessera_cloud.errors import TooLargeError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, Api, sky

RA, DEC = sky(20.0, 14.0)
SMALL = f"CIRCLE {RA} {DEC} {1.2 * 21 / 3600}"
"""A circle of 1.2 pixels around the centre of a pixel."""
PLUS = [[1, 3, 1], [3, 3, 3], [1, 3, 1]]


def order(api: Api, text: str) -> CutoutOrder:
    return place_order(CutoutRequest(target=Shaped(shape=text)), api.handlers.services)


def apertures(archive: bytes) -> list[list[list[int]]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        files = [fits.open(io.BytesIO(members.read(name))) for name in members.namelist()]
    return [np.asarray(file["APERTURE"].data).tolist() for file in files]


def test_the_file_of_a_circle_marks_what_is_inside(api: Api) -> None:
    placed = order(api, SMALL)
    answer = answer_now(placed, api.handlers.services)
    assert answer.data is not None
    assert apertures(answer.data) == [PLUS, PLUS]


def test_a_job_makes_the_same_files_from_its_stored_order(api: Api) -> None:
    placed, services = order(api, SMALL), api.handlers.services
    submit(wanted_of(placed), Asker(client="x", token="y"), services, cutouts(services.settings))
    assert len(api.run_jobs()) == 1
    answered = api.get(f"/v1/jobs/{placed.id}")
    assert answered.json()["status"] == "succeeded"
    key = answered.json()["result"]["url"]
    assert key
    stored = answer_now(placed, services)
    assert stored.data is not None
    assert apertures(stored.data) == [PLUS, PLUS]


def test_orders_of_the_same_shape_have_one_id_however_it_is_written(api: Api) -> None:
    texts = [f"CIRCLE {RA} {DEC} 0.01", f"circle  {RA - 360} {DEC} 1e-2"]
    assert len({order(api, text).id for text in texts}) == 1
    again = CutoutOrder.model_validate_json(order(api, texts[0]).model_dump_json())
    assert again == order(api, texts[1])


def test_a_box_with_too_many_pixels_is_refused_with_the_name_of_the_parameter(api: Api) -> None:
    placed = order(api, "RANGE -Inf +Inf -Inf +Inf")
    with pytest.raises(TooLargeError, match="POS is 40 x 30, 1,200 pixels; allowed: at most 900") as caught:
        answer_now(placed, api.handlers.services)
    assert caught.value.parameter == "POS"


def test_a_shape_beside_the_frames_has_no_cubes(filled: MemoryStore) -> None:
    assert order(Api(filled, API_SETTINGS), f"CIRCLE {RA} {-DEC} 1").cubes == ()
