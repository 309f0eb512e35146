"""Unmodified astroquery and lightkurve, pointed here by a configuration file, and by HTTP_PROXY for MAST's resolver.

Nothing outside this machine is reached.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.conftest import N_NOISE, N_REAL, N_SMALL, NOISE, SMALL, SMALL_SHAPE, Service, sky
from tests.support.client_programs import run_client

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("api-stack")]


def test_astroquery_gets_what_it_asks_for_and_lightkurve_reads_it(service: Service, tmp_path: Path) -> None:
    (tmp_path / "astroquery.cfg").write_text(f"[mast]\nserver = {service.stack.url}\n", encoding="utf-8")
    small, noise = sky(SMALL, SMALL_SHAPE, 30.2, 25.1), sky(NOISE, (120, 120), 60, 60)
    script = Path(__file__).parent / "astroquery_session.py"
    words = (str(script), *map(repr, (*small, *noise)))
    printed = run_client(tmp_path, *words, HTTP_PROXY=service.stack.url, NO_PROXY="127.0.0.1")
    result = json.loads(printed.splitlines()[-1])
    assert result["sectors"] == [{"sectorName": "tess-s0002-1-1", "sector": "2", "camera": "1", "ccd": "1"}]
    assert result["no sectors"] == result["no data"] == 0
    assert result["shape"] == [N_SMALL, 3, 7]
    assert result["angle"] == [N_SMALL, 6, 8]  # 3 arcminutes are 8.6 columns; each limit is rounded, as at TESSCut
    assert result["float"] == [N_SMALL, 1, 1]
    assert result["large"] == [N_NOISE, 100, 100]
    assert result["lightkurve"] == [1628, 257, 1, 4, 2]
    assert result["lightkurve offset"] < 30
    assert result["light curve"] > 40
    assert result["quality"] <= 50
    assert result["smaller"][1:] == [3, 3]
    assert result["plotted"]
    (file,) = result["files"]
    assert Path(file).name == f"tess-s0002-1-1_{small[0]:.6f}_{small[1]:.6f}_5x5_astrocut.fits"
    for target in ("pi Men", "TIC 261136679", "84.29119 -80.46917", "position"):
        assert result["found"][target] == [[1], [N_REAL, 5, 7]], target
    assert result["another sector"] == result["another place"] == result["unknown"] == 0
    assert result["TIC"] == "TIC 261136679"
    first, second = result["downloaded twice"]
    assert first == second
    assert first.startswith(str(tmp_path / "tesscut/tess-s0001-4-2_84.29"))
    assert len(list((tmp_path / "tesscut").iterdir())) == 1  # lightkurve takes a file of a place within 0.001 degrees
