"""Messages to ingest: notifications of S3, also inside those of SNS, and messages that ingest sends to itself.

A notification is a hint that a sector should be listed; ingest uses only its key. All other messages are junk. Junk is
counted and dropped, because it would fail again at every try.
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
    """One sector of one product, listed as a whole."""

    product: str
    sector: int

    def __str__(self) -> str:
        """Text in messages and records, such as ``SPOC/s0056``."""
        return f"{self.product}/s{self.sector:04d}"

    @classmethod
    def parse(cls, text: object) -> Sweep:
        """Parse a text such as ``SPOC/s0056``."""
        match = _SWEEP.fullmatch(text) if isinstance(text, str) else None
        if match is None or match[1] not in PRODUCTS or int(match[2]) < 1 or str(cls(match[1], int(match[2]))) != text:
            raise InvalidValueError("sweep", text, "<product>/s<sector>, such as SPOC/s0056")
        return cls(match[1], int(match[2]))

    @classmethod
    def of_folder(cls, product: str, folder: str) -> Sweep | None:
        """Sweep of a folder of frames, such as ``s0056/``; None for other folders."""
        match = _FOLDER.fullmatch(folder)
        if match is None or f"s{int(match[1]):04d}/" != folder or int(match[1]) < 1:
            return None
        return cls(product, int(match[1]))

    def prefix(self, settings: Settings) -> str:
        """Prefix of the frames of the product, above the folder of the sector."""
        return settings.frame_prefix(self.product)

    def covers(self, cube_id: CubeId) -> bool:
        """Whether the frames of a cube belong to this sweep."""
        return (cube_id.product, cube_id.ccd_id.sector) == (self.product, self.sector)


@dataclass(frozen=True, slots=True)
class Check:
    """Message of ingest to itself: list a sector, now or at a later time.

    Parameters
    ----------
    sweep : Sweep
        Sector to list.
    due : float, optional
        Time at which the check is due, in seconds since 1970. A check is dropped if the record of the sweep names
        another time.
    """

    sweep: Sweep
    due: float | None = None

    def to_json(self) -> str:
        """Format the text of the message."""
        return json.dumps({"sweep": str(self.sweep)} | ({} if self.due is None else {"due": self.due}))


@dataclass(frozen=True, slots=True)
class Arrival:
    """Content of one message of the queue.

    Parameters
    ----------
    checks : tuple of Check
        Checks; at most one.
    hints : frozenset of Sweep
        Sectors whose frames may have changed.
    junk : tuple of str
        Shortened texts that ingest does not understand or need.
    """

    checks: tuple[Check, ...] = ()
    hints: frozenset[Sweep] = frozenset()
    junk: tuple[str, ...] = ()


def sweep_of_key(key: str, settings: Settings) -> Sweep | None:
    """Sweep that lists a frame; None if the key is not that of a frame in the folder of its sector."""
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
    """Sweep that a record of a notification concerns; None if there is no such sweep."""
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
    """Parse the body of a message, which may have any form."""
    junk = Arrival(junk=(str(body)[:200],))
    document = _json(body)
    if isinstance(document, dict) and document.get("Type") == "Notification":
        document = _json(document.get("Message"))  # a notification inside one of SNS
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
