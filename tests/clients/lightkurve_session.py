"""lightkurve, unmodified, searches for and downloads a cutout; prints what came."""

import sys
import warnings

warnings.simplefilter("ignore")

import lightkurve  # noqa: E402

search = lightkurve.search_tesscut(sys.argv[1], sector=int(sys.argv[2]))
print(search)
tpf = search.download(cutout_size=(5, 7), download_dir=sys.argv[3])
print(tpf, tpf.shape, tpf.column, tpf.row, tpf.wcs.pixel_to_world(3, 2).to_string())
assert len(search) == 1
assert tpf.shape[1:] == (5, 7)
again = search.download(cutout_size=(5, 7), download_dir=sys.argv[3])
assert again.path == tpf.path
