"""Writes the rows of an answer in the format that the client wants."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tessera_cloud.application.vo.obscore.rows import COLUMNS, Value
from tessera_cloud.application.vo.obscore.search import Found
from tessera_cloud.http.vo.sia.columns import FIELDS
from tessera_cloud.http.vo.sia.inputs import INPUTS
from tessera_cloud.http.vo.sia.parameters import Parameters
from tessera_cloud.http.vo.votable.elements import Descriptor, Info, Table, text_param, wide_fields
from tessera_cloud.http.vo.votable.writer import Sink, write_votable

STANDARD = "ivo://ivoa.net/std/SIA"
_DELIMITERS: Final = {"text/csv": ",", "text/tab-separated-values": "\t"}


def write_found(
    found: Found,
    out: Sink,
    content_type: str,
    *,
    address: Callable[[str], str],
    infos: Sequence[Info],
    descriptors: Sequence[Descriptor],
) -> None:
    """Write observations row by row.

    Parameters
    ----------
    found : Found
        The observations.
    out : file
        File to which they are written.
    content_type : str
        Content type of the answer, one of `parameters.FORMATS`.
    address : callable
        Returns the address of the DataLink document of an identifier.
    infos : sequence of Info
        Remarks that a VOTable has before the table.
    descriptors : sequence of Descriptor
        Services that a VOTable describes after the table.
    """
    rows = (row for observed, numbers in found.groups for row in observed.rows(numbers, address))
    if content_type in _DELIMITERS:
        _write_text(rows, out, _DELIMITERS[content_type])
        return
    status = Info("QUERY_STATUS", "OK", "1 row" if found.n_rows == 1 else f"{found.n_rows:,} rows")
    cut = [Info("QUERY_STATUS", "OVERFLOW", "MAXREC cut off rows")] if found.is_cut else []
    fields = wide_fields(FIELDS, _free_texts(found))
    write_votable(out, Table(fields, rows), [status, *infos], descriptors, cut)


def _free_texts(found: Found) -> Iterator[list[str | None]]:
    """For each group of observations, its texts that may have any characters, in the columns of a row."""
    for observed, numbers in found.groups:
        names = "".join(observed.files[number].obs_id for number in numbers)
        texts = {"obs_id": names, "facility_name": str(observed.common["facility_name"])}
        yield [texts.get(column) for column in COLUMNS]


def _write_text(rows: Iterator[Sequence[Value]], out: Sink, delimiter: str) -> None:
    line = io.StringIO()
    writer = csv.writer(line, delimiter=delimiter)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(row)
        out.write(line.getvalue().encode())
        line.seek(0)
        line.truncate()
    out.write(line.getvalue().encode())


def describe_answer(given: Parameters) -> list[Info]:
    """Remarks: the standard, and what was asked for."""
    asked = [Info(name.upper(), text) for name, texts in given.items() for text in texts if name.upper() in _NAMES]
    return [Info("standardID", STANDARD), *asked]


_NAMES = frozenset(param.field.name for param in INPUTS)


def describe_itself(url: str) -> Descriptor:
    """Descriptor of the service that gives the answer (DataLink 1.1, section 4.2)."""
    params = text_param("standardID", f"{STANDARD}#query-2.0"), text_param("accessURL", url)
    return Descriptor("this", params, INPUTS, description="Finds cubes and images", itself=True)
