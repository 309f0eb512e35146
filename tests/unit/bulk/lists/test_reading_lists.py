"""Lists of targets in each form, as other readers read them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arro3.core
import arro3.io
import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table
from astropy.time import Time

from tessera.bulk.lists.read import read_list
from tessera.bulk.options import BulkOptions
from tessera.bulk.target_rows import TargetRows
from tessera.errors import InvalidInputError

OPTIONS = BulkOptions()

TABLE = Table(
    {
        "name": ["one", "two", "three"],
        "ra": [10.5, 88.95, 359.999],
        "dec": [-20.0, -75.39, 89.5],
        "pmra": [1.5, -2.25, 0.0],
        "pmdec": [3.0, 4.0, 0.0],
        "epoch": [2016.0, 2000.0, 2015.5],
        "tic": [1, 2**53 + 1, 3],
        "size": ["11", "5x7", "13"],
        "sectors": ["1,2 5-7", "", "27"],
        "aperture": ["all", "", "default"],
        "colour": [1.0, 2.0, 3.0],
    }
)


def written(form: str) -> bytes:
    out = io.StringIO()
    TABLE.write(out, format=form)
    return out.getvalue().encode()


def of_binary(form: str) -> bytes:
    out = io.BytesIO()
    TABLE.write(out, format=form)
    return out.getvalue()


def of_parquet() -> bytes:
    arrays = {
        name: arro3.core.Array(np.asarray(TABLE[name])) for name in TABLE.colnames if TABLE[name].dtype.kind != "U"
    }
    texts = {
        name: arro3.core.Array(TABLE[name].tolist(), arro3.core.DataType.utf8())
        for name in TABLE.colnames
        if name not in arrays
    }
    out = io.BytesIO()
    arro3.io.write_parquet(arro3.core.Table.from_pydict(arrays | texts), out)
    return out.getvalue()


def of_rows() -> list[dict[str, Any]]:
    return [{name: TABLE[name][k].item() for name in TABLE.colnames} for k in range(3)]


def of_columns() -> dict[str, Any]:
    return {name: TABLE[name].tolist() for name in TABLE.colnames}


FORMS: dict[str, Callable[[], Any]] = {
    "csv": lambda: written("ascii.csv"),
    "csv with semicolons": lambda: written("ascii.csv").replace(b'"1,2 5-7"', b"1 2 5-7").replace(b",", b";"),
    "csv with tabs": lambda: written("ascii.tab"),
    "csv with a byte order mark": lambda: b"\xef\xbb\xbf" + written("ascii.csv"),
    "csv in UTF-16": lambda: written("ascii.csv").decode().encode("utf-16"),
    "csv with comments": lambda: b"# by hand\n\n# 2026\n" + written("ascii.csv"),
    "csv with other line ends": lambda: written("ascii.csv").replace(b"\n", b"\r\n"),
    "csv packed": lambda: gzip.compress(written("ascii.csv")),
    "csv of pandas": lambda: TABLE.to_pandas().to_csv().encode(),
    "ecsv": lambda: written("ascii.ecsv"),
    "votable": lambda: of_binary("votable"),
    "fits": lambda: of_binary("fits"),
    "parquet": of_parquet,
    "json rows": lambda: json.dumps(of_rows()).encode(),
    "json columns": lambda: json.dumps(of_columns()).encode(),
    "json below targets": lambda: json.dumps({"targets": of_rows(), "product": "SPOC"}).encode(),
    "json below rows": lambda: json.dumps({"rows": of_columns()}).encode(),
    "table": lambda: TABLE,
    "rows of a table": lambda: list(TABLE),
    "DataFrame": TABLE.to_pandas,
    "structured array": lambda: np.array(TABLE),
    "dicts": of_rows,
    "dict of columns": of_columns,
    "open file": lambda: io.BytesIO(written("ascii.csv")),
}


def read(given: Any, **others: Any) -> TargetRows:
    return read_list(given, OPTIONS, **others)


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_of_a_list_are_read_the_same(form: str) -> None:
    rows = read(FORMS[form]())
    assert rows.problems == ()
    assert rows.row.tolist() == [1, 2, 3]
    assert rows.name == ("one", "two", "three")
    assert rows.tic.tolist() == [1, 2**53 + 1, 3]
    for ours, theirs in (("ra", "ra"), ("dec", "dec"), ("pm_ra", "pmra"), ("pm_dec", "pmdec"), ("epoch", "epoch")):
        np.testing.assert_array_equal(getattr(rows, ours), np.asarray(TABLE[theirs]))
    assert (rows.n_rows.tolist(), rows.n_columns.tolist()) == ([11, 5, 13], [11, 7, 13])
    assert [rows.sector_sets[place] for place in rows.sector_set] == [(1, 2, 5, 6, 7), None, (27,)]
    assert [rows.apertures[place] for place in rows.aperture] == ["all", "default", "default"]


def test_a_path_is_read_and_a_text_that_is_none_is_a_target(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(written("ascii.csv"))
    assert read(str(path)).name == read(path).name == ("one", "two", "three")
    assert read("88.95 -75.39").ra.tolist() == [88.95]


def test_units_are_converted_as_astropy_converts_them() -> None:
    sky = SkyCoord([10.0, 200.0], [-5.0, 45.0], unit="deg")
    table = Table({"RA": sky.ra.hourangle * u.hourangle, "DEC": sky.dec.rad * u.rad})
    table["pmra"], table["pmdec"] = [0.5, 1.0] * u.arcsec / u.yr, [1e-6, 2e-6] * u.deg / u.yr
    table["ref_epoch"] = 2016.0 * u.yr
    rows = read(table)
    np.testing.assert_allclose(rows.ra, sky.ra.deg, rtol=1e-14)
    np.testing.assert_allclose(rows.dec, sky.dec.deg, rtol=1e-14)
    np.testing.assert_allclose(rows.pm_ra, [500, 1000])
    np.testing.assert_allclose(rows.pm_dec, [3.6, 7.2])
    with pytest.raises(InvalidInputError, match=r"unit of the column ra is 'm'; allowed: a unit of angles"):
        read(Table({"ra": [1.0] * u.m, "dec": [1.0]}))


def test_pairs_with_a_unit_are_converted_and_an_angle_alone_is_a_problem() -> None:
    pairs = np.radians([[10.0, -5.0], [200.0, 45.0], [30.0, 0.0]]) * u.rad
    for given in (pairs, list(pairs), [tuple(pair) for pair in pairs]):
        rows = read(given)
        np.testing.assert_allclose([rows.ra, rows.dec], [[10, 200, 30], [-5, 45, 0]])
    for wrong in ([1.0, 2.0, 3.0] * u.deg, [[1.0, 2.0] * u.m] * 3):
        assert [problem.reason.split()[0] for problem in read(wrong).problems] == ["target"] * 3
    with pytest.raises(InvalidInputError, match=r"unit of the column ra is 'm'; allowed: a unit of angles"):
        read([[1.0, 2.0]] * u.m)


def test_positions_of_any_frame_keep_their_proper_motion() -> None:
    sky = SkyCoord(
        [10.0, 20.0] * u.deg, [5.0, 6.0] * u.deg, pm_ra_cosdec=[7, 8] * u.mas / u.yr, pm_dec=[9, 10] * u.mas / u.yr,
        obstime=Time(2016.0, format="jyear"),
    )  # fmt: skip
    for given in (sky, Table({"sky": sky}), [sky[0], sky[1]]):
        rows = read(given)
        np.testing.assert_allclose([rows.ra, rows.dec], [[10, 20], [5, 6]])
        np.testing.assert_allclose([rows.pm_ra, rows.pm_dec], [[7, 8], [9, 10]])
        np.testing.assert_allclose(rows.epoch, 2016.0)
    np.testing.assert_allclose(read(sky.galactic).ra, [10, 20])


def test_masked_cells_are_empty_cells() -> None:
    table = Table({"ra": [1.0, 2.0], "dec": [3.0, 4.0], "tic": MaskedColumn([5, 6], mask=[True, False])})
    table["size"] = MaskedColumn([21, 99], mask=[False, True])
    rows = read(table)
    assert (rows.tic.tolist(), rows.n_rows.tolist()) == ([0, 6], [21, 11])
    frame = pd.DataFrame({"ra": [1.0, 2.0], "dec": [3.0, 4.0], "tic": pd.array([None, 6], dtype="Int64")})
    assert read(frame).tic.tolist() == [0, 6]


def test_a_cell_of_an_object_of_columns_is_for_all_rows() -> None:
    given = {"ra": [1, 2], "dec": [3, 4], "pmra": [5, 6], "pmdec": 7, "epoch": 2016, "size": "5x7", "sectors": "1,2"}
    for rows in (read(given), read(json.dumps(given).encode())):
        assert (rows.epoch.tolist(), rows.pm_dec.tolist()) == ([2016, 2016], [7, 7])
        assert (rows.n_columns.tolist(), rows.sector_set.tolist()) == ([7, 7], [1, 1])
    assert read({"ra": 1, "dec": 2}).ra.tolist() == [1]
    written_by_pandas = {"ra": {"0": 1, "1": 2}, "dec": {"0": 3, "1": 4}}
    assert read(written_by_pandas).dec.tolist() == [3, 4]


def test_the_files_of_gaias_archive_are_read() -> None:
    yaml = ["{name: source_id, datatype: int64}", "{name: ref_epoch, datatype: float64, unit: yr}"]
    yaml += [f"{{name: {name}, datatype: float64, unit: deg}}" for name in ("ra", "dec")]
    yaml += [f"{{name: {name}, datatype: float64, unit: mas.yr**-1}}" for name in ("pmra", "pmdec")]
    head = ["%ECSV 1.0", "---", "delimiter: ','", "datatype:", *(f"- {line}" for line in yaml)]
    body = [
        "source_id,ref_epoch,ra,dec,pmra,pmdec",
        "7,2016.0,217.39,-62.67,-3781.7,769.4",
        '8,2016.0,1,2,"null","null"',
    ]
    rows = read(gzip.compress("\n".join([*(f"# {line}" for line in head), *body]).encode()))
    np.testing.assert_array_equal(rows.pm_ra, [-3781.7, np.nan])
    np.testing.assert_array_equal(rows.epoch, [2016, np.nan])


def test_a_frame_with_two_columns_of_one_name_is_an_error_if_they_count() -> None:
    with pytest.raises(InvalidInputError, match="a list with 2 columns ra'; allowed: one of each name"):
        read(pd.DataFrame([[1, 2, 3]], columns=["ra", "dec", "ra"]))
    assert read(pd.DataFrame([[1, 2, 3, 4]], columns=["ra", "dec", "x", "x"])).dec.tolist() == [2]


@pytest.mark.parametrize(
    ("columns", "epochs"),
    [
        ("ra,dec,pmRA,pmDEC\n1,2,3,4\n1,2,,\n", [2000.0, np.nan]),  # as the TIC and SIMBAD write it
        ("ra,dec,pmra,pmdec,ref_epoch\n1,2,3,4,\n1,2,3,4,2016\n", [2000.0, 2016.0]),
        ("RA,Dec,PM RA (mas/yr),PM Dec (mas/yr),Epoch (BJD)\n1,2,3,4,2458325.5\n1,2,3,4,2036.5\n", [2000.0, 2000.0]),
        ("ra,dec,pmra,pmdec,epoch [d]\n1,2,3,4,2036.5\n1,2,3,4,2036.5\n", [2000.0, 2000.0]),
    ],
)
def test_rows_without_an_epoch_have_that_of_the_call(columns: str, epochs: list[float]) -> None:
    rows = read_list(columns.encode(), BulkOptions(epoch=2000.0))
    assert not rows.problems
    np.testing.assert_array_equal(rows.epoch, epochs)


VIZIER = """#
#RESOURCE=yCat_1355
#Name: I/355/gaiadr3
#Column\tRA_ICRS\t(A11)\tRight ascension\t[ucd=pos.eq.ra;meta.main]
#Column\tName\t(A9)
RA_ICRS{0}DE_ICRS{0}Name{0}RPmag
"h:m:s"{0}"d:m:s"{0} {0}mag
-----------{0}-----------{0}---------{0}------
05 37 09.88{0}-80 28 08.8{0}pi Men{0}5.1

