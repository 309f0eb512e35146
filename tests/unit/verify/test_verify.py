"""A product is made again from what its record names. What differs is named: a pixel, a card, the source."""

from __future__ import annotations

import io
import json
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits

from tessera import (
    CutoutOptions,
    MovingOptions,
    make_cutouts,
    make_image_cutouts,
    make_moving_cutouts,
    measure_cube,
    read_frames,
)
from tessera.cli.main import main
from tessera.cutouts.open_cube import open_cube
from tessera.errors import InvalidInputError, MissingFileError
from tessera.moving.ephemeris import Clock, Ephemeris
from tessera.provenance.fits_files import data_problems, format_provenance, read_provenance
from tessera.provenance.record import Record, canonical_json
from tessera.tess.clock import Time
from tessera.verify.compare import compare_fits, rounded_cards
from tessera.verify.verify import verify_product
from tests.support.checks import checksums_hold, fitsverify_complaints
from tests.support.frames import tiny_sector, tiny_times
from tests.support.images import coded, plain_image, sky_at
from tests.support.web import Site, serve

OPTIONS = {
    "plain": CutoutOptions(),
    "chosen": CutoutOptions(layout="slim", quality_mask=1, time=(-np.inf, np.inf), cadences=(1, 900), fill_value=-7.0),
    "flags": CutoutOptions(flags=True),
    "times": CutoutOptions(target_times=True, pos_corr=True),
}


def written(content: bytes | bytearray, path: Path) -> Path:
    path.write_bytes(content)
    return path


def test_the_last_digits_of_a_fit_are_those_of_a_processor(cube: Path, sky: SkyCoord) -> None:
    (made,) = make_cutouts(cube, sky, 5, options=CutoutOptions(provenance=False))
    data = bytes(made.data or b"")
    card = next(data[at : at + 80] for at in range(0, len(data), 80) if data[at:].startswith(b"WCS_SIG "))
    value = float(card[10:30])
    near, other = (data.replace(card[10:30], f"{value * factor:20.14G}".encode()) for factor in (1 + 1e-9, 1.001))
    assert data not in (near, other)
    assert compare_fits(near, data, lambda _: {}) == []
    assert rounded_cards(near, data) == ["WCS_SIG"]
    (found,) = compare_fits(other, data, lambda _: {})
    assert found.place == {"hdu": "APERTURE", "keyword": "WCS_SIG"}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("in_memory", [True, False], ids=["in memory", "on disk"])
def test_a_file_comes_out_the_same(
    cube: Path, sky: SkyCoord, tmp_path: Path, options: CutoutOptions, *, in_memory: bool
) -> None:
    folder = None if in_memory else tmp_path
    stars = [{"ID": 5, "Tmag": 9.5, "name": "it's a star"}]
    (made,) = make_cutouts(cube, sky, (5, 40), options=options, output_dir=folder, stars=stars)
    path = made.path or written(made.data or b"", tmp_path / "new.fits")
    found = verify_product(path, cube)
    assert (found.status, found.problems, found.notes) == ("same", [], [])


def test_a_difference_comes_out_the_same(cube: Path, sky: SkyCoord, tmp_path: Path) -> None:
    own = written(cube.read_bytes(), tmp_path / cube.name)
    measure_cube(own)
    (made,) = make_cutouts(own, sky, 5, options=CutoutOptions(difference=True), output_dir=tmp_path / "out")
    assert made.path is not None
    assert fits.getheader(made.path)["DIFFIMG"]
    found = verify_product(made.path, own)
    assert (found.status, found.problems, found.notes) == ("same", [], [])


def test_the_file_without_its_last_hdu_is_the_one_without_provenance(cube: Path, sky: SkyCoord) -> None:
    (with_it,) = make_cutouts(cube, sky, 5)
    (without,) = make_cutouts(cube, sky, 5, options=CutoutOptions(provenance=False))
    assert with_it.data is not None
    assert without.data is not None
    assert with_it.data[: len(without.data)] == without.data
    assert checksums_hold(with_it.data)
    found = read_provenance(with_it.data)
    assert found is not None
    assert found.n_bytes == len(without.data)
    assert found.record.source == {
        "location": cube.name,
        "size": cube.stat().st_size,
        "etag": "",
        "digest": found.record.source["digest"],
        "build": "",
    }
    assert read_provenance(without.data) is None


