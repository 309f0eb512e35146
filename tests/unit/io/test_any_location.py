"""Any text as a location has two outcomes: the bytes of a file, or one error of ours in one line."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tessera.errors import InvalidInputError, UnreadableFileError
from tessera.io import remote
from tessera.io.locations import file_name, shown
from tessera.io.sources import check_locations, open_source
from tests.support.web import Site, serve

CONTENT = b"SIMPLE  =" * 5000
ODD = st.text(alphabet=st.one_of(st.sampled_from("/?#%&=+:@[]\\ .~\0\n\r\"'<>"), st.characters()), max_size=30)
PLAIN = st.text(alphabet=string.ascii_letters + string.digits + "/._-%", max_size=20)
TEXTS = st.one_of(
    ODD,
    PLAIN,
    st.builds("{}://{}".format, st.sampled_from(["s3", "S3", "s3a", "file", "memory", "foo", "a+b.c"]), ODD),
    st.builds("s3://{}/{}".format, PLAIN, ODD),
    st.builds("BASE/{}".format, ODD),
    st.builds("BASE{}".format, st.sampled_from(["", "?", "#", "/?X-Amz-Signature=hidden", "@", ":99999/a", "/%zz"])),
    st.builds(
        "http://{}".format, st.sampled_from(["", "/", "[", "[::1", "a b", ":0", ":x/a", "me:hidden@", "\0", "-"])
    ),
)


@pytest.fixture(scope="module")
def web() -> Iterator[Site]:
    with serve(Site({"/": CONTENT})) as site:
        yield site


@pytest.fixture(autouse=True)
def nothing_beyond_this_machine(monkeypatch: pytest.MonkeyPatch, web: Site, tmp_path: Path) -> None:
    monkeypatch.setattr(remote, "RETRIES", {"max_retries": 0})
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", web.base)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("no_proxy", "*")


@given(TEXTS)
@example("s3://bucket/a\nb")
@example("BASE/?X-Amz-Signature=hidden&X-Amz-Credential=hidden")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_location_gives_bytes_or_one_error_of_ours(web: Site, capfd: pytest.CaptureFixture[str], text: str) -> None:
    location = text.replace("BASE", web.base)
    assert isinstance(file_name(location), str)
    try:
        source = open_source(location)
    except (UnreadableFileError, InvalidInputError) as error:
        told = str(error)
        assert 0 < len(told) < len(location) * 4 + 400
        assert "Debug source" not in told
        assert "hidden" not in told
    else:
        assert len(source.read(0, min(source.size, 100))) == min(source.size, 100)
        source.close()
    assert "hidden" not in shown(location)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("wrong", ["a.fits", b"b.fits", [], [""], [b"a.fits"], [None], [3], 3, None])
def test_what_is_no_list_of_locations_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidInputError, match=r"files is .*; allowed: "):
        check_locations("files", wrong)  # type: ignore[arg-type]
