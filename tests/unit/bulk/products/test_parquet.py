"""Light curves as Parquet files in the partitions of a catalogue."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arro3.io import read_parquet
from astropy import units as u
from astropy_healpix import HEALPix

from tessera.bulk.options import BulkOptions
from tessera.bulk.products.columns import HEALPIX, catalogue_columns
from tessera.bulk.products.local import LocalFolder
from tessera.bulk.products.parquet import CurveTable
from tessera.bulk.products.sky import healpix_index
from tessera.lightcurves.photometry import parse_aperture
from tessera.provenance.record import Origin, Record
from tests.support.bands import N_CADENCES, some_band, some_curve

RNG = np.random.default_rng(5)
N = 40
BAND = some_band(RNG.uniform(80, 100, N).tolist(), RNG.uniform(-70, -60, N).tolist())
LISTS = ("time", "flux", "flux_err", "background", "centroid_row", "centroid_column", "quality")


def write(folder: Path, band: Any = BAND, options: BulkOptions | None = None, **more: Any) -> dict[str, list[int]]:
    """Write the light curves of a band; gives the places of the targets in each file."""
    files: dict[str, list[int]] = {}
    table = CurveTable(
        LocalFolder(folder),
        band,
        options or BulkOptions(),
        lambda file, places: files.update({file.name: list(places)}),
        **more,
    )
    for place in range(len(band)):
        table.add(place, some_curve(place))
    table.finish()
    return files


def columns_of(path: Path) -> dict[str, Any]:
    table = read_parquet(path).read_all()
    return {name: table[name].combine_chunks().to_pylist() for name in table.column_names}


def test_every_target_is_in_the_partition_of_its_position_with_all_digits(tmp_path: Path) -> None:
    files = write(tmp_path)

    partitions = HEALPix(8, "nested").lonlat_to_healpix(BAND.ra * u.deg, BAND.dec * u.deg)
    assert sorted(place for places in files.values() for place in places) == list(range(N))
    assert len(files) == len(set(partitions)) > 2
    for name, places in files.items():
        read = columns_of(tmp_path / name)
        assert name == f"lightcurves/dataset/Norder=3/Dir=0/Npix={partitions[places[0]]}/00003-000.parquet"
        assert {partitions[place] for place in places} == {partitions[places[0]]}
        assert read["row"] == [place + 1 for place in places]
        assert read["target"] == [f"star {place}" for place in places]
        for at, place in enumerate(places):
            curve = some_curve(place)
            assert all(read[column][at] == getattr(curve, column).tolist() for column in LISTS)
            assert read["cadence_number"][at] == [-1] * N_CADENCES
            assert np.array_equal(parse_aperture(read["aperture"][at], 3, 5), curve.mask)
            assert read["n_aperture"][at] == curve.mask.sum()


def test_rows_of_a_file_are_sorted_by_their_place_on_the_sky(tmp_path: Path) -> None:
    for name, places in write(tmp_path).items():
        index = columns_of(tmp_path / name)[HEALPIX]

        assert index == sorted(index) == healpix_index(BAND.ra[places], BAND.dec[places]).tolist()


def test_what_waits_is_written_when_it_is_too_large(tmp_path: Path) -> None:
    files = write(tmp_path, buffer_bytes=5 * N_CADENCES * 60)

    assert len(files) > 8
    assert max(map(len, files.values())) <= 6
    assert sorted(place for places in files.values() for place in places) == list(range(N))


def test_the_same_band_gives_the_same_bytes(tmp_path: Path) -> None:
    files = write(tmp_path / "a")

    assert write(tmp_path / "b") == files
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


@pytest.mark.parametrize(
    ("options", "unit", "extra"),
    [
        (BulkOptions(), "electron/s", {"background"}),
        (BulkOptions(background=False), "electron/s", set()),
        (BulkOptions(product="TICA"), "electron", {"background"}),
    ],
)
def test_files_say_what_their_columns_are(tmp_path: Path, options: BulkOptions, unit: str, extra: set[str]) -> None:
    name, *_ = write(tmp_path, options=options)

    schema = read_parquet(tmp_path / name).schema
    assert schema.names == [column.name for column in catalogue_columns(options)]
    assert schema.field("flux").metadata_str["unit"] == unit
    assert all(schema.field(name).metadata_str["description"] for name in schema.names)
    assert set(schema.names) & {"background"} == extra
    assert ("spacecraft" in schema.field("time").metadata_str["description"]) == (options.product == "TICA")


@pytest.mark.parametrize(
    ("ra", "dec"), [(0.0, 90.0), (0.0, -90.0), (360.0, 0.0), (359.999999999, 1e-300), (-10.0, 5.0)]
)
def test_every_position_of_the_sky_has_a_partition(tmp_path: Path, ra: float, dec: float) -> None:
    (name,) = write(tmp_path, some_band([ra], [dec], hats_order=0))

    expected = HEALPix(1, "nested").lonlat_to_healpix(ra % 360 * u.deg, dec * u.deg)
    assert f"/Norder=0/Dir=0/Npix={expected}/" in name


def test_a_list_without_curves_writes_nothing(tmp_path: Path) -> None:
    assert write(tmp_path, some_band([], [])) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_file_says_what_it_was_made_of(tmp_path: Path) -> None:
    origin = Origin("s3://bucket/tess-s0001-1-1-cube.fits", 5760, "an-etag", "digest", "build")
    for name, places in write(tmp_path, origin=origin).items():
        facts = json.loads(read_parquet(tmp_path / name).schema.metadata_str["tessera"])
        record = Record.parse(facts["record"])
        assert (record.sha256, record.origin, record.kind) == (facts["record_sha256"], origin, "light curves")
        assert record.request["rows"] == [place + 1 for place in places]
        assert record.request["options"]["size"] == [11, 11]
        values = columns_of(tmp_path / name)
        sums = record.data["columns_sha256"]
        assert list(sums) == sorted(values)
        flux, rows = np.concatenate(values["flux"]).astype("<f8"), np.array(values["row"], "<i8")
        assert sums["flux"] == hashlib.sha256(flux.tobytes()).hexdigest()
        assert sums["row"] == hashlib.sha256(rows.tobytes()).hexdigest()
        names = json.dumps(values["target"], separators=(",", ":"))
        assert sums["target"] == hashlib.sha256(names.encode()).hexdigest()