def test_a_file_with_a_record_is_standard_fits(made: Path) -> None:
    assert not [line for line in fitsverify_complaints(made) if "Error" in line or "PROVENANCE" in line]
    with fits.open(made, checksum=True) as hdus:
        (row,) = hdus["PROVENANCE"].data
        record = json.loads(row["RECORD"])
    assert record["kind"] == "target pixel file"
    assert record["request"]["window"]["n_rows"] == 5


def changed(path: Path, change: object, *, sums: bool) -> Path:
    """A copy whose HDUs were changed with astropy, with right or with old checksums."""
    copy = path.with_name(f"changed-{path.name}")
    with fits.open(path, memmap=False) as hdus:
        change(hdus)  # type: ignore[operator]
        old = {} if sums else {hdu.name: (hdu.header.get("CHECKSUM"), hdu.header.get("DATASUM")) for hdu in hdus}
        hdus.writeto(copy, checksum=sums)
    if old:
        with fits.open(copy, mode="update", checksum=False) as hdus:
            for hdu in hdus:
                hdu.header["CHECKSUM"], hdu.header["DATASUM"] = old[hdu.name]
    return copy


def one_pixel(hdus: fits.HDUList) -> None:
    hdus[1].data["FLUX"][3, 1, 2] += 1


def one_card(hdus: fits.HDUList) -> None:
    hdus[1].header["EXPOSURE"] = 1.5


def one_aperture_pixel(hdus: fits.HDUList) -> None:
    hdus[2].data[0, 4] = 3


@pytest.mark.parametrize("sums", [True, False], ids=["new sums", "old sums"])
@pytest.mark.parametrize(
    ("change", "place"),
    [
        (one_pixel, {"hdu": "PIXELS", "plane": "FLUX", "row": 17, "column": 13, "cadence": 3}),
        (one_card, {"hdu": "PIXELS", "keyword": "EXPOSURE"}),
        (one_aperture_pixel, {"hdu": "APERTURE", "plane": "APERTURE", "row": 16, "column": 15}),
    ],
    ids=["a pixel", "a card", "a pixel of the aperture"],
)
def test_what_was_changed_is_named(
    made: Path, cube: Path, change: object, place: dict[str, object], sums: bool
) -> None:
    found = verify_product(changed(made, change, sums=sums), cube)
    what = "card" if "keyword" in place else "pixel"
    assert found.status == "different"
    named = [problem.place for problem in found.problems if problem.what == what]
    assert [item for item in named if item.get("keyword") != "EXTEND"] == [place]  # astropy has its own comment there
    if not sums and what == "pixel":
        assert "checksum" in {problem.what for problem in found.problems}
    assert "structure" not in {problem.what for problem in found.problems}


def test_a_changed_record_is_found(made: Path, cube: Path, tmp_path: Path) -> None:
    other = made.read_bytes().replace(b'"layout":"full"', b'"layout":"slim"')
    found = verify_product(written(other, tmp_path / "a.fits"), cube)
    assert found.status == "different"
    assert [problem.what for problem in found.problems] == ["record"]


def test_a_source_that_is_gone_or_another_one_is_named(made: Path, cube: Path, tmp_path: Path) -> None:
    found = verify_product(made)
    assert (found.status, found.problems) == ("unknown", [])
    assert "name it with --from" in found.notes[0]
    with serve(Site({})) as site:
        missing = verify_product(made, f"{site.base}/none.fits")
    assert [problem.what for problem in missing.problems] == ["source"]
    other = tmp_path / cube.name
    content = bytearray(cube.read_bytes())
    where = content.index(b"XTENSION= 'IMAGE") + 2880 + (((17 * 30 + 13) * 6 + 3) * 2) * 4
    content[where : where + 4] = np.array([8.0], ">f4").tobytes()
    other.write_bytes(content)
    replaced = verify_product(made)  # beside it
    assert replaced.status == "different"
    assert [(item.place["row"], item.place["column"], item.place["cadence"]) for item in replaced.problems] == [
        (17, 13, 3)
    ]
    with fits.open(cube, memmap=False) as hdus:
        hdus[2].data["TSTART"] += 0.5
        hdus.writeto(other, overwrite=True, checksum=True)
    again = verify_product(made)
    assert again.problems[0].what == "source"
    assert "was replaced: its digest of headers and times was " in again.problems[0].text


