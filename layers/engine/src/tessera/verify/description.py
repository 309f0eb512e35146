"""Compares the description of an archive with the one that its files give."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from tessera import __version__
from tessera.provenance.crate import CRATE, NO_DAY, SOFTWARE
from tessera.verify.report import Problem

Entities: TypeAlias = dict[str, dict[str, Any]]
_COUNTS = ("hasPart", "mentions", "description", "datePublished")
"""What the root says of all files together. It differs wherever a file does."""


def compare_descriptions(said: bytes, made: bytes, unread: Collection[str]) -> tuple[list[Problem], list[str]]:
    """Compare the description of an archive with the one that its files give.

    Parameters
    ----------
    said : bytes
        The description in the archive.
    made : bytes
        The description that Tessera makes of its files.
    unread : collection of str
        Names of files that could not be read, so `made` has nothing of them.

    Returns
    -------
    (list of Problem, list of str)
        What differs, and what could not be checked.
    """
    try:
        found, right = _entities(said), _entities(made)
        alone = _take_unrecorded(found, right)
    except (AttributeError, ValueError, LookupError, TypeError, RecursionError) as error:
        return [Problem("record", f"{CRATE} cannot be read: {error!r}")], []
    if SOFTWARE not in found:
        return [], [f"{CRATE} is not by Tessera, so it was not compared"]
    if right["./"]["datePublished"] == NO_DAY.isoformat() and "./" in found:
        right["./"]["datePublished"] = found["./"].get("datePublished")
    version = found.pop(SOFTWARE).get("version")
    right.pop(SOFTWARE)
    notes = [] if version == __version__ else [f"version {version} described it, and this is {__version__}"]
    notes += [f"only {CRATE} names the source of {', '.join(alone)}, which has no record"] if alone else []
    problems = [problem for name, entity in right.items() for problem in _entity(name, found.get(name), entity)]
    problems += _surplus(found, right, unread)
    if not problems and not unread and found != right:
        problems = [Problem("record", f"{CRATE} says something else of all files together")]
    return problems, notes


def _entities(document: bytes) -> Entities:
    """Entities of a description by their identifiers."""
    return {str(entity["@id"]): dict(entity) for entity in json.loads(document)["@graph"]}


def _take_unrecorded(found: Entities, right: Entities) -> list[str]:
    """Take out what a description says of the making of files without a record, and return their names."""
    alone, gone = [], set[str]()
    for name, entity in right.items():
        said = found.get(name, {})
        if entity["@type"] == "File" and "wasDerivedFrom" in said and "wasDerivedFrom" not in entity:
            links = said.pop("wasDerivedFrom")
            links = [*(links if isinstance(links, list) else [links]), said.pop("wasGeneratedBy")]
            gone |= {link["@id"] for link in links}
            alone.append(entity["name"])
    for name in gone - right.keys():
        found.pop(name, None)
    if alone:
        root = found["./"]
        root["mentions"] = [link for link in root["mentions"] if link["@id"] not in gone]
    return alone


def _entity(name: str, found: dict[str, Any] | None, right: dict[str, Any]) -> Iterator[Problem]:
    if found is None:
        what = f"the file {right['name']}" if right["@type"] == "File" else name
        yield Problem("structure", f"{CRATE} does not name {what}")
        return
    for key in dict.fromkeys([*right, *found]):
        if found.get(key) == right.get(key) or (name == "./" and key in _COUNTS):
            continue
        then, now = (json.dumps(entity.get(key)) for entity in (found, right))
        yield Problem("checksum" if key == "sha256" else "record", f"{CRATE}: {key} of {name} is {then}, not {now}")


def _surplus(found: Entities, right: Entities, unread: Collection[str]) -> Iterator[Problem]:
    """What only the description in the archive has."""
    for name, entity in found.items():
        if name in right or entity.get("name") in unread:
            continue
        if entity.get("@type") == "File":
            yield Problem("structure", f"{CRATE} names the file {entity.get('name')}, which is missing")
        elif not unread:
            yield Problem("record", f"{CRATE} has {name}, of which no file says anything")
