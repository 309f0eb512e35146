"""What arrives at ingest: notifications of S3, plain or in an envelope of SNS, and its own messages.

A notification is a hint that a sector is worth listing, and nothing in it is believed but the key. Whatever is neither
is junk, which is counted and dropped: it would fail again however often it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from tessera.errors import InvalidValueError
from tessera.tess.products import PRODUCTS
from tessera_cloud.names import CubeId, frame_ccd
from tessera_cloud.settings import Settings

_SWEEP = re.compile(r"([A-Z]+)/s(\d{4,6})")
_FOLDER = re.compile(r"s(\d{4,6})/")


@dataclass(frozen=True, slots=True, order=True)
class Sweep:
    """One sector of one product, which is listed as a whole."""

    product: str
    sector: int

    def __str__(self) -> str:
        """Form in messages and records: ``SPOC/s0056``."""
        return f"{self.product}/s{self.sector:04d}"

    @classmethod
    def parse(cls, text: object) -> Sweep:
        """Read ``SPOC/s0056``."""
        match = _SWEEP.fullmatch(text) if isinstance(text, str) else None
        if match is None or match[1] not in PRODUCTS or int(match[2]) < 1 or str(cls(match[1], int(match[2]))) != text:
            raise InvalidValueError("sweep", text, "<product>/s<sector>, such as SPOC/s0056")
        return cls(match[1], int(match[2]))

    @classmethod
    def of_folder(cls, product: str, folder: str) -> Sweep | None:
        """Sweep of a folder of frames, such as ``s0056/``; None for another folder."""
        match = _FOLDER.fullmatch(folder)
        if match is None or f"s{int(match[1]):04d}/" != folder or int(match[1]) < 1:
            return None
        return cls(product, int(match[1]))

    def prefix(self, settings: Settings) -> str:
        """Prefix of the product's frames, above the folder of the sector."""
        return settings.frame_prefix(self.product)

    def covers(self, cube_id: CubeId) -> bool:
        """Whether a cube is made of frames of this sweep."""
        return (cube_id.product, cube_id.ccd_id.sector) == (self.product, self.sector)


@dataclass(frozen=True, slots=True)
class Check:
    """Message of ingest to itself: list a sector, now or when it is due.

    Parameters
    ----------
    sweep : Sweep
        What to list.
    due : float, optional
        Seconds since 1970. A check that is no longer the one that the record of the sweep names is dropped.
    """

    sweep: Sweep
    due: float | None = None

    def to_json(self) -> str:
        """Text of the message."""
        return json.dumps({"sweep": str(self.sweep)} | ({} if self.due is None else {"due": self.due}))


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one message of the queue says.

    Parameters
    ----------
    checks : tuple of Check
        At most one.
    hints : frozenset of Sweep
        Sectors in which something happened.
    junk : tuple of str
        What was not understood, or is of no concern, shortened.
    """

    checks: tuple[Check, ...] = ()
    hints: frozenset[Sweep] = frozenset()
    junk: tuple[str, ...] = ()


def sweep_of_key(key: str, settings: Settings) -> Sweep | None:
    """Sweep that would list a frame; None when the key is not that of a frame in its sector's folder."""
    for product in PRODUCTS:
        prefix = settings.frame_prefix(product)
        if not key.startswith(prefix):
            continue
        try:
            sector = frame_ccd(product, key.rsplit("/", 1)[-1]).sector
        except InvalidValueError:
            continue
        if key.startswith(f"{prefix}s{sector:04d}/"):
            return Sweep(product, sector)
    return None


def _hint(record: Any, settings: Settings) -> Sweep | None:
    """Sweep that a record of a notification speaks of; None when it is of no concern."""
    try:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
    except (KeyError, TypeError, AttributeError, IndexError):
        return None
    return sweep_of_key(key, settings) if bucket == settings.ffi_bucket else None


def _json(text: object) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _check(document: Mapping[str, Any]) -> Check:
    due = document.get("due")
    if due is not None and (isinstance(due, bool) or not isinstance(due, int | float) or not 0 <= due < 1e11):
        raise InvalidValueError("due", due, "seconds since 1970")
    return Check(Sweep.parse(document["sweep"]), due)


def parse_message(body: object, settings: Settings) -> Arrival:
    """Read the body of a message, whatever it is."""
    junk = Arrival(junk=(str(body)[:200],))
    document = _json(body)
    if isinstance(document, dict) and document.get("Type") == "Notification":
        document = _json(document.get("Message"))  # an envelope of SNS
    if not isinstance(document, dict):
        return junk
    if "sweep" in document:
        try:
            return Arrival(checks=(_check(document),))
        except InvalidValueError:
            return junk
    records = document.get("Records")
    if document.get("Event") == "s3:TestEvent" and records is None:
        return Arrival()
    if not isinstance(records, list):
        return junk
    hints = [_hint(record, settings) for record in records]
    known = frozenset(hint for hint in hints if hint)
    return Arrival(hints=known, junk=() if all(hints) else junk.junk)
