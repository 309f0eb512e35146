"""Records are signed by the key of whoever makes the products, and the signature is checked with its public part."""

from __future__ import annotations

import base64
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from arro3.io import read_parquet
from astropy.coordinates import SkyCoord
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat as Public

from tessera import CubeFactory, cut_list, make_cutouts, make_image_cutouts, sign_records, verify_product
from tessera.cli.main import main
from tessera.errors import InvalidInputError
from tessera.extras import MissingPackageError
from tessera.provenance.fits_files import format_provenance, read_hdus, read_provenance
from tessera.provenance.record import Record, canonical_json
from tessera.provenance.signing import PublicKey, SigningKey, check_signature, current_key
from tests.support.frames import tiny_sector
from tests.support.images import coded, plain_image, sky_at
from tests.support.keys import key_files

SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
SIGNED = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
"""The second test of RFC 8032, section 7.1: a key, and its signature of the byte 0x72, which is the text r."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return key_files(tmp_path_factory.mktemp("keys"), SEED)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return key_files(tmp_path_factory.mktemp("other"), bytes(32))[1]


@pytest.fixture
def signed(cube: Path, sky: SkyCoord, keys: tuple[Path, Path], tmp_path: Path) -> Path:
    """A signed target pixel file."""
    with sign_records(keys[0]):
        (made,) = make_cutouts(cube, sky, 5, output_dir=tmp_path)
    assert made.path is not None
    return made.path


def test_a_signature_is_that_of_the_standard(keys: tuple[Path, Path]) -> None:
    signature = SigningKey.read(keys[0]).sign("r")
    kind, name, code = signature.split(":")
    assert (kind, base64.b64decode(code).hex()) == ("ed25519", SIGNED)
    assert name == PublicKey(keys[1]).id == pickle.loads(pickle.dumps(SigningKey.read(keys[0]))).id


def test_another_program_checks_the_signature_of_a_file(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so no other program checks the signature here; install it to try")
    found = read_provenance(signed.read_bytes())
    assert found is not None
    (tmp_path / "record").write_text(found.record.text, encoding="ascii")
    (tmp_path / "signature").write_bytes(base64.b64decode(found.record.signature.rsplit(":", 1)[1]))
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(keys[1]), "-rawin", "-in", "record"]
    subprocess.run([*check, "-sigfile", "signature"], cwd=tmp_path, check=True, capture_output=True)


def test_a_signed_file_is_that_of_an_unsigned_run_before_its_record(
    signed: Path, cube: Path, sky: SkyCoord, keys: tuple[Path, Path], other: Path
) -> None:
    (plain,) = make_cutouts(cube, sky, 5)
    with sign_records(keys[0]):
        (in_memory,) = make_cutouts(cube, sky, 5)
    content, unsigned = signed.read_bytes(), bytes(plain.data or b"")
    assert bytes(in_memory.data or b"") == content
    record = read_provenance(content)
    assert record is not None
    assert content[: record.n_bytes] == unsigned[: record.n_bytes]
    assert current_key() is None
    name = PublicKey(keys[1]).id
    found = verify_product(signed, cube, [other, keys[1]])
    assert (found.status, found.problems, found.notes, found.signed_by) == ("same", [], [], name)
    assert f"{signed}: its record is signed with the key {name}" in found.lines
    unchecked = verify_product(signed, cube)
    assert (unchecked.status, unchecked.signed_by) == ("same", "")
    assert unchecked.notes == ["its record is signed, and no key was given to check the signature"]


def test_an_image_cutout_is_signed(keys: tuple[Path, Path], tmp_path: Path) -> None:
    image = plain_image(tmp_path / "image.fits", coded((60, 80)))
    with sign_records(keys[0]):
        (made,) = make_image_cutouts(image, sky_at(image, 30.3, 20.6), 5, output_dir=tmp_path / "out")
    assert made.path is not None
    found = verify_product(made.path, image, keys[1])
    assert (found.status, found.signed_by) == ("same", PublicKey(keys[1]).id)


def said(path: Path, key: Path) -> list[tuple[str, str]]:
    found = verify_product(path, key=key)
    assert found.status == "different"
    assert found.signed_by == "" or "signature" not in {problem.what for problem in found.problems}
    return [(problem.what, problem.text) for problem in found.problems]


def test_a_file_that_another_key_signed_is_told(signed: Path, keys: tuple[Path, Path], other: Path) -> None:
    mine, yours = PublicKey(keys[1]).id, PublicKey(other).id
    stranger = f"it is signed with the key {mine}, which is not given; given: {yours}"
    assert said(signed, other) == [("signature", stranger)]


def test_a_file_without_a_signature_is_told(made: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no file of ours", encoding="ascii")
    for path in (made, text):
        assert said(path, keys[1]) == [("signature", "it is not signed")]


def test_a_record_that_was_changed_after_it_was_signed_is_told(signed: Path, keys: tuple[Path, Path]) -> None:
    content = signed.read_bytes()
    found = read_provenance(content)
    assert found is not None
    document = json.loads(found.record.text)
    document["request"]["ra"] += 1
    with sign_records(keys[0]):
        table = format_provenance(Record.parse(canonical_json(document)))
    new = read_provenance(content[: found.n_bytes] + table)
    assert new is not None
    signed.write_bytes(
        content[: found.n_bytes] + table.replace(new.record.signature.encode(), found.record.signature.encode())
    )
    wrong = f"its signature is wrong: the key {PublicKey(keys[1]).id} did not sign this record"
    assert ("signature", wrong) in said(signed, keys[1])
    signed.write_bytes(content.replace(b"ed25519:", b"ed25518:"))
    assert "which is no signature of Ed25519 by Tessera" in dict(said(signed, keys[1]))["signature"]


def test_pixels_that_were_exchanged_with_all_sums_kept_are_told(signed: Path, keys: tuple[Path, Path]) -> None:
    content = bytearray(signed.read_bytes())
    found = read_provenance(content)
    assert found is not None
    (start,) = [at + header.n_bytes for header, at in read_hdus(content) if header.get("EXTNAME") == "PIXELS"]
    words = [bytes(content[at : at + 4]) for at in range(start, start + 400, 4)]
    other = next(number for number, word in enumerate(words) if word != words[0])
    words[0], words[other] = words[other], words[0]  # a sum of 32 bits does not know their order
    content[start : start + 400] = b"".join(words)
    signed.write_bytes(content)
    assert said(signed, keys[1]) == [("record", "the record is of another file: the SHA-256 of its bytes differs")]


def test_the_products_of_lists_are_signed(cube: Path, sky: SkyCoord, keys: tuple[Path, Path], tmp_path: Path) -> None:
    rows = [{"name": "star", "ra": sky.ra.deg, "dec": sky.dec.deg}]
    with sign_records(keys[0]):
        cut_list(rows, cube, tmp_path / "list", outputs=("parquet", "tpf"), packing="files")
    public = PublicKey(keys[1])
    tables = list((tmp_path / "list").rglob("Norder=*/**/*.parquet"))
    for path in tables:
        facts = json.loads(read_parquet(path).schema.metadata_str["tessera"])
        assert check_signature(facts["record"], facts["record_signature"], [public]) == public.id
    files = list((tmp_path / "list").rglob("*.fits"))
    assert tables
    assert files
    assert {verify_product(path, cube, keys[1]).signed_by for path in files} == {public.id}


def test_the_command_line_signs_and_checks(
    cube: Path, sky: SkyCoord, keys: tuple[Path, Path], other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, folder = f"{sky.ra.deg} {sky.dec.deg}", keys[0].parent / "out"
    cut = ["cut", place, "--cube", str(cube), "-o", str(folder), "-q"]
    assert main([*cut, "--sign", str(keys[0])]) == 0
    (path,) = folder.glob("*.fits")
    check = ["verify", str(path), "--from", str(cube), "--key"]
    assert main([*check, str(keys[1])]) == 0
    assert main([*check, str(other)]) == 1
    assert main([*check, str(other), "--key", str(keys[1])]) == 0
    capsys.readouterr()
    assert main(cut) == 1  # the files there are signed
    assert "--sign" in capsys.readouterr().err
    for arguments, allowed in (
        (["cut", place, "--service", "http://localhost", "--sign", "k"], "none with --service"),
        (["lightcurve", place, "--cube", str(cube), "--sign", "k"], "it with --stitch or -o FOLDER/"),
    ):
        arguments[-1] = str(keys[0])
        assert main(arguments) == 1
        said = capsys.readouterr().err
        assert said.startswith("tessera: --sign is ")
        assert f"; allowed: {allowed}" in said


def test_a_file_without_such_a_key_is_one_sentence(
    keys: tuple[Path, Path], signed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"words")
    )
    foreign = X25519PrivateKey.generate()
    private = [locked, b"none", foreign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
    public = [b"none", foreign.public_key().public_bytes(Encoding.PEM, Public.SubjectPublicKeyInfo)]
    path = tmp_path / "key.pem"
    for content in private:
        path.write_bytes(content)
        with pytest.raises(InvalidInputError, match=r"^key is '.*; allowed: a PEM file with an Ed25519 key without"):
            SigningKey.read(path)
    for content in [*public, keys[0].read_bytes()]:
        path.write_bytes(content)
        assert main(["verify", str(signed), str(signed), "--key", str(path)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("tessera: --key is ")
        assert "; allowed: a PEM file with an Ed25519 public key" in line
    assert main(["verify", str(signed), "--key", str(tmp_path / "none.pem")]) == 1
    assert capsys.readouterr().err == f"tessera: {tmp_path / 'none.pem'}: No such file or directory\n"


def test_without_cryptography_the_extra_is_named(keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    with pytest.raises(MissingPackageError, match=r"^signatures need the package cryptography; .*\[sign\]'$"):
        SigningKey.read(keys[0])


def test_a_cube_is_signed(keys: tuple[Path, Path], tmp_path: Path) -> None:
    frames = []
    for name, data in tiny_sector(2, (12, 10)):
        frames.append(tmp_path / name)
        frames[-1].write_bytes(data)
    with sign_records(keys[0]):
        CubeFactory(provenance=True).make_cube(frames, cube := tmp_path / "tess-s0001-4-2-cube.fits", verbose=False)
    found = verify_product(cube, frames, keys[1])
    assert (found.status, found.problems, found.signed_by) == ("same", [], PublicKey(keys[1]).id)
