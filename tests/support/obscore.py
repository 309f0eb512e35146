"""Rows of an answer of SIA."""

from __future__ import annotations

from typing import Any

from tessera_cloud.application.vo.obscore.rows import COLUMNS
from tests.support.votable import read_votable

NULL = None


def rows(content: bytes) -> list[dict[str, Any]]:
    """Rows of a VOTable; None for null."""
    table = read_votable(content).resources[0].tables[0].to_table()
    return [{name: NULL if _is_null(row[name]) else row[name] for name in COLUMNS} for row in table]


def _is_null(value: Any) -> bool:
    return str(value) in ("", "--", "nan")
