"""The star of a cutout by name is in the headers of its files."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from astropy.io import fits

from tessera.targets.places import NamedPlace
from tessera.tess.star import Star
from tests.support.api import DEC, RA, Answered, Api
from tests.support.archives import file_names
from tests.support.builds import SETTINGS
from tests.support.same_bytes import assert_same_bytes

STAR = Star(tic=261136679, tmag=5.1, pm_ra=311.2, pm_dec=1048.8, teff=6037.0, radius=1.1)
CARDS = ("OBJECT", "TICID", "TESSMAG", "PMRA", "PMDEC", "PMTOTAL", "TEFF", "LOGG", "MH", "RADIUS", "TICVER")
EMPTY = (None, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)


class Names:
    def find(self, name: str) -> NamedPlace:
        return NamedPlace("Mast's " + name.strip(), RA, DEC, "MAST (TIC)")


class Stars:
    def __init__(self, star: Star | None) -> None:
        self.star, self.asked = star, list[int]()

    def find(self, tic: int) -> Star | None:
        self.asked.append(tic)
        return self.star


def known(api: Api, star: Star | None) -> Stars:
    handlers: Any = api.handlers
    handlers.names, handlers.stars = Names(), Stars(star)
    return handlers.stars  # type: ignore[no-any-return]


def cards(answer: Answered) -> list[tuple[Any, ...]]:
    assert answer.status == 200, answer.content
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    headers = [fits.getheader(io.BytesIO(archive.read(name))) for name in file_names(archive)]
    return [tuple(header[card] for card in CARDS) for header in headers]


def test_a_number_of_the_tic_fills_the_cards_of_all_files(api: Api) -> None:
    stars = known(api, STAR)
    first, second = cards(api.get("/v1/cutouts", name=" tic261136679"))
    total = pytest.approx(1093.99, abs=0.1)
    expected = ("Mast's tic261136679", 261136679, 5.1, 311.2, 1048.8, total, 6037.0, None, None, 1.1, None)
    assert first == second == expected
    assert stars.asked == [261136679]


def test_a_star_that_the_catalogue_does_not_know_has_its_number(api: Api) -> None:
    known(api, None)
    (found,) = cards(api.get("/v1/cutouts", name="TIC 5", sectors="1"))
    assert found == ("Mast's TIC 5", 5, *[None] * 9)


def test_another_name_fills_the_object_and_is_not_looked_up(api: Api) -> None:
    stars = known(api, STAR)
    (found,) = cards(api.get("/v1/cutouts", name="pi Men", sectors="1"))
    assert found == ("Mast's pi Men", *EMPTY)
    assert stars.asked == []


def test_a_written_position_is_a_position(api: Api) -> None:
    stars = known(api, STAR)
    plain = api.get("/v1/cutouts", ra=RA, dec=DEC, sectors="1")
    assert_same_bytes(api.get("/v1/cutouts", name=f"{RA} {DEC}", sectors="1").content, plain.content)
    assert cards(plain) == [("", *EMPTY)]
    assert stars.asked == []


def test_the_same_place_with_and_without_a_star_are_different_answers(api: Api) -> None:
    stars = known(api, STAR)
    place = {"ra": RA, "dec": DEC, "sectors": "1"}
    named = api.get("/v1/cutouts", name="TIC 261136679", sectors="1")
    plain = api.get("/v1/cutouts", **place)
    assert named.content != plain.content
    assert_same_bytes(api.get("/v1/cutouts", **place).content, plain.content)
    assert_same_bytes(api.get("/v1/cutouts", name="TIC 261136679", sectors="1").content, named.content)
    stars.star = None  # the catalogue is away now
    assert cards(api.get("/v1/cutouts", name="TIC 261136679", sectors="1"))[0][2] is None


def test_a_job_of_a_name_writes_the_star_too(api: Api) -> None:
    known(api, STAR)
    form: dict[str, Any] = {"name": "TIC 261136679", "size": "25", "sectors": "1"}
    first = api.post("/v1/jobs", **form)
    assert first.status == 202
    assert api.post("/v1/jobs", **form).location == first.location
    api.run_jobs()
    url = api.get(first.location).json()["result"]["url"]
    data = api.store.objects[SETTINGS.result_bucket, url.split(".example/")[1].split("?", maxsplit=1)[0]]
    assert cards(Answered(200, {}, data))[0][:3] == ("Mast's TIC 261136679", 261136679, 5.1)
