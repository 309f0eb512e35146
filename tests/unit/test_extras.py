"""A package that is missing is named with the command that installs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tessera import ASDFCutout, CutoutsCombiner, FITSCutout, normalize_img
from tessera.cli.main import main
from tessera.extras import EXTRAS, MissingPackageError, import_extra
from tests.support.images import ROMAN, plain_image
from tests.support.paths import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::tessera.errors.DataWarning")
IMAGE = ROMAN / "roman_like_wfi07_l2_window.asdf"


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make packages impossible to import, as if they were not installed."""

    def hide(*packages: str) -> None:
        for name in list(sys.modules):
            if name.partition(".")[0] in packages:
                monkeypatch.delitem(sys.modules, name)
        for package in packages:
            monkeypatch.setitem(sys.modules, package, None)

    return hide


def test_every_extra_is_one_of_the_distribution() -> None:
    import tomllib  # noqa: PLC0415 - of this test alone

    known = tomllib.loads((ROOT / "layers/engine/pyproject.toml").read_text(encoding="utf-8"))
    assert set(EXTRAS.values()) <= set(known["project"]["optional-dependencies"])


def test_pictures_name_pillow(without: Any, tmp_path: Path) -> None:
    path = plain_image(tmp_path / "a.fits", np.ones((9, 9)))
    made = FITSCutout(path, "150 2.2", 3)
    without("PIL", "matplotlib")  # matplotlib needs Pillow
    for call in (made.write_as_img, made.get_image_cutouts):
        with pytest.raises(
            MissingPackageError, match=r"need the package Pillow; pip install 'tessera-cubes\[pictures\]'"
        ):
            call()
    assert normalize_img(np.eye(2)).max() == 255


def test_asdf_files_name_asdf_and_gwcs(without: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without("asdf")
    with pytest.raises(
        MissingPackageError, match=r"ASDF files need the package asdf; pip install 'tessera-cubes\[asdf\]'"
    ):
        ASDFCutout(IMAGE, "270 66")
    assert main(["image", "cut", str(IMAGE), "-t", "270 66", "-o", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("pip install 'tessera-cubes[asdf]'") == 1
    assert "Traceback" not in captured.err


def test_reprojection_names_reproject(without: Any, tmp_path: Path) -> None:
    files = [plain_image(tmp_path / f"{n}.fits", np.ones((9, 9)), dec=2.2 + n * 1e-4) for n in (0, 1)]
    without("reproject")
    with pytest.raises(MissingPackageError, match=r"tessera-cubes\[reproject\]"):
        CutoutsCombiner(files, reproject=True)


def test_a_package_that_another_needs_is_named_as_such(without: Any) -> None:
    without("gwcs")
    with pytest.raises(MissingPackageError, match="ASDF files need the package gwcs"):
        import_extra("gwcs.wcs", "ASDF files")