def test_a_file_from_frames_is_made_again_from_them(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for name, data in tiny_sector(3, (40, 30)):
        (folder / name).write_bytes(data)
    (frames,) = read_frames(folder)
    with open_cube(frames) as file:
        place = SkyCoord(*file.cube.wcs.all_pix2world([[13.2, 18.4]], 0)[0], unit="deg")
    (made,) = make_cutouts(frames, place, 5, output_dir=tmp_path)
    assert made.path is not None
    for source in (folder, sorted(folder.iterdir())):
        assert verify_product(made.path, source).status == "same"
    one = sorted(folder.iterdir())[1]
    with fits.open(one, mode="update") as hdus:
        hdus[1].data[17, 13] += 1
    found = verify_product(made.path, folder)
    assert [(item.place["row"], item.place["column"], item.place["cadence"]) for item in found.problems] == [
        (17, 13, 1)
    ]


def test_frames_of_several_ccds_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for ccd in (1, 2):
        for name, data in tiny_sector(2, (20, 15), ccd=ccd):
            (folder / name).write_bytes(data)
    for number, frames in enumerate(read_frames(folder), 1):
        with open_cube(frames) as file:
            place = SkyCoord(*file.cube.wcs.all_pix2world([[7.2, 9.4]], 0)[0], unit="deg")
        (made,) = make_cutouts(frames, place, 3, output_dir=tmp_path)
        assert made.path is not None
        found = verify_product(made.path, folder)
        assert (found.status, found.problems) == ("same", [])
        assert found.record is not None
        assert found.record["source"]["location"] == f"frames of tess-s0001-4-{number}"


def test_a_cube_is_found_by_its_name_in_a_folder_or_a_list(made: Path, cube: Path, tmp_path: Path) -> None:
    other = written(b"", tmp_path / "tess-s0001-4-1-cube.fits")
    for source in (cube.parent, [other, cube], [tmp_path, cube.parent]):
        assert verify_product(made, source).status == "same"
    found = verify_product(made, tmp_path)
    assert (found.status, found.problems) == ("unknown", [])
    (note,) = found.notes
    assert note.startswith("source is ")
    assert f"; allowed: {cube.name} or a folder that has it, because " in note


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("source",), {}, "the record of provenance does not name one source"),
        (("request", "window", "n_rows"), 10**16, "the request in the record cannot be followed: MemoryError"),
    ],
)
def test_a_record_of_nonsense_is_no_traceback(
    made: Path, cube: Path, place: tuple[str, ...], value: object, said: str
) -> None:
    content = made.read_bytes()
    found = read_provenance(content)
    assert found is not None
    document = json.loads(found.record.text)
    *folders, last = place
    reduce(dict.__getitem__, folders, document)[last] = value
    record = Record.parse(canonical_json(document))
    written(content[: found.n_bytes] + format_provenance(record), made)
    assert said in verify_product(made, cube).notes[0]


@pytest.mark.parametrize("clock", ["barycentre", "observer"])
def test_a_moving_target_comes_out_the_same(cube: Path, sky: SkyCoord, clock: Clock, tmp_path: Path) -> None:
    days = np.linspace(tiny_times(0)[0] - 0.1, tiny_times(5)[1] + 0.1, 9)
    ra, dec = sky.ra.deg + np.linspace(-0.02, 0.02, 9), np.full(9, sky.dec.deg)
    path = Ephemeris(Time(2457000, days, format="jd", scale="tdb").utc, ra, dec, clock, "Eros (433)")
    options = MovingOptions(quality_mask=1, interpolation="linear", flags=clock == "observer")
    (made,) = make_moving_cutouts(cube, path, (4, 5), options=options, output_dir=tmp_path)
    assert made.path is not None
    found = verify_product(made.path, cube)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    wrong = verify_product(changed(made.path, one_pixel, sums=True), cube)
    assert [problem.what for problem in wrong.problems if problem.what == "pixel"] == ["pixel"]