"""


@pytest.mark.parametrize(
    "text",
    [
        VIZIER.format("\t"),
        VIZIER.format(";"),
        "sep=;\nname;ra;dec\npi Men;84,29117;-80,46911\n",  # Excel
        '# ra        dec        name\n  84.29117  -80.46911  "pi Men"\n',  # TOPCAT
        '| ra | dec | name |\n|---|---|---|\n| 84.29117 | -80.46911 | "pi Men" |\n',
        "_RAJ2000,_DEJ2000,name\n84.29117,-80.46911,pi Men\n",
        "RA_deg,DE_deg,name\n84.29117,-80.46911,pi Men\n",
    ],
)
def test_tables_of_other_programs_are_read_without_their_lines_about_the_columns(text: str) -> None:
    rows = read_list(text.encode(), OPTIONS)
    assert (rows.name, rows.row.tolist(), rows.problems) == (("pi Men",), [1], ())
    np.testing.assert_allclose((rows.ra[0], rows.dec[0]), (84.29117, -80.46911), atol=1e-5)


def test_an_object_of_cells_is_one_target_and_columns_may_be_series() -> None:
    one = read_list({"ra": 1, "dec": 2, "size": [5, 7], "sectors": [1, 2]}, OPTIONS)
    assert (one.n_rows.tolist(), one.n_columns.tolist(), one.sector_sets[-1]) == ([5], [7], (1, 2))
    frame = pd.DataFrame({"ra": [1.5, 2], "dec": [3, 4]})
    assert read_list({"ra": frame["ra"], "dec": frame["dec"]}, OPTIONS).ra.tolist() == [1.5, 2]
