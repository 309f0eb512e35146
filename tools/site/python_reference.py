"""Writes the pages of the Python reference: every public name of tessera, by subject."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path

import tessera

SUBJECTS = {
    "coverage": ("search", "Search", "What sees a target: sectors, cameras, CCDs, dates and pixels."),
    "cutouts": ("cutouts", "Cutouts of cubes", "Target pixel files of many targets, from many cubes."),
    "lightcurves": ("lightcurves", "Pixels and light curves", "Target pixel files in memory, and their light curves."),
    "stitching": ("lightcurves", "Pixels and light curves", "Target pixel files in memory, and their light curves."),
    "bulk": ("lists", "Lists of targets", "Thousands of targets in one call, and reading what it made."),
    "arrays": ("arrays", "Cubes as arrays", "A cube as an xarray dataset that is read when it is needed."),
    "client": ("client", "The service", "Asks a running service, over HTTP."),
    "moving": ("moving", "Moving targets", "Cutouts that follow a target, and its ephemeris."),
    "images": ("images", "Cutouts of images", "Images of other missions, in FITS and ASDF."),
    "measures": ("measures", "Measures of cubes", "The reference frame of a cube, and what changed on its CCD."),
    "compat/tess": ("astrocut-cubes", "astrocut: cubes and their cutouts", "The names that users of astrocut know."),
    "compat/moving": ("astrocut-moving", "astrocut: moving targets", "The names that users of astrocut know."),
    "compat/images": ("astrocut-images", "astrocut: FITS images", "The names that users of astrocut know."),
    "compat/roman": ("astrocut-roman", "astrocut: Roman", "The names that users of astrocut know."),
    "roman": ("astrocut-roman", "astrocut: Roman", "The names that users of astrocut know."),
    "targets": ("targets", "Targets", "Names and positions of targets."),
    "verify": ("verify", "Verification", "Makes products again from what they were made of."),
    "provenance": ("verify", "Verification", "Makes products again from what they were made of."),
    "framesets": ("framesets", "Frames", "Frames of a CCD in place of a cube."),
    "errors": (
        "errors",
        "Errors and warnings",
        "What is raised and warned of. All errors of bad input are `ValueError`.",
    ),
}
"""File, title and first sentence of a page, by the package that the names of the page come from."""


class SubjectError(LookupError):
    """A public name comes from a package that has no page. The message names both."""


def names_by_page() -> dict[str, list[str]]:
    """Public names by the package that they come from, in the order of the pages.

    Raises
    ------
    SubjectError
        If a name comes from a package that ``SUBJECTS`` does not have.
    """
    found: dict[str, list[str]] = {file: [] for file, _, _ in SUBJECTS.values()}
    for name in sorted(tessera.__all__, key=str.lower):
        if name != "__version__":
            found[SUBJECTS[_subject(name)][0]].append(name)
    return {file: names for file, names in found.items() if names}


def _subject(name: str) -> str:
    home = _home(getattr(tessera, name)).split(".")[1:]
    for subject in ("/".join(home[:2]), home[0]):
        if subject in SUBJECTS:
            return subject
    raise SubjectError(
        f"tessera.{name} comes from {'.'.join(home)}: give that package a page in SUBJECTS of {__file__}"
    )


def _home(thing: object) -> str:
    return str(getattr(thing, "__module__", ""))


def write_pages(folder: Path) -> list[str]:
    """Write a page for each subject, and return the names of the files.

    Parameters
    ----------
    folder : Path
        Folder of the pages. It is made if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    titles = {file: (title, about) for file, title, about in SUBJECTS.values()}
    pages = names_by_page()
    for file, names in pages.items():
        (folder / f"{file}.rst").write_text(page(*titles[file], names), encoding="utf-8")
    (folder / "index.rst").write_text(_index(pages, titles), encoding="utf-8")
    return [f"{file}.rst" for file in ["index", *pages]]


def page(title: str, about: str, names: Iterable[str]) -> str:
    """A page in reStructuredText with the documentation of each name."""
    return "\n".join([title, "=" * len(title), "", about, "", *map(_entry, names)])


def _entry(name: str) -> str:
    thing = getattr(tessera, name)
    if not inspect.isclass(thing):
        return f".. autofunction:: tessera.{name}\n" if callable(thing) else f".. autodata:: tessera.{name}\n"
    foreign = {base.__name__ for base in thing.__mro__ if not _home(base).startswith("tessera")} - {"object"}
    inherited = "object, " + ", ".join(sorted(foreign)) if foreign else "object"
    return f".. autoclass:: tessera.{name}\n   :members:\n   :inherited-members: {inherited}\n"


def _index(pages: dict[str, list[str]], titles: dict[str, tuple[str, str]]) -> str:
    lines = ["Python", "======", "", "Every public name of the package ``tessera``.", "", ".. list-table::", ""]
    for file, names in pages.items():
        links = ", ".join(f":obj:`~tessera.{name}`" for name in names)
        lines += [f"   * - :doc:`{titles[file][0]} <{file}>`", f"     - {links}"]
    return "\n".join([*lines, "", ".. toctree::", "   :hidden:", "", *(f"   {file}" for file in pages), ""])
