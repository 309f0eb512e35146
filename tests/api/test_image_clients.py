"""Unmodified astroquery's Zcut and Hapcut on the one-machine stack, from the document of datasets to pixels on disk."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera_local.stack import Stack
from tests.support.client_programs import run_client
from tests.support.image_service import BUCKET, MOSAIC, put_images_on

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("images-stack")]

NO_HAP = "Missing HAP files for input target. Cutout not performed."
NO_SURVEY = "Missing survey files for input target. Cutout not performed."


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The files of the datasets in S3, and their indexes made by the state machine."""
    with Stack(tmp_path_factory.mktemp("images"), parameters={"ImageBuckets": BUCKET}) as stack:
        put_images_on(stack)
        ended = stack.wait(stack.start_execution("ImageIndexStateMachine", {}), timeout=120)
        assert ended.status == "SUCCEEDED", ended
        yield stack


def test_astroquery_gets_what_it_asks_for(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "astroquery.cfg").write_text(f"[mast]\nserver = {stack.url}\n", encoding="utf-8")
    printed = run_client(tmp_path, str(Path(__file__).parent / "image_session.py"))
    result = json.loads(printed.splitlines()[-1])
    assert result["surveys"] == ["sdss_three"]
    assert result["no surveys"] == [0, "Coordinates are not in an available deep field survey."]
    assert result["zcut"] == [[[4, 6]] * 3]
    assert result["zcut angle"] == [[51, 51]]
    assert result["zcut survey"] == ["galactic_centre_266.400000_-28.930000_5.0pix-x-5.0pix_astrocut.fits"]
    assert result["zcut none"] == result["zcut download none"] == [0, NO_SURVEY]
    assert result["zcut download"] == ["galactic_centre_266.400000_-28.930000_1.0pix-x-1.0pix_astrocut.fits"]
    assert result["zcut large"] == [[450, 450]]
    assert result["pictures"] == [
        f"reprojected_sdss_{band}_313.170000_-5.700000_20.0pix-x-10.0pix_astrocut_0.jpg" for band in "gir"
    ]
    assert result["limited"] == 3
    assert result["hapcut"] == [[[5, 5], "SCI"]]
    assert result["hapcut angle"] == [[10, 10]]
    assert result["hapcut download"] == [
        f"hst_cutout_{MOSAIC.split('_')[1]}-ra266d4000-decs28d9300_wfc3_ir_f160w_coarse.fits"
    ]
    assert result["hapcut shape"] == [2, 3]
    assert result["hapcut none"] == result["hapcut download none"] == [0, NO_HAP]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("roman/cutout?ra=8.782&dec=-44.07&size=9&format=png", "image/png"),
        ("sdss/cutout?ra=313.17&dec=-5.7&size=9&bands=i,r,g&format=jpg", "image/jpeg"),
        ("search?ra=313.17&dec=-5.7", "application/json"),
    ],
)
def test_our_own_paths_are_at_the_same_address(stack: Stack, path: str, kind: str) -> None:
    with urllib.request.urlopen(f"{stack.url}/v1/images/{path}") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