def test_a_function_that_interpolates_cannot_be_followed(cube: Path, sky: SkyCoord, tmp_path: Path) -> None:
    days = np.array([tiny_times(0)[0] - 0.1, tiny_times(5)[1] + 0.1])
    path = Ephemeris(Time(2457000, days, format="jd", scale="tdb"), np.full(2, sky.ra.deg), np.full(2, sky.dec.deg))
    how = MovingOptions(interpolation=lambda _days, places, wanted: np.tile(places[:1], (len(wanted), 1)))
    (made,) = make_moving_cutouts(cube, path, 5, options=how, output_dir=tmp_path)
    assert made.path is not None
    found = verify_product(made.path, cube)
    assert found.status == "unknown"
    assert "a function of its maker interpolated" in found.notes[0]


@pytest.mark.parametrize(
    "size", [5, (6, 90), (0.3 * u.arcsec, 0.001 * u.deg)], ids=["odd", "beyond the edges", "angles"]
)
def test_a_cutout_of_an_image_comes_out_the_same(size: Any, tmp_path: Path) -> None:
    image = plain_image(tmp_path / "image.fits", coded((60, 80)))
    (made,) = make_image_cutouts(image, sky_at(image, 30.3, 20.6), size, output_dir=tmp_path / "out")
    assert made.path is not None
    found = verify_product(made.path, image)
    assert (found.status, found.problems, found.notes) == ("same", [], [])

    def one_value(hdus: fits.HDUList) -> None:
        hdus[1].data[0, 0] = 77

    wrong = verify_product(changed(made.path, one_value, sums=True), image)
    assert "pixel" in {problem.what for problem in wrong.problems}


def test_the_command_says_what_differs_and_ends_with_a_code(
    made: Path, cube: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = str(made)
    assert main(["verify", name, "--from", str(cube)]) == 0
    assert capsys.readouterr().out == f"{name}: made again, and every byte is the same\n"
    assert main(["verify", name, "-q", "--from", str(cube)]) == 0
    assert capsys.readouterr().out == ""
    assert main(["verify", name]) == 3
    assert "could not be made again" in capsys.readouterr().out
    bad = changed(made, one_pixel, sums=False)
    assert main(["verify", name, str(bad), "--json", "--from", str(cube)]) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["status"], second["status"]) == ("same", "different")
    assert first["record"]["kind"] == "target pixel file"
    assert {"what": "pixel", "plane": "FLUX"}.items() <= {
        **second["problems"][-1],
        **second["problems"][-1]["place"],
    }.items()


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_checked(
    made: Path, cube: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing, given = str(made.with_name("missing.fits")), ["--from", str(cube)]
    assert main(["verify", missing, str(made), *given]) == 1
    told = f"tessera: {missing} cannot be read: there is no such file\n"
    assert capsys.readouterr() == (f"{made}: made again, and every byte is the same\n", told)
    assert main(["verify", missing, str(made), "--json", *given]) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["file"], first["status"], second["status"]) == (missing, "unreadable", "same")
    assert main(["verify", str(made), missing]) == 1  # it is worse than one that cannot be made again


@pytest.mark.parametrize(
    ("file", "source", "words"),
    [
        (None, None, "location is None"),
        ("made", 5, "source is 5"),
        ("made", [], r"source is \[\]"),
        ("made", "nowhere", "nowhere.*no such file or folder"),
    ],
)
def test_what_names_no_product_or_source_is_refused(made: Path, file: Any, source: Any, words: str) -> None:
    with pytest.raises((InvalidInputError, MissingFileError), match=words):
        verify_product(made if file else file, source)


def test_a_file_without_a_record_is_not_judged(tmp_path: Path) -> None:
    text = written(b"no file of ours", tmp_path / "a.txt")
    assert verify_product(text).status == "unknown"
    content = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.arange(6.0))]).writeto(content, checksum=True)
    plain = written(content.getvalue(), tmp_path / "a.fits")
    assert (verify_product(plain).status, data_problems(content.getvalue())) == ("unknown", [])
    broken = bytearray(content.getvalue())
    broken[-2880] ^= 1
    assert verify_product(written(broken, plain)).status == "different"
