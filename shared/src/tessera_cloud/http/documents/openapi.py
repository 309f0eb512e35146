"""The OpenAPI 3.1 document of the API, built from the declarations of its operations.

``python -m tessera_cloud.http.documents.openapi`` writes it beside this module. A test checks that it is current. The
service sends this file, so that no request has to build the document.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tessera import __version__
from tessera_cloud.application.jobs.records import ID_PATTERN
from tessera_cloud.http.builds import routes as build_routes
from tessera_cloud.http.bulk import routes as bulk_routes
from tessera_cloud.http.catalogue import coverage_routes, map_routes, measure_routes, portal_routes
from tessera_cloud.http.catalogue import routes as catalogue_routes
from tessera_cloud.http.cutouts import job_routes, wait_routes
from tessera_cloud.http.cutouts import routes as cutout_routes
from tessera_cloud.http.documents import routes as page_routes
from tessera_cloud.http.documents.examples import add_examples, lift
from tessera_cloud.http.framework.errors import TESSCUT
from tessera_cloud.http.framework.operations import JSON, Answer, Group, Operation
from tessera_cloud.http.framework.parameters import FORM, MULTIPART
from tessera_cloud.http.images import models as image_models
from tessera_cloud.http.images import routes as image_routes
from tessera_cloud.http.images import zcut_hapcut_routes as mast_image_routes
from tessera_cloud.http.lightcurves import routes as lightcurve_routes
from tessera_cloud.http.models import ErrorDocument, Message
from tessera_cloud.http.neighbours import routes as neighbour_routes
from tessera_cloud.http.previews import routes as preview_routes
from tessera_cloud.http.tesscut import routes as tesscut_routes
from tessera_cloud.http.vo.datalink import routes as datalink_routes
from tessera_cloud.http.vo.errors import TABLES, VO
from tessera_cloud.http.vo.sia import routes as sia_routes
from tessera_cloud.http.vo.soda import routes as soda_routes
from tessera_cloud.http.vo.uws import routes as uws_routes
from tessera_cloud.http.vo.vosi import routes as vosi_routes
from tessera_cloud.http.vo.votable.elements import CONTENT_TYPE

GROUPS: tuple[Group, ...] = (
    tesscut_routes.group,
    cutout_routes.group,
    preview_routes.group,
    lightcurve_routes.group,
    neighbour_routes.group,
    job_routes.group,
    wait_routes.group,
    bulk_routes.group,
    catalogue_routes.group,
    map_routes.group,
    coverage_routes.group,
    measure_routes.group,
    build_routes.group,
    portal_routes.group,
    page_routes.group,
    image_routes.group,
    mast_image_routes.group,
    sia_routes.group,
    datalink_routes.group,
    soda_routes.group,
    uws_routes.group,
    vosi_routes.group,
)
DOCUMENT = Path(__file__).with_name("openapi.json")
DESCRIPTION = (
    "Cutouts of TESS full-frame images: target pixel files for any position, in the protocol of MAST's TESSCut and in "
    "one of our own. Positions are ICRS degrees; times are BTJD in files (TICA: TJD) and MJD in the catalogue."
)
_PATH_PARAMETERS = {
    "asset": ("Name of a file of the page.", r"^[a-z]{1,20}\.(js|css)$", "main.js"),
    "job": ("Id of the job.", ID_PATTERN, "6f0c9d0e4b1a4a7f9d3c2b1a00112233"),
    "cube": ("Name of the cube.", r"^(tess|tica)-s\d{4,}-[1-4]-[1-4]$", "tess-s0001-4-2"),
    "measure": (
        "`reference.fits`, `vectors.fits`, `changes.csv`, `changes.ecsv` or `changes.json`.",
        r"^(reference\.fits|vectors\.fits|changes\.(csv|ecsv|json))$",
        "reference.fits",
    ),
    "build": ("Name of the build.", "^[A-Za-z0-9_-]{1,80}$", "tess-s0001-4-2-3f6a1c0d9e8b"),
    "product": ("Kind of frames, or `all`.", "^(SPOC|TICA|all)$", "SPOC"),
    "file": (
        "`all`, or a sector such as `s0001`; then `-st` for space and time; then `.fits` or `.json`.",
        r"^(all|s\d{4,6})(-st)?\.(fits|json)$",
        "s0001.fits",
    ),
    "result": ("Name of the result.", "^[^/]{1,200}$", "tess-s0001-4-2_88.951500_-75.391100_5x5_astrocut.fits"),
    "dataset": ("Name of the dataset.", image_models.NAME, "goods-north"),
}
"""Description, pattern and example of each path parameter."""


def _operations() -> Iterable[tuple[Group, Operation]]:
    for group in GROUPS:
        for operation, _ in group.operations:
            yield group, operation


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _models() -> list[tuple[type[BaseModel], str]]:
    """Models of bodies and answers, each once."""
    found: dict[type[BaseModel], str] = {ErrorDocument: "serialization", Message: "serialization"}
    for _, operation in _operations():
        found |= {answer.model: "serialization" for answer in operation.answers if answer.model}
        given = [
            operation.body,
            operation.form_body,
            operation.query if operation.form and operation.method == "POST" else None,
        ]
        found |= {model: "validation" for model in given if model}
    return list(found.items())


def describe_path_parameter(name: str) -> dict[str, Any]:
    """A parameter in a path.

    Raises
    ------
    LookupError
        When nothing is said about it yet.
    """
    if name not in _PATH_PARAMETERS:
        raise LookupError(f"describe the path parameter {name} in _PATH_PARAMETERS of http/documents/openapi.py")
    description, pattern, example = _PATH_PARAMETERS[name]
    schema = {"type": "string", "pattern": pattern, "examples": [example]}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema()
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required}
        | ({"description": text} if (text := field.pop("description", "")) else {})
        | {"schema": {key: value for key, value in field.items() if key != "title"}}
        for name, field in lift(schema["properties"]).items()
    ]


def _answer(answers: list[Answer]) -> dict[str, Any]:
    """Describe all answers of one status. They differ in content type or schema."""
    content: dict[str, Any] = {}
    for answer in (answer for answer in answers if answer.content_type):
        other = {"type": "object" if answer.content_type == JSON else "string"}
        shape = _reference(answer.model) if answer.model else other
        known = content.setdefault(answer.content_type, {"schema": shape})
        if known["schema"] != shape:
            known["schema"] = {"anyOf": [known["schema"], shape]}
    document: dict[str, Any] = {"description": ". ".join(answer.description for answer in answers) + "."}
    if any(answer.location for answer in answers):
        document["headers"] = {"Location": {"description": "The address.", "schema": {"type": "string"}}}
    return document | ({"content": content} if content else {})


def _errors(operation: Operation) -> list[Answer]:
    """Errors that every operation may answer with."""
    if operation.path.startswith(VO):
        kind = CONTENT_TYPE if operation.path in TABLES else "text/plain"
        return [replace(error, model=None, content_type=kind) for error in _usual_errors(ErrorDocument)]
    shape = Message if operation.path.startswith(TESSCUT) else ErrorDocument
    errors = _usual_errors(shape)
    if operation.operator:
        errors.append(Answer(403, "The signature is not that of an operator", shape))
        errors.append(Answer(404, "The request is not signed", shape))
    if operation.form and operation.path.endswith("/astrocut"):
        errors.append(Answer(413, "The cutouts are too large; the answer says what is allowed", shape))
    return errors


def _usual_errors(shape: type[BaseModel]) -> list[Answer]:
    return [
        Answer(400, "A parameter is wrong; the answer names it, its value and what is allowed", shape),
        Answer(429, "Too many requests; ask more slowly", shape),
        Answer(500, "The service has a defect", shape),
        Answer(503, "The service is busy; try again", shape),
    ]


def _answers(operation: Operation) -> dict[str, Any]:
    by_status: dict[int, list[Answer]] = {}
    for answer in (*operation.answers, *_errors(operation)):
        by_status.setdefault(answer.status, []).append(answer)
    return {str(status): _answer(answers) for status, answers in sorted(by_status.items())}


def _body(operation: Operation) -> dict[str, Any]:
    if operation.body:
        content = {JSON: {"schema": _reference(operation.body)}}
        if operation.form_body:
            content[FORM] = {"schema": _reference(operation.form_body)}
        content |= {kind: {"schema": {"type": "string", "format": "binary"}} for kind in operation.files}
        return {"requestBody": {"required": True, "content": content}}
    if operation.form and operation.method == "POST" and operation.query:
        shape = {"schema": _reference(operation.query)}
        kinds = [FORM, MULTIPART, JSON] if operation.multipart else [FORM, JSON]
        return {"requestBody": {"required": True, "content": dict.fromkeys(kinds, shape)}}
    return {}


def _describe(group: Group, operation: Operation) -> dict[str, Any]:
    parameters = [describe_path_parameter(name) for name in operation.path_parameters]
    if operation.query and not (operation.form and operation.method == "POST"):
        parameters += _query_parameters(operation.query)
    return (
        {
            "operationId": operation.name,
            "tags": [group.tag],
            "summary": operation.summary,
            "description": operation.description,
        }
        | ({"parameters": parameters} if parameters else {})
        | _body(operation)
        | {"responses": _answers(operation)}
        | ({"security": [{"operator": []}]} if operation.operator else {})
    )


def build_document() -> dict[str, Any]:
    """Build the document, without the address of the server."""
    paths: dict[str, Any] = {}
    for group, operation in _operations():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(group, operation)
    _, schemas = models_json_schema(
        _models(),  # type: ignore[arg-type]
        ref_template="#/components/schemas/{model}",
    )
    tags = {group.tag: group.description for group in GROUPS if group.operations}
    signing = {"type": "apiKey", "in": "header", "name": "Authorization", "description": "AWS Signature Version 4."}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tessera", "version": __version__, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
        "paths": paths,
        "components": {"schemas": add_examples(schemas["$defs"]), "securitySchemes": {"operator": signing}},
    }


def format_document() -> str:
    """Format the document as the text of its file."""
    return json.dumps(build_document(), indent=1) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(format_document(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT.name}: {len(build_document()['paths'])} paths\n")
