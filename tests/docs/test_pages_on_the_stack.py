"""The programs in our pages that ask a service, against the one-machine stack."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera_cloud import keys
from tessera_local.stack import Stack
from tests.docs.pages import blocks_to_run
from tests.docs.world import BINARY, PLACE, frames_of_a_star, run_block

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("pages-stack")]
ASKING = blocks_to_run(service=True)
ADDRESS = "http://127.0.0.1:3000"
MADE = {
    "README.md": ["binary.zip", "binary.png"],
    "docs/start.md": ["binary.png"],
    "docs/guide/lists.md": ["results/status.csv", "results/lightcurves/properties", "status.csv", "pixels.zip"],
    "docs/guide/service/local_service.md": ["binary.zip", "eclipses.png"],
    "docs/guide/service/client.md": ["cutouts/*.fits", "large/*.fits", "median.png"],
    "docs/reference/http.md": ["median.png", "frames.npy", "*.zip", "*.csv", "*_lightcurve.fits", "*_lightcurve.csv"],
}
"""Files that the programs of a page leave."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a cube around each star that the pages name."""
    with Stack(tmp_path_factory.mktemp("tessera-home")) as stack:
        for ccd, place in ((1, BINARY), (2, PLACE)):
            for name, data in frames_of_a_star(place, ccd):
                key = keys.frame("tess/public/ffi/", name)
                stack.s3.put_object(Bucket=stack.bucket("FfiBucket"), Key=key, Body=data)
            ended = stack.wait(stack.start_build(1, 4, ccd), timeout=120)
            assert ended.status == "SUCCEEDED", ended
        yield stack


@pytest.mark.parametrize("page", ASKING)
def test_the_programs_of_a_page_work_with_the_service(
    page: str, stack: Stack, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    missing = [tool for tool in ("curl", "jq", "unzip") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"programs that readers need are not installed: {', '.join(missing)}")
    config = tmp_path / "tessera-config"
    config.mkdir()
    (config / "astroquery.cfg").write_text(f"[mast]\nserver = {stack.url}\n", encoding="utf-8")
    places = {"ASTROPY_CONFIG_DIR": str(config), "XDG_CACHE_HOME": str(tmp_path), "MPLBACKEND": "agg"}
    for block in ASKING[page]:
        folder = tmp_path / str(block.line)
        folder.mkdir()
        code = block.code.replace(ADDRESS, stack.url)
        run_block(block, code, folder, installed=request.config.getoption("--installed"), API=stack.url, **places)

    assert [pattern for pattern in MADE[page] if not list(tmp_path.glob(f"*/{pattern}"))] == []
