"""What ingest makes of messages, whatever they are."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.errors import InvalidValueError
from tessera_cloud.application.ingest.messages import Arrival, Check, Sweep, parse_message, sweep_of_key
from tessera_cloud.names import CubeId
from tessera_cloud.settings import Settings, parse_sectors
from tests.support.builds import SETTINGS
from tests.support.ingest_world import notification

SPOC = "tess/public/ffi/s0056/2022/245/1-1/tess2022245180205-s0056-1-1-0243-s_ffic.fits"
TICA = "tess/public/tica/s0027/cam1-ccd1/hlsp_tica_tess_ffi_s0027-o1-00116635-cam1-ccd1_tess_v01_img.fits"
HIGH = "tess/public/ffi/s1751/2030/001/1-1/tess2030001180205-s1751-1-1-0243-s_ffic.fits"
TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-11-20T12:00:00.000Z",
    "Bucket": "frames",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
}


def envelope(message: str) -> str:
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:us-east-1:879230861493:stpubdata",
            "Subject": "Amazon S3 Notification",
            "Message": message,
            "Timestamp": "2026-11-20T12:00:00.000Z",
            "SignatureVersion": "1",
        }
    )


@pytest.mark.parametrize(("key", "sweep"), [(SPOC, "SPOC/s0056"), (TICA, "TICA/s0027"), (HIGH, "SPOC/s1751")])
@pytest.mark.parametrize("wrap", [str, envelope])
@pytest.mark.parametrize("name", ["ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload", "ObjectRemoved:Delete"])
def test_a_notification_is_a_hint_to_its_sector(key: str, sweep: str, wrap: Any, name: str) -> None:
    arrival = parse_message(wrap(notification(key, name=name)), SETTINGS)
    assert arrival == Arrival(hints=frozenset({Sweep.parse(sweep)}))


def test_a_notification_may_speak_of_several_sectors() -> None:
    arrival = parse_message(notification(SPOC, TICA, SPOC), SETTINGS)
    assert arrival.hints == {Sweep("SPOC", 56), Sweep("TICA", 27)}


def test_keys_arrive_in_the_spelling_of_urls() -> None:
    settings = replace(SETTINGS, ffi_prefix="my frames+/ü/")
    key = SPOC.replace("tess/public/ffi/", settings.ffi_prefix)
    assert "+" in notification(key)
    assert parse_message(notification(key), settings).hints == {Sweep("SPOC", 56)}


@pytest.mark.parametrize("wrap", [str, envelope])
def test_the_test_event_of_s3_is_passed_over(wrap: Any) -> None:
    assert parse_message(wrap(json.dumps(TEST_EVENT)), SETTINGS) == Arrival()


@pytest.mark.parametrize(
    "key",
    [
        SPOC.replace("_ffic", "_ffir"),
        SPOC.replace("s0056/", "s0057/", 1),
        SPOC.replace("tess/public", "other"),
        TICA.replace("tica/", "ffi/", 1),
        "tess/public/ffi/s0056/",
        "",
    ],
)
def test_notifications_of_other_objects_are_dropped_and_told(key: str) -> None:
    body = notification(key)
    assert parse_message(body, SETTINGS) == Arrival(junk=(body[:200],))


def test_notifications_of_another_bucket_are_dropped_and_told() -> None:
    body = notification(SPOC, bucket="elsewhere")
    assert parse_message(body, SETTINGS) == Arrival(junk=(body[:200],))


def test_what_is_understood_counts_although_the_rest_is_junk() -> None:
    arrival = parse_message(notification(SPOC, "nonsense"), SETTINGS)
    assert arrival.hints == {Sweep("SPOC", 56)}
    assert len(arrival.junk) == 1


@pytest.mark.parametrize("due", [None, 0, 1.5, 1_795_176_000.123])
def test_a_check_is_read_as_it_was_sent(due: float | None) -> None:
    check = Check(Sweep("TICA", 27), due)
    assert parse_message(check.to_json(), SETTINGS) == Arrival(checks=(check,))


JUNK = [
    "",
    "{",
    "null",
    "[]",
    "1e999",
    '"text"',
    "{}",
    '{"Records": {}}',
    '{"Records": [1, null, [], {}]}',
    '{"Records": [{"s3": {"bucket": {"name": "frames"}, "object": {"key": 5}}}]}',
    '{"sweep": "SPOC/s56"}',
    '{"sweep": "SPOC/s00056"}',
    '{"sweep": "SPOC/s0000"}',
    '{"sweep": "OTHER/s0056"}',
    '{"sweep": ["SPOC/s0056"]}',
    '{"sweep": "SPOC/s0056", "due": "soon"}',
    '{"sweep": "SPOC/s0056", "due": true}',
    '{"sweep": "SPOC/s0056", "due": NaN}',
    '{"sweep": "SPOC/s0056", "due": -1}',
    '{"sweep": "SPOC/s0056", "due": Infinity}',
    '{"sweep": "../s0056"}',
    '{"Type": "Notification"}',
    '{"Type": "Notification", "Message": {"a": 1}}',
    "[" * 100_000,
]


@pytest.mark.parametrize("body", JUNK, ids=range(len(JUNK)))
def test_junk_is_dropped_and_told(body: str) -> None:
    arrival = parse_message(body, SETTINGS)
    assert (arrival.checks, arrival.hints) == ((), frozenset())
    assert arrival.junk == (body[:200],)


texts = st.text() | st.sampled_from([SPOC, TICA, "frames", "SPOC/s0056"])
documents = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | texts,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["Records", "s3", "bucket", "name", "object", "key", "sweep", "due", "Type", "Message"])
            | st.text(),
            inner,
        )
    ),
)


@given(documents | st.dictionaries(st.just("Records"), st.lists(documents)))
@pytest.mark.slow
def test_no_document_stops_ingest(document: Any) -> None:
    arrival = parse_message(json.dumps(document), SETTINGS)
    assert arrival.checks or arrival.hints or arrival.junk or document.get("Records") == []


@given(st.text() | st.none() | st.integers() | st.binary())
def test_no_body_stops_ingest(body: object) -> None:
    parse_message(body, SETTINGS)


@given(st.sampled_from(["SPOC", "TICA"]), st.integers(1, 999_999))
def test_sweeps_are_read_as_they_are_written(product: str, sector: int) -> None:
    sweep = Sweep(product, sector)
    assert Sweep.parse(str(sweep)) == sweep
    assert Sweep.of_folder(product, str(sweep).partition("/")[2] + "/") == sweep


def test_a_check_is_written_as_the_queue_has_it() -> None:
    assert json.loads(Check(Sweep("SPOC", 56)).to_json()) == {"sweep": "SPOC/s0056"}
    assert json.loads(Check(Sweep("TICA", 1751), 12.5).to_json()) == {"sweep": "TICA/s1751", "due": 12.5}


def test_a_check_is_due_at_a_time_that_clocks_can_show() -> None:
    for due, read in ((0, True), (99_999_999_999.0, True), (1e11, False), (-0.001, False)):
        arrival = parse_message(json.dumps({"sweep": "SPOC/s0056", "due": due}), SETTINGS)
        assert bool(arrival.checks) == read


@pytest.mark.parametrize(
    "folder", ["s56/", "s00056/", "s0000/", "s0056", "0056/", "xs0056/", "s0056/x/", "", "s1234567/"]
)
def test_another_folder_is_no_sweep(folder: str) -> None:
    assert Sweep.of_folder("SPOC", folder) is None


def test_sectors_have_four_digits_or_more() -> None:
    assert Sweep.of_folder("SPOC", "s0001/") == Sweep("SPOC", 1)
    assert Sweep.of_folder("TICA", "s123456/") == Sweep("TICA", 123_456)
    assert str(Sweep("SPOC", 1)) == "SPOC/s0001"
    assert Sweep.parse("SPOC/s0001") == Sweep("SPOC", 1)


def test_a_sweep_covers_the_cubes_of_its_sector_and_product() -> None:
    sweep = Sweep("SPOC", 56)
    assert sweep.covers(CubeId.parse("s0056-1-1"))
    assert not sweep.covers(CubeId.parse("s0057-1-1"))
    assert not sweep.covers(CubeId.parse("tica-s0056-1-1"))


def test_each_product_has_its_own_prefix() -> None:
    settings = replace(SETTINGS, ffi_prefix="spoc/", tica_prefix="tica/")
    assert [Sweep(product, 1).prefix(settings) for product in ("SPOC", "TICA")] == ["spoc/", "tica/"]


def test_a_frame_may_lie_in_any_folder_below_its_sector() -> None:
    name = SPOC.rsplit("/", 1)[-1]
    prefix = SETTINGS.ffi_prefix
    assert sweep_of_key(f"{prefix}s0056/{name}", SETTINGS) == Sweep("SPOC", 56)
    assert sweep_of_key(f"{prefix}s0056/a/b/c/d/{name}", SETTINGS) == Sweep("SPOC", 56)
    assert sweep_of_key(f"{prefix}{name}", SETTINGS) is None
    everywhere = replace(SETTINGS, ffi_prefix="")
    assert sweep_of_key(name, everywhere) is None
    assert sweep_of_key(f"s0056/{name}", everywhere) == Sweep("SPOC", 56)


def test_what_is_no_object_of_json_is_junk_up_to_its_200th_character() -> None:
    assert parse_message(None, SETTINGS) == Arrival(junk=("None",))
    assert parse_message(b"{}", SETTINGS) == Arrival(junk=("b'{}'",))
    assert parse_message("x" * 201, SETTINGS) == Arrival(junk=("x" * 200,))


@pytest.mark.parametrize(
    "document",
    [
        TEST_EVENT | {"Records": []},
        TEST_EVENT | {"Records": {}},
        TEST_EVENT | {"Event": "s3:OtherEvent"},
        {"Type": "Other", "Message": json.dumps(TEST_EVENT)},
        {"Records": None},
    ],
)
def test_only_a_test_event_without_records_is_passed_over(document: dict[str, Any]) -> None:
    arrival = parse_message(json.dumps(document), SETTINGS)
    passed = document.get("Records") == []
    assert arrival == Arrival(junk=() if passed else (json.dumps(document)[:200],))


def test_a_check_that_is_wrong_is_not_read_as_a_notification() -> None:
    body = json.dumps(json.loads(notification(SPOC)) | {"sweep": "SPOC/56"})
    assert parse_message(body, SETTINGS) == Arrival(junk=(body[:200],))


def test_a_wrong_sweep_is_named() -> None:
    with pytest.raises(InvalidValueError, match=r"sweep.*SPOC/56.*SPOC/s0056"):
        Sweep.parse("SPOC/56")


def test_both_products_may_share_a_prefix() -> None:
    settings = replace(SETTINGS, ffi_prefix="all/", tica_prefix="all/")
    assert sweep_of_key(SPOC.replace("tess/public/ffi/", "all/"), settings) == Sweep("SPOC", 56)
    assert sweep_of_key(TICA.replace("tess/public/tica/", "all/"), settings) == Sweep("TICA", 27)


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("all", [1, 56, 1751], [0]),
        ("1,27, 56-60 90-", [1, 27, 56, 60, 90, 1751], [2, 55, 61, 89]),
        ("56", [56], [5, 6, 57]),
    ],
)
def test_sectors_are_chosen_by_number_and_range(text: str, wanted: list[int], unwanted: list[int]) -> None:
    settings = replace(SETTINGS, ingest_sectors=parse_sectors(text))
    assert [sector for sector in wanted + unwanted if settings.wants_sector(sector)] == wanted


def test_without_a_choice_all_of_our_own_bucket_and_none_of_a_public_one_are_wanted() -> None:
    environ = {"TESSERA_FFI_BUCKET": "ours", "TESSERA_CUBE_BUCKET": "cubes", "TESSERA_RESULT_BUCKET": "results"}
    environ |= {"TESSERA_CUBE_SOURCES": "stpubdata/tess/public/mast"}
    assert Settings.from_env(environ).wants_sector(56)
    public = environ | {"TESSERA_FFI_BUCKET": "stpubdata"}
    assert not Settings.from_env(public).wants_sector(56)
    assert Settings.from_env(public | {"TESSERA_INGEST_SECTORS": "56"}).wants_sector(56)
    assert Settings.from_env(public | {"TESSERA_INGEST_SECTORS": "all"}).wants_sector(56)


@pytest.mark.parametrize("text", ["one", "1-2-3", "-5", "1;2", "all,1"])
def test_sectors_that_are_not_understood_are_named(text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"sectors.*1,27,56-60,90-"):
        parse_sectors(text)
