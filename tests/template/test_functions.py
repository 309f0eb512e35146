"""Every function is described, tested by an event, small, and short enough in time for who calls it."""

import json
import re

import pytest

from tessera_cloud.application.ingest.sweeps import SCHEDULE_SECONDS
from tests.support.handlers import load
from tests.template.documents import ROOT, all_resources, as_list, file_of, folder_of, functions, resources

API_GATEWAY_SECONDS = 29
LAMBDA_SECONDS = 900

each_function = pytest.mark.parametrize("name", functions())


@each_function
def test_a_function_has_a_description_and_a_policy(name: str) -> None:
    function = functions()[name]

    assert function.get("Description", "").endswith("."), f"{name} needs a Description that ends with a full stop"
    assert function.get("Policies"), f"{name} needs Policies: a managed policy of its own in {file_of(name)}"


@each_function
def test_a_function_has_an_event_of_its_own_name(name: str) -> None:
    sample = ROOT / "events" / f"{folder_of(name)}.json"

    assert sample.exists(), f"write a sample event of {name}: events/{sample.name}"
    assert isinstance(json.loads(sample.read_text()), dict)


@each_function
def test_a_function_has_a_handler(name: str) -> None:
    function = functions()[name]
    module, handler = function["Handler"].split(".")

    assert (function["CodeUri"], module) == (f"functions/{folder_of(name)}", "app")
    assert callable(getattr(load(folder_of(name)), handler))


@each_function
def test_a_function_ends_before_its_caller_gives_up(name: str) -> None:
    function = functions()[name]
    answers_http = any(event["Type"] == "Api" for event in function.get("Events", {}).values())

    limit = API_GATEWAY_SECONDS if answers_http else LAMBDA_SECONDS
    assert function["Timeout"] <= limit, f"{name}: its caller gives up after {limit} s; set a shorter Timeout"


@each_function
def test_a_function_logs_to_a_group_that_forgets(name: str) -> None:
    group = functions()[name].get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")

    assert resources("AWS::Logs::LogGroup").get(group, {}).get("RetentionInDays"), (
        f"{name} needs LoggingConfig: {{LogGroup: !Ref ...}} with a log group that has RetentionInDays"
    )


@each_function
def test_lambda_drops_no_line_and_log_level_alone_decides(name: str) -> None:
    function = functions()[name]

    assert function["LoggingConfig"].get("LogFormat") == "JSON"
    assert function["LoggingConfig"].get("ApplicationLogLevel") == "DEBUG", (
        f"{name}: a metric's line counts as INFO, so a higher level would drop it"
    )
    assert function["Variables"].get("LOG_LEVEL") == {"Ref": "LogLevel"}
    assert function["Variables"].get("POWERTOOLS_SERVICE_NAME") == {"Ref": "ServiceName"}


@each_function
def test_a_function_imports_the_logger_that_keeps_credentials_out_of_the_log(name: str) -> None:
    lines = (ROOT / "functions" / folder_of(name) / "app.py").read_text().splitlines()
    module = re.compile(r"from tessera_cloud\.(observability|http\.framework\.app) import ")

    assert any(map(module.match, lines)), f"{name}: log with tessera_cloud.observability"


def test_every_folder_and_every_event_belongs_to_a_function() -> None:
    folders = {folder_of(name) for name in functions()}

    handlers = {path.parent.name for path in ROOT.glob("functions/*/app.py")}
    events = {path.stem for path in ROOT.glob("events/*.json")}
    assert handlers - folders == set(), "declare <VerbNoun>Function for these folders in a file of stacks/"
    assert events - folders == set(), "these events belong to no function: remove them"
    assert folders - handlers == set(), "write functions/<verb_noun>/app.py for these"
    assert folders - events == set(), "write events/<verb_noun>.json for these"


def test_every_function_is_packaged_as_it_is() -> None:
    bodies = all_resources()

    assert [name for name in functions() if bodies[name].get("Metadata") != {"SkipBuild": True}] == [], (
        "these need Metadata: {SkipBuild: true}"
    )


def test_the_paths_of_tesscut_are_answered() -> None:
    events = functions()["CutoutApiFunction"]["Events"].values()
    routes = {(event["Properties"]["Path"], event["Properties"]["Method"]) for event in events}

    assert routes >= {(f"/tesscut/api/v0.1/{name}", "any") for name in ("sector", "astrocut")}


def test_the_api_hands_bytes_through() -> None:
    assert as_list(resources("AWS::Serverless::Api")["CutoutApi"]["BinaryMediaTypes"]) == ["*~1*"]


def test_errors_of_the_gateway_have_the_form_of_ours_and_may_be_read_from_anywhere() -> None:
    apis = resources("AWS::Serverless::Api")
    cutouts, images = (apis[name]["GatewayResponses"] for name in ("CutoutApi", "ImageApi"))

    assert {name: rule for name, rule in cutouts.items() if name != "INVALID_SIGNATURE"} == images
    assert set(images) == {
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "INTEGRATION_FAILURE",
        "MISSING_AUTHENTICATION_TOKEN",
        "THROTTLED",
    }
    for rule in cutouts.values():
        assert rule["ResponseParameters"]["Headers"]["Access-Control-Allow-Origin"] == "'*'"
        text = rule["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"said"')
        document = json.loads(text)
        assert document["error"]["message"] == document["msg"]
        assert set(document["error"]) == {"code", "message", "parameter", "value", "allowed"}


def test_a_path_that_does_not_exist_is_404() -> None:
    for api in resources("AWS::Serverless::Api").values():
        rule = api["GatewayResponses"]["MISSING_AUTHENTICATION_TOKEN"]
        assert rule["StatusCode"] == "404"
        assert "no such path; see /docs" in rule["ResponseTemplates"]["application/json"]


def test_the_next_listing_is_told_by_the_schedule_of_ingest() -> None:
    clock = functions()["IngestFunction"]["Events"]["Clock"]["Properties"]["Schedule"]
    assert (clock, SCHEDULE_SECONDS) == ("rate(1 hour)", 3600)
