"""Finds the file that a product was made from, and says whether it is still the same."""

from __future__ import annotations

from pathlib import Path

from tessera.framesets.source import FrameSet, FrameSetSource
from tessera.io.locations import scheme_of
from tessera.io.sources import Location, Source
from tessera.provenance.record import Origin
from tessera.tess.ids import frames_text
from tessera.verify.report import Problem

_FACTS_END = ".npz"
"""End of the name of what a service knows of the frames of a CCD that has no cube."""


def is_of_frames(origin: Origin) -> bool:
    """Whether a product was made of frames, while there was no cube."""
    return origin.location.startswith(frames_text("")) or origin.location.endswith(_FACTS_END)


def find_origin(origin: Origin, product: Location) -> Location | None:
    """Where the file is: where the record says, or beside the product; None if nobody says."""
    if not origin.is_local:
        return FrameSet.of_facts(origin.location) if origin.location.endswith(_FACTS_END) else origin.location
    folder = Path(product).parent if scheme_of(str(product)) == "" else Path()
    beside = folder / origin.location
    return beside if beside.is_file() else None


def origin_problems(origin: Origin, source: Source, digest: str) -> list[Problem]:
    """Whether an open file is the one that the record names, as far as its size, ETag and headers tell."""
    size = 0 if isinstance(source, FrameSetSource) else source.size  # frames are no file: their digest tells
    return replaced_problems(origin, Origin.of(source.name, size, getattr(source, "etag", ""), digest))


def replaced_problems(origin: Origin, found: Origin) -> list[Problem]:
    """Whether a file is the one that the record names, as far as both say their sizes, ETags and digests."""
    pairs = [
        ("size", f"{origin.size:,}", f"{found.size:,}" if found.size else ""),
        ("ETag", origin.etag, found.etag),
        ("digest of headers and times", origin.digest, found.digest),
    ]
    whose = "their" if is_of_frames(origin) else "its"
    changed = [
        f"{whose} {name} was {then} and is {now}"
        for name, then, now in pairs
        if then and now and then not in (now, "0")
    ]
    if not changed:
        return []
    what = "are not those that it was made of" if is_of_frames(origin) else "was replaced"
    text = f"the source {origin.location} {what}: {', '.join(changed)}"
    return [Problem("source", text, {"location": origin.location})]
