"""Every operation of the API has its event in the template, behind the function that serves it."""

from __future__ import annotations

from tessera_cloud.http.documents.openapi import GROUPS
from tests.support.api import ROUTES
from tests.template.documents import ROOT, file_of, functions

FUNCTION_OF_FOLDER = {body["CodeUri"].removeprefix("functions/"): name for name, body in functions().items()}


def declared_operations() -> dict[tuple[str, str], tuple[str, str, bool]]:
    """Method and path of each operation -> its name, its tag, and whether requests must be signed."""
    return {
        (operation.method.upper(), operation.path): (operation.name, group.tag, operation.operator)
        for group in GROUPS
        for operation, _ in group.operations
    }


def function_of(tag: str) -> str:
    """The function behind the other operations of a tag."""
    tags = {key: found for key, (_, found, _) in declared_operations().items()}
    paths = {path for (_, path), found in tags.items() if found == tag}
    folders = [folder for path, folder, _ in ROUTES if path in paths]
    return FUNCTION_OF_FOLDER[folders[0]] if folders else "the function whose app.py hands the group to build_handler"


def event_of(path: str, *, name: str, api: str, signed: bool) -> str:
    """The lines of YAML that route an operation."""
    auth = ", Auth: {Authorizer: AWS_IAM, InvokeRole: NONE}" if signed else ""
    event = name.title().replace("_", "")
    quoted = f'"{path}"' if "{" in path else path
    properties = f"{{RestApiId: !Ref {api}, Path: {quoted}, Method: any{auth}}}"
    return f"        {event}:\n          Type: Api\n          Properties: {properties}"


def what_to_add(method: str, path: str, name: str, tag: str, *, signed: bool) -> str:
    function = function_of(tag)
    known = function in functions()
    place = f"{file_of(function)}, below Events of {function}" if known else f"stacks/, below Events of {function}"
    of_function = functions()[function].get("Events", {}).values() if known else []
    apis = [event["Properties"]["RestApiId"]["Ref"] for event in of_function if event["Type"] == "Api"]
    lines = event_of(path, name=name, api=apis[0] if apis else "CutoutApi", signed=signed)
    return f"\n{method} {path} ({name}) has no event in the template. Add to {place}:\n{lines}\n"


def test_every_operation_has_an_event() -> None:
    routed = {path for path, _, _ in ROUTES}
    missing = [
        what_to_add(method, path, name, tag, signed=signed)
        for (method, path), (name, tag, signed) in declared_operations().items()
        if path not in routed
    ]

    assert not missing, "".join(missing)


def test_every_event_has_an_operation() -> None:
    left_over = [
        f"\n{path} is routed to {folder} by {file_of(FUNCTION_OF_FOLDER[folder])}, and no operation in "
        "tessera_cloud.http has this path: remove the event, or declare the operation.\n"
        for path, folder, _ in ROUTES
        if path not in {path for _, path in declared_operations()}
    ]

    assert not left_over, "".join(left_over)


def test_the_lines_to_add_are_those_that_the_template_has() -> None:
    lines = event_of("/v1/builds/{build}", name="build", api="CutoutApi", signed=True)

    assert lines in (ROOT / "stacks/service.yaml").read_text(encoding="utf-8")


def test_a_missing_event_names_the_file_and_the_function() -> None:
    message = what_to_add("GET", "/v1/new/{x}", "read_new", "Cutouts", signed=False)

    assert "Add to stacks/service.yaml, below Events of CutoutApiFunction" in message
    assert (
        'ReadNew:\n          Type: Api\n          Properties: {RestApiId: !Ref CutoutApi, Path: "/v1/new/{x}"'
        in message
    )
