"""Answers with an XML document, which a model of vo-models describes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.http.framework.operations import NO_STORE

if TYPE_CHECKING:
    from pydantic_xml import BaseXmlModel

XML = "text/xml; charset=UTF-8"


def xml_answer(model: BaseXmlModel, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """Answer with a model as XML. Attributes and elements without a value are left out.

    Parameters
    ----------
    model : BaseXmlModel
        The document.
    status : HTTPStatus, optional
        Status of the answer.
    """
    from lxml.etree import tostring  # noqa: PLC0415 - few requests ask for such documents

    root = model.to_xml_tree(exclude_none=True)
    text: bytes = tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return Response(status, XML, text.decode(), headers=dict(NO_STORE))
