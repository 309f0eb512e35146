"""SIA 2.0 over small cubes and images: which rows an answer has."""

from __future__ import annotations

from typing import Any

import pytest

from tessera_cloud.application.vo.obscore.rows import COLUMNS
from tessera_cloud.http.vo.sia.columns import FIELDS
from tests.support.api import Answered, Api
from tests.support.image_service import MOSAIC
from tests.support.votable import read_votable

FIRST, SECOND, TICA = "tess-s0001-4-2", "tess-s0002-4-2", "tica-s0027-1-4"
CUBES = [FIRST, SECOND, TICA]
SDSS = [f"reprojected_sdss_{band}.fits.bz2" for band in "gri"]
CENTRE = ["gc_2mass_k.fits", "gc_msx_e.fits", MOSAIC]
ROMAN = ["roman_like_wfi07_l2_window.asdf"]
IMAGES = [*SDSS, *CENTRE, *ROMAN]


def status_of(answer: Answered) -> tuple[str, str]:
    """Last QUERY_STATUS of an answer, and its text."""
    infos = read_votable(answer.content).resources[0].infos
    last = [info for info in infos if info.name == "QUERY_STATUS"][-1]
    return last.value, last.content or ""


def rows_of(answer: Answered) -> Any:
    assert answer.status == 200, answer.content
    return read_votable(answer.content).resources[0].tables[0].to_table()


def found(api: Api, **query: Any) -> list[str]:
    return list(rows_of(api.get("/sia2/query", **query))["obs_id"])


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, [*CUBES, *IMAGES]),
        ({"POS": "CIRCLE 88.95 -75.39 0.1"}, [FIRST, SECOND]),
        ({"POS": "RANGE 313 314 -6 -5.6"}, SDSS),
        ({"POS": "POLYGON 266 -29 267 -29 267 -28.5"}, CENTRE),
        ({"POS": ["CIRCLE 88.95 -75.39 0.1", "CIRCLE 8.78 -44.07 0.01"]}, [FIRST, SECOND, *ROMAN]),
        ({"POS": "CIRCLE 88.95 -75.39 0.1", "TIME": "58324.85"}, [FIRST]),
        ({"TIME": ["58324.85", "59000 +Inf"]}, [FIRST, TICA]),
        ({"TIME": "-Inf 58324.9"}, [FIRST]),
        ({"TIME": "-Inf +Inf"}, CUBES),
        ({"BAND": "8e-7"}, CUBES),
        ({"BAND": "1e-6 2e-6"}, CUBES),
        ({"BAND": "1.1e-6 2e-6"}, []),
        ({"POL": "I"}, []),
        ({"FOV": "1 2"}, CENTRE),
        ({"SPATRES": "-Inf +Inf"}, CUBES),
        ({"SPATRES": "-Inf 30"}, []),
        ({"SPECRP": "1 3"}, CUBES),
        ({"EXPTIME": "-Inf +Inf"}, CUBES),
        ({"EXPTIME": "7128"}, [FIRST]),
        ({"TIMERES": "500 700"}, [TICA]),
        ({"ID": "IVO://TESSERA/CUBES?TESS-S0001-4-2"}, [FIRST]),
        ({"ID": ["tica-s0027-1-4", "tess-s0001-4-2"]}, [FIRST, TICA]),
        ({"ID": f"ivo://tessera/images/hst?IMAGES/files/{MOSAIC}"}, [MOSAIC]),
        ({"ID": MOSAIC}, []),
        ({"COLLECTION": "TESS"}, CUBES),
        ({"COLLECTION": ["hst", "roman"]}, [MOSAIC, *ROMAN]),
        ({"COLLECTION": "tess"}, []),
        ({"FACILITY": "SDSS"}, SDSS),
        ({"INSTRUMENT": "Photometer"}, CUBES),
        ({"DPTYPE": "image"}, IMAGES),
        ({"DPTYPE": ["cube", "image"]}, [*CUBES, *IMAGES]),
        ({"CALIB": ["2", "3"]}, [*CUBES, *IMAGES]),
        ({"CALIB": "1"}, []),
        ({"TARGET": "Pi Men"}, []),
        ({"FORMAT": "application/x-votable+xml;content=datalink"}, [*CUBES, *IMAGES]),
        ({"FORMAT": "application/fits"}, []),
        ({"runid": "a-1", "foo": "bar", "pos": "circle 88.95 -75.39 0.1", "POS": ""}, [FIRST, SECOND]),
    ],
)
def test_an_answer_has_the_rows_that_satisfy_every_constraint(
    everything: Api, query: dict[str, Any], wanted: list[str]
) -> None:
    assert found(everything, **query) == wanted


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"POS": "CIRCLE 1 2"}, "POS is 'CIRCLE 1 2'; allowed: the numbers ra dec radius"),
        ({"BAND": "red"}, "BAND is 'red'; allowed: a number, or the first and the last number"),
        ({"TIME": "3 2"}, "TIME is '3 2'; allowed:"),
        ({"TIME": "nan"}, "TIME is 'nan'; allowed:"),
        ({"TIME": "+Inf"}, "TIME is '+Inf'; allowed:"),
        ({"FOV": "1 2 3"}, "FOV is '1 2 3'; allowed:"),
        ({"EXPTIME": "1_0"}, "EXPTIME is '1_0'; allowed:"),
        ({"POL": "i"}, "POL is 'i'; allowed: I, Q, U, V, RR"),
        ({"DPTYPE": "Image"}, "did you mean image?"),
        ({"CALIB": "2 3"}, "CALIB is '2 3'; allowed: 0, 1, 2, 3, 4"),
        ({"MAXREC": "-1"}, "MAXREC is '-1'; allowed: a whole number from 0"),
        ({"MAXREC": ["1", "2"]}, "MAXREC is given 2 times: 1, 2; allowed: once"),
        ({"UPLOAD": "t,http://127.0.0.1/t"}, "UPLOAD is 't,http://127.0.0.1/t'; allowed: no uploads"),
        ({"RESPONSEFORMAT": "fits"}, "RESPONSEFORMAT is 'fits'; allowed: votable,"),
        ({"obs_collection": "TESS"}, "did you mean collection?"),
        ({"ra": "1", "dec": "2"}, "did you mean pos?"),
    ],
)
def test_what_is_wrong_is_told_in_a_votable(everything: Api, query: dict[str, Any], words: str) -> None:
    answer = everything.get("/sia2/query", **query)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/x-votable+xml"
    status, text = status_of(answer)
    assert status == "ERROR"
    assert text.startswith("UsageFault: ")
    assert words in text


