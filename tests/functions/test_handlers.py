"""Every function runs its sample event."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import pytest
from astropy.io import fits
from pydantic import ValidationError

from tessera.sky.wcs import frame_wcs
from tessera_cloud.application.builds.build_block import build_block
from tessera_cloud.contracts import BuildRequest, PlanRef, UploadRef
from tessera_cloud.errors import TransientError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import SETTINGS, plan, run_build, store_with, task
from tests.support.frames import NamedFrame, centred_wcs, spoc_frame, tiny_error, tiny_flux, tiny_sector
from tests.support.handlers import NAMES, ROOT, Handlers, sample_event

SHAPE = (1200, 500)
FRAMES = tiny_sector(3, SHAPE)


@pytest.fixture
def handlers() -> Handlers:
    """A store in which what the sample events refer to exists."""
    store = store_with(FRAMES)
    ref, sample = plan(store), PlanRef.model_validate(sample_event("begin_upload"))
    for (bucket, key), data in list(store.objects.items()):
        if key.startswith(ref.prefix):
            store.objects[bucket, key.replace(ref.build_id, sample.build_id)] = data.replace(
                ref.build_id.encode(), sample.build_id.encode()
            )
    upload = UploadRef.model_validate(sample_event("build_block")["upload"])
    assert upload.upload_id is not None
    store.uploads[upload.upload_id] = (upload.bucket, upload.key, {})
    return Handlers(store)


def test_every_function_has_a_sample_event() -> None:
    assert sorted(path.stem for path in (ROOT / "events").glob("*.json")) == NAMES


def test_plan_cube_answers_with_a_reference_to_a_plan(handlers: Handlers) -> None:
    answer = handlers.invoke("plan_cube", sample_event("plan_cube"))
    ref = PlanRef.model_validate(answer)
    assert (ref.ccd, ref.bucket) == ("s0001-4-2", SETTINGS.cube_bucket)


def test_begin_upload_answers_with_an_upload_of_the_planned_key(handlers: Handlers) -> None:
    upload = UploadRef.model_validate(handlers.invoke("begin_upload", sample_event("begin_upload")))
    assert upload.key.endswith("tess-s0001-4-2-cube.fits")


def test_build_block_answers_small(handlers: Handlers) -> None:
    assert handlers.invoke("build_block", sample_event("build_block")) == {
        "block": 0,
        "parts": 1,
        "size": 5_244_000,
        "built": True,
    }


def test_complete_upload_publishes(handlers: Handlers) -> None:
    state = sample_event("complete_upload")
    ref, upload = PlanRef.model_validate(state["plan"]), UploadRef.model_validate(state["upload"])
    for block in ref.blocks:
        build_block(task(ref, upload, block), store=handlers.services.store)
    assert handlers.invoke("complete_upload", state)["obs_id"] == "tess-s0001-4-2"


def test_abort_upload_leaves_no_upload(handlers: Handlers) -> None:
    event = sample_event("abort_upload")
    assert handlers.invoke("abort_upload", event) == {**event["error"], "aborted": True}
    assert not handlers.services.store.uploads  # type: ignore[attr-defined]


def test_ingest_asks_for_a_listing_of_what_a_notification_names(handlers: Handlers) -> None:
    assert handlers.invoke("ingest", sample_event("ingest")) == {"batchItemFailures": []}
    ((due, message),) = handlers.queue.messages
    assert due == 900
    assert json.loads(message)["sweep"] == "SPOC/s0001"


def test_ingest_asks_for_listings_of_all_sectors_when_the_clock_says_so(handlers: Handlers) -> None:
    assert handlers.invoke("ingest", {"source": "aws.events", "detail-type": "Scheduled Event"}) == {"asked": 1}
    assert handlers.queue.take() == ['{"sweep": "SPOC/s0001"}']


def test_ingest_tells_which_messages_must_arrive_again(handlers: Handlers) -> None:
    event = sample_event("ingest")
    event["Records"].append(event["Records"][0] | {"messageId": "check", "body": '{"sweep": "SPOC/s0001"}'})

    def refuse(kind: str, prefix: str = "") -> Any:
        raise TransientError("the table is busy")

    handlers.state.query = refuse  # type: ignore[method-assign]
    answer = handlers.invoke("ingest", event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "check"}]}


def test_clean_cubes_leaves_what_is_served(handlers: Handlers) -> None:
    run_build(handlers.services.store)
    assert handlers.invoke("clean_cubes", sample_event("clean_cubes")) == {"deleted": []}


def test_an_unknown_field_of_a_request_is_refused(handlers: Handlers) -> None:
    with pytest.raises(ValidationError, match="surprise"):
        handlers.invoke("plan_cube", sample_event("plan_cube") | {"surprise": 1})


def test_a_step_ignores_what_a_later_release_adds_to_its_input(handlers: Handlers) -> None:
    plan = handlers.invoke("plan_cube", sample_event("plan_cube"))
    assert handlers.invoke("begin_upload", plan | {"surprise": 1}) == handlers.invoke("begin_upload", plan)


# ---------------------------------------------------------------- the API

RA, DEC = (float(value) for value in frame_wcs(dict(centred_wcs((40, 30)))).all_pix2world([[14.2, 20.3]], 0)[0])


def same_field_in_sector_two() -> list[NamedFrame]:
    """Frames of another sector that look at the same sky."""
    return [
        spoc_frame(
            sector=2,
            cadence_index=cadence,
            flux=tiny_flux(cadence, (40, 30)),
            error=tiny_error(cadence, (40, 30)),
            wcs_cards=centred_wcs((40, 30)),
            tstart=1355.0 + cadence,
            tstop=1355.5 + cadence,
        )
        for cadence in range(4)
    ]


@pytest.fixture(scope="module")
def api() -> Handlers:
    store = store_with([*tiny_sector(5, (40, 30)), *same_field_in_sector_two()])
    run_build(store)
    run_build(store, BuildRequest(sector=2, camera=4, ccd=2))
    return Handlers(store)


def call(api: Handlers, path: str, method: str = "GET", body: str = "", **query: list[str]) -> dict[str, Any]:
    event = sample_event("cutout_api")
    event["path"] = event["resource"] = event["requestContext"]["resourcePath"] = f"/tesscut/api/v0.1/{path}"
    event["httpMethod"] = event["requestContext"]["httpMethod"] = method
    event["multiValueQueryStringParameters"] = query or None
    event["queryStringParameters"] = {name: values[-1] for name, values in query.items()} or None
    event["body"] = base64.b64encode(body.encode()).decode()
    answer: dict[str, Any] = api.invoke("cutout_api", event)
    return answer


def content_type(answer: dict[str, Any]) -> str:
    value: str = answer["multiValueHeaders"]["Content-Type"][0]
    return value


def members(answer: dict[str, Any]) -> list[str]:
    assert answer["isBase64Encoded"]
    return zipfile.ZipFile(io.BytesIO(base64.b64decode(answer["body"]))).namelist()


def test_the_sample_event_is_a_cutout_request(api: Handlers) -> None:
    answer = api.invoke("cutout_api", sample_event("cutout_api"))
    assert answer["statusCode"] == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_sector_lists_the_ccds_as_strings(api: Handlers, method: str) -> None:
    query: dict[str, Any] = {"ra": [str(RA)], "dec": [str(DEC)]} if method == "GET" else {}
    body = f"ra={RA}&dec={DEC}&radius=0.0" if method == "POST" else ""
    answer = call(api, "sector", method, body, **query)
    assert content_type(answer) == "application/json; charset=UTF-8"
    assert answer["body"] == (
        '{"results": [{"sectorName": "tess-s0001-4-2", "sector": "0001", "camera": "4", "ccd": "2"}, '
        '{"sectorName": "tess-s0002-4-2", "sector": "0002", "camera": "4", "ccd": "2"}]}'
    )


def test_nobody_sees_the_other_side_of_the_sky(api: Handlers) -> None:
    answer = call(api, "sector", ra=["10"], dec=["60"])
    assert (answer["statusCode"], answer["body"]) == (200, '{"results": []}')
    answer = call(api, "astrocut", ra=["10"], dec=["60"], y=["5"], x=["5"])
    assert answer["statusCode"] == 200
    assert '"msg": "No FFIs found' in answer["body"]


@pytest.mark.parametrize(
    ("sectors", "expected"), [([], [1, 2]), (["1"], [1]), (["[1, 2]"], [1, 2]), (["1", "2"], [1, 2]), (["2"], [2])]
)
def test_a_cutout_of_every_wanted_sector_is_a_member(api: Handlers, sectors: list[str], expected: list[int]) -> None:
    query: dict[str, Any] = {"ra": [str(RA)], "dec": [str(DEC)], "y": ["7"], "x": ["5.0"]} | (
        {"sector": sectors} if sectors else {}
    )
    answer = call(api, "astrocut", **query)
    assert content_type(answer) == "application/zip"
    assert members(answer) == [f"tess-s{s:04d}-4-2_{RA:.6f}_{DEC:.6f}_5x7_astrocut.fits" for s in expected]


def test_a_member_is_a_target_pixel_file(api: Handlers) -> None:
    answer = call(api, "astrocut", "POST", f"ra={RA}&dec={DEC}&y=7&x=5&units=px&sector=1")
    archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(answer["body"])))
    hdus = fits.open(io.BytesIO(archive.read(archive.namelist()[0])))
    assert hdus["PIXELS"].data["FLUX"].shape == (5, 7, 5)


def test_a_cutout_reads_only_its_rows_once_the_cube_is_known(api: Handlers) -> None:
    store = api.services.store
    api.services.cubes.cubes.clear()
    query: dict[str, Any] = {"ra": [str(RA)], "dec": [str(DEC)], "y": ["7"], "x": ["5"], "sector": ["1"]}

    def cube_reads() -> int:
        store.requests.clear()  # type: ignore[attr-defined]
        api.services.answers._kept.clear()
        call(api, "astrocut", **query)
        return sum(key.endswith("-cube.fits") for _, _, key in store.requests)  # type: ignore[attr-defined]

    for key in [key for key in store.objects if key[1].startswith("sidecars/")]:  # type: ignore[attr-defined]
        del store.objects[key]  # type: ignore[attr-defined]
    assert 7 < cube_reads() <= 7 + 3
    assert cube_reads() == 7
    api.services.cubes.cubes.clear()
    assert cube_reads() == 7  # another environment finds the sidecar


def test_a_large_answer_is_stored_and_found_with_303(api: Handlers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 1000)
    answer = call(api, "astrocut", ra=[str(RA)], dec=[str(DEC)], y=["5"], x=["5"])
    assert answer["statusCode"] == 303
    location = answer["multiValueHeaders"]["Location"][0]
    key = location.split(".example/")[1].split("?")[0]
    stored = api.services.store.objects[SETTINGS.result_bucket, key]  # type: ignore[attr-defined]
    assert len(zipfile.ZipFile(io.BytesIO(stored)).namelist()) == 2


@pytest.mark.parametrize(("row", "column"), [(0.2, 15.1), (20.1, 29.3), (39.2, 15.1), (20.1, 0.2)])
def test_an_edge_that_bulges_out_of_the_polygon_is_still_found(api: Handlers, row: float, column: float) -> None:
    ra, dec = frame_wcs(dict(centred_wcs((40, 30)))).all_pix2world([[column, row]], 0)[0]
    answer = call(api, "astrocut", ra=[str(ra)], dec=[str(dec)], y=["1"], x=["1"], sector=["1"])
    assert content_type(answer) == "application/zip"


def test_an_unknown_path_is_404(api: Handlers) -> None:
    answer = call(api, "nothing")
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"]) == {"msg": "no such path; see /docs"}


def test_a_cutout_that_only_touches_the_footprint_is_no_data(api: Handlers) -> None:
    ra, dec = frame_wcs(dict(centred_wcs((40, 30)))).all_pix2world([[-30.0, 20.0]], 0)[0]
    answer = call(api, "astrocut", ra=[str(ra)], dec=[str(dec)], y=["3"], x=["3"])
    assert '"msg"' in answer["body"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "ra is missing"),
        ({"ra": ["x"], "dec": ["0"]}, "ra is 'x'; allowed: a number from -360 to 360"),
        ({"ra": ["1"], "dec": ["0"], "y": ["-5"], "x": ["5"]}, "y is '-5'"),
        ({"ra": ["1"], "dec": ["0"], "y": ["5"], "x": ["5"], "sector": ["x"]}, "sector is 'x'"),
    ],
)
def test_bad_parameters_are_400_with_the_reason(api: Handlers, query: dict[str, Any], message: str) -> None:
    answer = call(api, "astrocut", **query)
    assert answer["statusCode"] == 400
    assert message in answer["body"]


class BrokenStore(MemoryStore):
    """A store with a defect."""

    def _note(self, *args: object) -> None:
        raise RuntimeError("secret")


def test_a_failure_of_ours_is_500_and_says_nothing_of_the_inside() -> None:
    answer = call(Handlers(BrokenStore()), "astrocut", ra=["1"], dec=["1"], y=["1"], x=["1"])
    assert answer["statusCode"] == 500
    assert "secret" not in answer["body"]
