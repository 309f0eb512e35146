"""Where this repository and the files of tests/data are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data"
TPF_6X6 = DATA / "tess-s0001-4-2_84.291190_-80.469170_6x6_astrocut.fits"
TPF_1X1 = DATA / "test-tpf-tesscut_1x1.fits"
TPF_5X5_ZIP = DATA / "astrocut_107.27_-70.0_5x5.zip"
