"""The scripts that make layers: what they remove, what they leave, and what stops a build."""

import re
import struct
from pathlib import Path

import pytest
import yaml

from tests.template.documents import ROOT, TemplateLoader, load, machines, path_in_repository
from tools import compile_bytecode, prune, render_state_machine, report_sizes, run_sam_local

LOADED = b"\x90" * 100


def write(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def format_elf(loaded: bytes, symbols: bytes) -> bytes:
    """The least of a 64-bit ELF file: header, one segment, and symbols that are not loaded."""
    start = 64 + 56
    header = bytearray(64)
    struct.pack_into("<Q", header, 32, 64)
    struct.pack_into("<HH", header, 54, 56, 1)
    struct.pack_into("<Q", header, 40, start + len(loaded) + len(symbols))
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, start + len(loaded), start + len(loaded), 4096)
    return bytes(header) + segment + loaded + symbols


def test_pruning_removes_what_no_function_reads(tmp_path: Path) -> None:
    names = ["numpy/tests/test_a.py", "numpy/a.pyi", "numpy/core.h", "bin/f2py", "botocore/data/ec2/service-2.json"]
    names += ["lxml/parser.pxi", "lxml/html/clean.py", "lxml/objectify.cpython-314-aarch64-linux-gnu.so"]
    unread = [write(tmp_path / name) for name in names]

    prune.main(tmp_path)

    assert [path for path in unread if path.exists()] == []


def test_pruning_leaves_what_is_imported_or_looked_up(tmp_path: Path) -> None:
    names = ["astropy/tests/runner.py", "numpy/a.py", "botocore/data/s3/service-2.json", "botocore/data/endpoints.json"]
    names += ["lxml/etree.cpython-314-aarch64-linux-gnu.so", "lxml/_elementpath.cpython-314-aarch64-linux-gnu.so"]
    read = [write(tmp_path / name) for name in names]

    prune.main(tmp_path)

    assert all(path.exists() for path in read)


def test_symbols_do_not_count_as_loaded() -> None:
    assert prune.read_loaded(format_elf(LOADED, b"symbols")) == prune.read_loaded(format_elf(LOADED, b""))


def test_a_strip_that_changes_what_is_loaded_is_undone(tmp_path: Path) -> None:
    original = format_elf(LOADED, b"symbols")
    library = write(tmp_path / "lib.so", original)
    changed = write(tmp_path / "changed", format_elf(LOADED[1:] + b"!", b""))
    strip = write(tmp_path / "strip", f'#!/bin/sh\ncp "{changed}" "$2"\n'.encode())
    strip.chmod(0o755)

    prune.strip_symbols(str(strip), library)

    assert library.read_bytes() == original


def test_a_strip_that_only_removes_symbols_is_kept(tmp_path: Path) -> None:
    library = write(tmp_path / "lib.so", format_elf(LOADED, b"symbols"))
    stripped = write(tmp_path / "stripped", format_elf(LOADED, b""))
    strip = write(tmp_path / "strip", f'#!/bin/sh\ncp "{stripped}" "$2"\n'.encode())
    strip.chmod(0o755)

    prune.strip_symbols(str(strip), library)

    assert library.read_bytes() == stripped.read_bytes()


def test_bytecode_of_the_runtime_passes(tmp_path: Path) -> None:
    write(tmp_path / "a.py")
    write(tmp_path / "__pycache__/a.cpython-314.pyc", compile_bytecode.MAGIC + compile_bytecode.UNCHECKED_HASH)

    compile_bytecode.check_bytecode(tmp_path)


def test_bytecode_takes_the_place_of_the_source(tmp_path: Path) -> None:
    write(tmp_path / "package/a.py", b"source")
    write(tmp_path / "package/__pycache__/a.cpython-314.pyc", b"bytecode")

    compile_bytecode.replace_sources(tmp_path)

    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == [
        "package/a.pyc"
    ]
    assert (tmp_path / "package/a.pyc").read_bytes() == b"bytecode"


def test_the_layer_keeps_the_services_that_functions_call() -> None:
    """The command of operators runs on their computers, where boto3 is whole."""
    paths = [*(ROOT / "shared/src").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in paths if "admin" not in path.parts]
    called = {name for text in texts for name in re.findall(r'client\("([a-z0-9-]+)"', text)}

    assert called
    assert called - prune.AWS_SERVICES == set()


@pytest.mark.parametrize("head", [b"", b"\xa7\x0d\r\n\x01\0\0\0", b"\xf3\x0d\r\n\0\0\0\0"])
def test_missing_foreign_or_timestamped_bytecode_stops_the_build(tmp_path: Path, head: bytes) -> None:
    write(tmp_path / "a.py")
    write(tmp_path / "__pycache__/a.cpython-314.pyc", head)

    with pytest.raises(SystemExit, match="no bytecode"):
        compile_bytecode.check_bytecode(tmp_path)


def test_a_build_that_comes_close_to_the_limit_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = b"Resources:\n"
    template += b"  L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}\n"
    template += b"  M: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: more}}\n"
    template += b"  N: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: code}}\n"
    template += b"  S: {Type: AWS::Serverless::Application, Properties: {Location: s/template.yaml}}\n"
    nested = b"Globals: {Function: {Layers: [!Ref L]}}\nResources:\n"
    nested += b"  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ../code, Role: !GetAtt R.Arn}}\n"
    nested += b"  G: {Type: AWS::Serverless::Function, Properties: {CodeUri: ../small, Layers: [!Ref M]}}\n"
    built = write(tmp_path / "template.yaml", template)
    write(tmp_path / "s/template.yaml", nested)
    write(tmp_path / "layer/a.py", b"123456")
    write(tmp_path / "more/a.py", b"123")
    write(tmp_path / "small/app.py", b"1")
    write(tmp_path / "code/app.py", b"1234")
    monkeypatch.setattr(report_sizes, "MB", 1)
    monkeypatch.setattr(report_sizes, "OWN_LIMIT_MB", 10)
    report_sizes.main(built)
    write(tmp_path / "more/more.py", b"1")

    with pytest.raises(SystemExit, match="over 10"):
        report_sizes.main(built)


@pytest.mark.parametrize("name", machines())
def test_a_rendered_machine_has_no_placeholder_left(name: str, tmp_path: Path) -> None:
    source = ROOT / path_in_repository(name, machines()[name]["DefinitionUri"])

    render_state_machine.main(source, tmp_path)

    assert sorted(path.suffixes for path in tmp_path.iterdir()) == [[".asl", ".json"], [".template", ".json"]]
    assert all("${" not in path.read_text(encoding="utf-8") for path in tmp_path.iterdir())


def test_the_stack_for_containers_has_the_layers_and_no_open_parameter() -> None:
    layers_file, service = (
        (ROOT / "stacks/layers.yaml").read_text(encoding="utf-8"),
        (ROOT / "stacks/service.yaml").read_text(encoding="utf-8"),
    )

    document = yaml.load(run_sam_local.with_layers(layers_file, service), Loader=TemplateLoader)

    layers = {name for name, body in document["Resources"].items() if body["Type"] == "AWS::Serverless::LayerVersion"}
    assert layers == {"DependenciesLayer", "EngineLayer", "SharedLayer", "TablesLayer"}
    assert set(document["Resources"]) - layers == set(load("stacks/service.yaml")["Resources"])
    assert all("Default" in body for body in document["Parameters"].values())
    assert "../" not in str(document)
