"""The files stay readable: one order, short functions, parameters that say what they are, and fit together."""

import itertools
import re
from collections import Counter

import pytest

from tests.template.documents import (
    FILE_NAMES,
    ROOT,
    Json,
    all_resources,
    file_of,
    functions,
    globals_of,
    load,
    resources,
)

MAX_TEMPLATE_LINES, MAX_ROOT_LINES = 480, 580
"""The root only hands values to nested stacks. Divided, the same values would pass through one file more."""
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 37
SECTIONS = ["AWSTemplateFormatVersion", "Transform", "Description"]
SECTIONS += ["Parameters", "Rules", "Conditions", "Globals", "Resources", "Outputs"]
BANNERS = ["Storage", "Nested stacks"]
RESERVED = re.compile(r"^(AWS_|LAMBDA_|_HANDLER$|_X_AMZN)")
SAME_EVERYWHERE = ["Runtime", "Architectures", "Handler", "Layers"]

each_file = pytest.mark.parametrize("name", FILE_NAMES)
each_nested = pytest.mark.parametrize("name", resources("AWS::Serverless::Application"))


@each_file
def test_the_sections_come_in_the_house_order(name: str) -> None:
    assert list(load(name)) == [section for section in SECTIONS if section in load(name)]


def test_the_banners_come_in_the_house_order() -> None:
    text = (ROOT / "template.yaml").read_text()

    assert re.findall(r"^  # -+\n  # (.+?)(?::.*)?\n  # -+$", text, re.MULTILINE) == BANNERS


@each_file
def test_a_file_is_short(name: str) -> None:
    n_lines = len((ROOT / name).read_text().splitlines())
    most = MAX_ROOT_LINES if name == "template.yaml" else MAX_TEMPLATE_LINES
    assert n_lines <= most, f"{name} has {n_lines} lines, at most {most}: divide it"


@pytest.mark.parametrize("name", functions())
def test_a_function_is_declared_on_one_screen(name: str) -> None:
    lines = (ROOT / file_of(name)).read_text().split(f"\n  {name}:\n")[1].splitlines()

    n_lines = len(list(itertools.takewhile(str.strip, lines))) + 1
    assert n_lines <= MAX_FUNCTION_LINES, (
        f"{file_of(name)}: {name} has {n_lines} lines, at most {MAX_FUNCTION_LINES}: move its policy to a resource"
    )


@each_file
def test_parameters_and_outputs_say_what_they_are(name: str) -> None:
    described = load(name).get("Parameters", {}) | load(name).get("Outputs", {})

    assert [each for each, body in described.items() if not body.get("Description", "").endswith(".")] == [], (
        f"{name}: these need a Description that ends with a full stop"
    )


def test_who_deploys_has_few_parameters_to_understand() -> None:
    assert len(load()["Parameters"]) <= MAX_PARAMETERS, (
        "put rare settings into constants, or group them in one parameter"
    )


def test_a_logical_id_is_used_once() -> None:
    counts = Counter(logical for name in FILE_NAMES for logical in load(name)["Resources"])

    assert [logical for logical, count in counts.items() if count > 1] == []


def test_every_file_is_a_nested_stack_of_the_root() -> None:
    nested = {body["Location"] for body in resources("AWS::Serverless::Application").values()}

    files = {name for name in FILE_NAMES if name != "template.yaml"}
    assert files - nested == set(), "template.yaml needs an AWS::Serverless::Application for each of these"
    assert nested - files == set(), "template.yaml names these files, which do not exist"


@each_nested
def test_a_nested_stack_is_given_its_parameters_under_their_own_names(name: str) -> None:
    body = resources("AWS::Serverless::Application")[name]
    declared = load(body["Location"]).get("Parameters", {})
    given = body.get("Parameters", {})

    assert set(given) == set(declared), f"{name} gives other parameters than {body['Location']} declares"
    assert {spec["Type"] for spec in declared.values()} <= {"String"}
    for parameter, value in given.items():
        if value.get("Ref") in declared:
            assert value["Ref"] == parameter
        elif "Fn::GetAtt" in value and value["Fn::GetAtt"][1].startswith("Outputs."):
            assert_output_exists(*value["Fn::GetAtt"])


def assert_output_exists(stack: str, attribute: str) -> None:
    location = resources("AWS::Serverless::Application")[stack]["Location"]

    name = attribute.removeprefix("Outputs.")
    assert name in load(location)["Outputs"], f"{location} needs an output {name}, which {stack}.{attribute} refers to"


@each_file
def test_every_parameter_is_used(name: str) -> None:
    text = (ROOT / name).read_text()

    unused = [p for p in load(name).get("Parameters", {}) if not re.search(rf"!Ref {p}\b|\$\{{{p}\}}", text)]
    assert unused == [], f"use these parameters of {name}, or remove them"


def test_all_functions_run_alike() -> None:
    found: dict[str, Json] = {name: globals_of(name) for name in FILE_NAMES if globals_of(name)}
    first = next(iter(found))

    assert [
        f"{name}: Globals.Function.{key} is {body.get(key)}, and {found[first][key]} in {first}"
        for name, body in found.items()
        for key in SAME_EVERYWHERE
        if body.get(key) != found[first][key]
    ] == []


def test_names_are_left_to_the_stack() -> None:
    named = [
        name
        for name, body in all_resources().items()
        for key in ("FunctionName", "BucketName", "QueueName", "TableName")
        if key in body.get("Properties", {})
    ]

    assert named == [], "remove the names of these, so that two stacks can live in one account"


def test_no_environment_name_is_one_that_lambda_reserves() -> None:
    names = {name for body in functions().values() for name in body["Variables"]}

    assert [name for name in names if RESERVED.match(name)] == [], "choose other names for these variables"


def variables_read() -> set[str]:
    """Names of the variables that the packages read."""
    readers = ("shared/src/tessera_cloud/settings.py", "layers/engine/src/tessera/io/temporary.py")
    return {name for path in readers for name in re.findall(r"\bTESSERA_[A-Z_]+", (ROOT / path).read_text())}


def test_each_variable_that_the_settings_read_is_set() -> None:
    given = {name for body in functions().values() for name in body["Variables"]}
    assert variables_read() - given == set(), "set these below Environment of the functions or Globals that need them"


@pytest.mark.parametrize("name", functions())
def test_a_function_is_told_nothing_that_the_settings_do_not_read(name: str) -> None:
    given = {variable for variable in functions()[name]["Variables"] if variable.startswith("TESSERA_")}
    assert given - variables_read() == set(), f"{file_of(name)}: no module reads these: remove them from {name}"
