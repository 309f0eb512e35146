"""VOTables and other XML documents of a service, as plain values."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from astropy.io import votable

Row = dict[str, Any]
"""Column to value; None for no value, and for NaN and empty text."""


def parse(body: bytes) -> Element:
    """Read a document, and remove the namespaces of its elements and attributes."""
    root = ElementTree.fromstring(body)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    return root


@dataclass(frozen=True)
class Descriptor:
    """A service descriptor: the PARAM of the resource, and those of its inputs."""

    identifier: str | None
    params: dict[str, str]
    inputs: dict[str, Element]


class Table:
    """A VOTable that a service answered."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.root = parse(body)

    @property
    def results(self) -> list[Element]:
        return [each for each in self.root.iter("RESOURCE") if each.get("type") == "results"]

    @property
    def statuses(self) -> list[str | None]:
        """Values of QUERY_STATUS in the resource of results, in order."""
        return [
            info.get("value")
            for resource in self.results
            for info in resource.findall("INFO")
            if info.get("name") == "QUERY_STATUS"
        ]

    @property
    def message(self) -> str:
        """Text of the first QUERY_STATUS."""
        infos = [info for info in self.root.iter("INFO") if info.get("name") == "QUERY_STATUS"]
        return "".join(infos[0].itertext()).strip() if infos else ""

    @property
    def fields(self) -> dict[str, Element]:
        return {field.get("name", ""): field for resource in self.results for field in resource.iter("FIELD")}

    @cached_property
    def rows(self) -> list[Row]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = votable.parse(io.BytesIO(self.body)).get_first_table()
        names = [field.name for field in table.fields]
        values = table.array
        return [
            {name: _value(values[column][index]) for name, column in zip(names, values.dtype.names or (), strict=True)}
            for index in range(len(values))
        ]

    @property
    def descriptors(self) -> list[Descriptor]:
        return [
            Descriptor(
                resource.get("ID"),
                {param.get("name", ""): param.get("value", "") for param in resource.findall("PARAM")},
                {
                    param.get("name", ""): param
                    for group in resource.findall("GROUP")
                    if group.get("name") == "inputParams"
                    for param in group.findall("PARAM")
                },
            )
            for resource in self.root.iter("RESOURCE")
            if resource.get("type") == "meta" and resource.get("utype") == "adhoc:service"
        ]

    def descriptors_of(self, standard: str) -> list[Descriptor]:
        """Descriptors of a standard, such as ivo://ivoa.net/std/soda#sync; case and version do not matter."""
        return [
            each for each in self.descriptors if each.params.get("standardID", "").lower().startswith(standard.lower())
        ]


def _value(value: Any) -> Any:
    if getattr(value, "mask", False) is True or (getattr(value, "mask", None) is not None and value.mask.all()):
        return None
    plain = value.item() if hasattr(value, "item") and getattr(value, "shape", ()) == () else value
    if plain is None or plain == "" or (isinstance(plain, float) and math.isnan(plain)):
        return None
    return plain
