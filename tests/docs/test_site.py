"""The site has every page, every public name, every command and every operation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import tessera
from tessera.cli.main import build_parser
from tests.architecture.sources import ROOT
from tools.site import check, command_reference, http_reference, python_reference, staging

DOCUMENT = json.loads((ROOT / "shared/src/tessera_cloud/http/documents/openapi.json").read_text(encoding="utf-8"))


def test_every_page_has_a_place_and_is_listed(tmp_path: Path) -> None:
    """A page that no README.md lists could not be found on the site."""
    staging.stage(tmp_path)

    listed = {"index.md"}
    for contents in tmp_path.rglob("index.md"):
        for name in contents.read_text(encoding="utf-8").rpartition(":hidden:\n")[2].split():
            place = (contents.parent / name).resolve()
            if place.is_relative_to(tmp_path.resolve()):
                listed.add(str(place.relative_to(tmp_path.resolve())))
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.md")} - listed == set()


def test_links_lead_to_the_places_of_the_site() -> None:
    text = (
        "[a](../../CONTRIBUTING.md#commits) [b](formats.md#zip)\n```text\n[c](nowhere.md)\n```\n[d](../adr/README.md)"
    )

    assert staging.with_links("docs/explanation/architecture.md", text) == (
        "[a](../contributing.md#commits) [b](formats.md#zip)\n```text\n[c](nowhere.md)\n```\n[d](../adr/index.md)"
    )
    with pytest.raises(staging.LinkError, match=r"docs/start.md links to '../template.yaml'; allowed: pages"):
        staging.with_links("docs/start.md", "[x](../template.yaml)")


def test_every_public_name_is_on_a_page(tmp_path: Path) -> None:
    pages = python_reference.write_pages(tmp_path)

    text = "\n".join((tmp_path / page).read_text(encoding="utf-8") for page in pages if page != "index.rst")
    documented = re.findall(r"^\.\. auto\w+:: tessera\.(\w+)$", text, re.MULTILINE)
    assert sorted(documented) == sorted(set(tessera.__all__) - {"__version__"})


def test_every_command_and_option_is_on_a_page(tmp_path: Path) -> None:
    command_reference.write_pages(build_parser(), tmp_path)

    for name, group in command_reference.subcommands(build_parser()):
        text = (tmp_path / f"{name}.md").read_text(encoding="utf-8")
        commands = [group, *(each for _, each in command_reference.subcommands(group))]
        assert [each.prog for each in commands if f"# {each.prog}\n" not in text] == []
        options = {option for each in commands for action in each._actions for option in action.option_strings}
        assert [option for option in options - {"-h", "--help"} if f"`{option}`" not in text] == []


def test_every_operation_is_on_a_page(tmp_path: Path) -> None:
    http_reference.write_pages(DOCUMENT, tmp_path)

    text = "\n".join(path.read_text(encoding="utf-8") for path in tmp_path.glob("*.md"))
    wanted = [f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods]
    assert [each for each in wanted if f"\n## `{each}`\n" not in text] == []
    assert [name for name in DOCUMENT["components"]["schemas"] if f"\n## {name}\n" not in text] == []


def test_text_of_a_parser_stays_text_in_markdown() -> None:
    assert command_reference._escaped("a*b `c*d` <e> _f_") == "a\\*b `c*d` \\<e\\> \\_f\\_"


def test_dead_links_and_foreign_files_of_a_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<h1 id="top">A</h1><a href="https://example.org">x</a>', encoding="utf-8")
    (tmp_path / "b.html").write_text(
        '<a href="a.html#top">1</a><a href="a.html#end">2</a><a href="#b">3</a><img src="c.png">'
        '<script src="https://cdn.example.org/x.js"></script>',
        encoding="utf-8",
    )

    assert list(check.problems(tmp_path)) == [
        "b.html loads https://cdn.example.org/x.js",
        "b.html links to 'a.html#end', which does not exist",
        "b.html links to '#b', which does not exist",
        "b.html links to 'c.png', which does not exist",
    ]


def test_the_tree_of_the_architecture_names_every_package() -> None:
    text = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8").partition("## Where do I put")[0]

    packages = {path.parent.name for path in (ROOT / "layers/engine/src/tessera").glob("*/__init__.py")}
    assert {name for name in packages if f" {name}/" not in text} == set()