def test_an_answer_says_when_rows_are_cut_off(everything: Api) -> None:
    for most in (1, 4, 9):
        answer = everything.get("/sia2/query", MAXREC=most)
        assert list(rows_of(answer)["obs_id"]) == [*CUBES, *IMAGES][:most]
        assert status_of(answer)[0] == "OVERFLOW"
    for most in (10, 10**30):
        assert status_of(everything.get("/sia2/query", MAXREC=most)) == ("OK", "10 rows")


def test_without_rows_an_answer_describes_the_service(everything: Api) -> None:
    answer = everything.get("/sia2/query", MAXREC=0)
    assert status_of(answer)[0] == "OVERFLOW"
    assert len(rows_of(answer)) == 0
    (this,) = (each for each in read_votable(answer.content).resources if each.name == "this")
    (inputs,) = this.groups
    assert {"POS", "BAND", "TIME", "MAXREC", "RESPONSEFORMAT"} <= {param.name for param in inputs.entries}


def test_an_answer_describes_the_services_that_take_its_identifiers(everything: Api) -> None:
    document = read_votable(everything.get("/sia2/query").content)
    inputs = {}
    for resource in document.resources[1:]:
        standard = next(param.value for param in resource.params if param.name == "standardID")
        (group,) = resource.groups
        inputs[standard] = {param.name: param.ref for param in group.entries}
    for name in ("DataLink#links-1.1", "SODA#sync-1.0", "SODA#async-1.0"):
        assert inputs[f"ivo://ivoa.net/std/{name}"]["ID"] == "obs_publisher_did"


def test_columns_are_those_of_the_rows() -> None:
    assert tuple(field.name for field in FIELDS) == COLUMNS
    assert tuple(field.id for field in FIELDS) == COLUMNS
