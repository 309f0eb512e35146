"""Files of our own API say what they were made of. Files of TESSCut's say it on request, and are the same otherwise."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tessera.provenance.crate import CRATE
from tessera.provenance.fits_files import read_provenance
from tessera.provenance.signing import PublicKey, sign_records
from tessera.verify.verify import verify_product
from tessera_cloud import keys
from tessera_cloud.application.cutouts.fixed import Position
from tessera_cloud.application.cutouts.options import CutoutOptions, Size
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.request import CutoutRequest
from tests.support.api import DEC, RA, Api
from tests.support.builds import SETTINGS
from tests.support.keys import key_files

CUBE = "tess-s0002-4-2"
PLACE = {"ra": RA, "dec": DEC, "size": "3,5"}
TESSCUT = {"ra": RA, "dec": DEC, "y": 3, "x": 5, "sector": 2}


def members(api: Api, path: str, **query: Any) -> dict[str, bytes]:
    answer = api.get(path, **query)
    assert answer.status == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    return {name: archive.read(name) for name in archive.namelist()}


def stored_cube(api: Api, file: bytes, folder: Path) -> Path:
    """The cube that the record of a file names, on the disk."""
    found = read_provenance(file)
    assert found is not None
    bucket, _, key = found.record.origin.location.removeprefix("s3://").partition("/")
    data, about = api.store.read(bucket, key)
    assert (found.record.origin.size, found.record.origin.etag) == (len(data), about.etag.strip('"'))
    assert found.record.origin.build
    path = folder / f"{CUBE}-cube.fits"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"layout": "slim", "placement": "tesscut", "cadences": "1,2", "aperture": "default"},
        {"time": "1355,1357", "quality_mask": 1, "aperture": f"{CUBE}:4f10", "flags": "true"},
    ],
)
def test_a_file_of_the_service_is_made_again_from_its_cube(api: Api, tmp_path: Path, more: dict[str, Any]) -> None:
    file = api.get("/v1/cutouts.fits", cube=CUBE, **PLACE, **more).content
    path = tmp_path / "file.fits"
    path.write_bytes(file)
    found = verify_product(path, stored_cube(api, file, tmp_path))
    assert (found.status, found.problems, found.notes) == ("same", [], [])


def test_a_file_of_a_service_that_has_a_key_is_signed(api: Api, tmp_path: Path) -> None:
    private, public = key_files(tmp_path)
    with sign_records(private):
        file = api.get("/v1/cutouts.fits", cube=CUBE, **PLACE).content
    path = tmp_path / "file.fits"
    path.write_bytes(file)
    found = verify_product(path, stored_cube(api, file, tmp_path), public)
    assert (found.status, found.notes, found.signed_by) == ("same", [], PublicKey(public).id)


def test_tesscut_s_files_have_a_record_on_request_only(api: Api, tmp_path: Path) -> None:
    plain = members(api, "/tesscut/api/v0.1/astrocut", **TESSCUT)
    asked = members(api, "/tesscut/api/v0.1/astrocut", **TESSCUT, provenance="True")
    assert plain.keys() == asked.keys()
    ((name, file),) = asked.items()
    found = read_provenance(file)
    assert found is not None
    assert read_provenance(plain[name]) is None
    assert file[: found.n_bytes] == plain[name]
    refused = api.get("/tesscut/api/v0.1/astrocut", **TESSCUT, provenance="perhaps")
    assert refused.status == 400
    assert b"provenance is 'perhaps'; allowed: true, false" in refused.content


def test_the_order_of_a_job_keeps_the_wish_and_an_older_release_may_ignore_it() -> None:
    target = Position(ra=RA, dec=DEC, size=Size(rows=3, columns=5))
    order = CutoutOrder.of(CutoutRequest(target=target, options=CutoutOptions(provenance=True)), ())
    text = order.model_dump_json()
    assert CutoutOrder.model_validate_json(text).options.provenance
    assert "provenance" not in json.loads(text)["request"].get("options", {})
    without = CutoutOrder.of(CutoutRequest(target=target), ())
    assert not without.options.provenance
    assert order.id != without.id


def entities(archive: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """Entities of the description of an archive, which follow the rules of RO-Crate 1.1."""
    document = json.loads(archive[CRATE])
    assert document.keys() == {"@context", "@graph"}
    assert document["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    found = {entity["@id"]: entity for entity in document["@graph"]}
    assert len(found) == len(document["@graph"])
    head, root = found[CRATE], found["./"]
    assert (head["@type"], head["about"]) == ("CreativeWork", {"@id": "./"})
    assert head["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset"
    assert all(root[name] for name in ("name", "description", "license"))
    assert date.fromisoformat(root["datePublished"]).isoformat() == root["datePublished"]
    links = [value for entity in found.values() for value in entity.values() if isinstance(value, dict)]
    links += [*root["hasPart"], *root["mentions"]]
    assert {link["@id"] for link in links} - {head["conformsTo"]["@id"]} <= found.keys()
    assert [part["@id"] for part in root["hasPart"]] == [name for name in archive if name != CRATE]
    return found


def test_an_archive_describes_its_files(api: Api) -> None:
    archive = members(api, "/v1/cutouts", **PLACE, sectors="1,2")
    found = entities(archive)
    for name in list(archive)[:-1]:
        file, record = found[name], read_provenance(archive[name])
        assert record is not None
        assert file["sha256"] == hashlib.sha256(archive[name]).hexdigest()
        assert (file["contentSize"], file["encodingFormat"]) == (str(len(archive[name])), "application/fits")
        source, action = (found[file[link]["@id"]] for link in ("wasDerivedFrom", "wasGeneratedBy"))
        assert source["name"] == record.record.origin.location
        assert record.record.origin.etag in source["description"]
        assert record.record.sha256 in action["description"]
        assert (action["object"]["@id"], action["result"]["@id"]) == (source["@id"], name)
        assert found[action["instrument"]["@id"]]["version"] == record.record.engine


def test_the_archive_of_a_job_describes_its_files(api: Api) -> None:
    body = {"position": {"ra": RA, "dec": DEC}, "size": [3, 5], "sectors": [2]}
    job = api.post("/v1/jobs", body).json()
    api.run_jobs()
    packed = zipfile.ZipFile(io.BytesIO(api.store.objects[SETTINGS.result_bucket, keys.result(job["id"])]))
    assert len(entities({name: packed.read(name) for name in packed.namelist()})) == 7


def test_archives_of_tesscut_s_api_have_files_only(api: Api) -> None:
    assert CRATE not in members(api, "/tesscut/api/v0.1/astrocut", **TESSCUT, provenance="true")
    members(api, "/v1/cutouts", ra=RA, dec=DEC, size="3,5", sectors=2, placement="tesscut")
    assert CRATE not in members(api, "/tesscut/api/v0.1/astrocut", **TESSCUT, provenance="true")
