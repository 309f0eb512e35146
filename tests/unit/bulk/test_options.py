"""Options for all rows of a list are checked in one place, before any work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tessera import InvalidInputError
from tessera.bulk.options import BulkOptions, check_options


def test_nothing_given_means_a_catalogue_of_light_curves_of_eleven_pixels() -> None:
    assert check_options() == BulkOptions(("parquet",), "SPOC", (11, 11), None, "default", True, "full", "zip", False)


def test_values_are_brought_to_one_form() -> None:
    made = check_options(
        outputs=["tpf", "parquet", "tpf"], product="tica", size=np.array([5, 7]), sectors=[27, 1, 27], aperture=" 0F1 "
    )
    assert (made.outputs, made.product, made.size) == (("parquet", "tpf"), "TICA", (5, 7))
    assert (made.sectors, made.aperture) == ((1, 27), "0f1")
    assert check_options(outputs="tpf", sectors=np.int64(3), aperture="Threshold").outputs == ("tpf",)
    epochs = [check_options(epoch=epoch).epoch for epoch in (2016, "2016.0", " J2016.0", np.float32(2016))]
    assert epochs == [2016.0] * 4
    assert check_options(sectors=np.array(3), aperture="threshold") == BulkOptions(sectors=(3,))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"outputs": ()}, "outputs is (); allowed: one or several of 'parquet', 'lightcurves', 'tpf'"),
        ({"outputs": None}, "outputs is None; allowed: one or several"),
        ({"outputs": ["fits"]}, "outputs is 'fits'; allowed: 'parquet', 'lightcurves', 'tpf'"),
        ({"outputs": {"tpf": 1}}, "outputs is {'tpf': 1}; allowed: one or several"),
        ({"product": "QLP"}, "product is 'QLP'; allowed: 'SPOC', 'TICA'"),
        ({"size": 0}, "size is 0; allowed: whole numbers of pixels from 1 to 101"),
        ({"size": 102}, "size is 102; allowed: whole numbers of pixels from 1 to 101"),
        ({"size": (5, 6, 7)}, "size is (5, 6, 7); allowed: whole numbers"),
        ({"size": 5.5}, "size is 5.5; allowed: whole numbers"),
        ({"size": "11"}, "size is '11'; allowed: whole numbers"),
        ({"size": True}, "size is True; allowed: whole numbers"),
        ({"sectors": []}, "sectors is []; allowed: numbers of sectors from 1 to 9999"),
        ({"sectors": [1, 0]}, "sectors is [1, 0]; allowed: numbers of sectors from 1 to 9999"),
        ({"sectors": "all"}, "sectors is 'all'; allowed: numbers of sectors"),
        ({"aperture": "alll"}, "aperture is 'alll'; allowed: 'default', 'threshold', 'all', or hexadecimal digits"),
        ({"aperture": ""}, "aperture is ''; allowed"),
        ({"aperture": 3}, "aperture is 3; allowed"),
        ({"background": "no"}, "background is 'no'; allowed: True or False"),
        ({"layout": "fat"}, "layout is 'fat'; allowed: 'full', 'slim'"),
        ({"packing": "tar"}, "packing is 'tar'; allowed: 'zip', 'files'"),
        ({"epoch": "B1950"}, "epoch is 'B1950'; allowed: a Julian year from 1800 to 2200"),
        ({"epoch": 2457000.0}, "epoch is 2457000.0; allowed: a Julian year"),
        ({"epoch": True}, "epoch is True; allowed: a Julian year"),
        ({"epoch": 10**400}, "epoch is 1000"),
        ({"epoch": float("nan")}, "epoch is nan; allowed: a Julian year"),
        ({"detrend": "pld", "background": False}, "detrend is 'pld'; allowed: none or cbv without a subtracted"),
        ({"best_only": 2}, "best_only is 2; allowed: True or False"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_options(**given)
    assert str(caught.value).startswith(said)
