"""The template stays readable: one order, short functions, few parameters."""

import itertools
import re

import pytest

from tests.template.documents import ROOT, TEMPLATE, functions, load_template, resources

MAX_TEMPLATE_LINES = 450
MAX_FUNCTION_LINES = 20
SECTIONS = ["AWSTemplateFormatVersion", "Transform", "Description"]
SECTIONS += ["Parameters", "Conditions", "Globals", "Resources", "Outputs"]
BANNERS = ["Layers", "Storage", "Cube build", "Cutout API", "State machine", "Alarms"]
RESERVED = re.compile(r"^(AWS_|LAMBDA_|_HANDLER$|_X_AMZN)")


def test_the_sections_come_in_the_house_order() -> None:
    assert list(load_template()) == SECTIONS


def test_the_banners_come_in_the_house_order() -> None:
    banners = re.findall(r"^  # -+\n  # (.+?)(?::.*)?\n  # -+$", TEMPLATE.read_text(), re.MULTILINE)

    assert banners == BANNERS


def test_the_template_is_short() -> None:
    assert len(TEMPLATE.read_text().splitlines()) <= MAX_TEMPLATE_LINES


@pytest.mark.parametrize("name", functions())
def test_a_function_is_declared_in_twenty_lines(name: str) -> None:
    lines = TEMPLATE.read_text().split(f"\n  {name}:\n")[1].splitlines()

    assert len(list(itertools.takewhile(str.strip, lines))) < MAX_FUNCTION_LINES


def test_there_are_at_most_six_parameters_and_each_says_what_it_is() -> None:
    parameters = load_template()["Parameters"]

    assert len(parameters) <= 6
    assert all(body.get("Description") for body in parameters.values())


def test_outputs_say_what_they_are() -> None:
    assert all(body.get("Description") for body in load_template()["Outputs"].values())


def test_names_are_left_to_the_stack() -> None:
    named = [name for name, body in functions().items() if "FunctionName" in body]
    named += [name for name, body in resources("AWS::S3::Bucket").items() if "BucketName" in body]

    assert named == []


def test_no_environment_name_is_one_that_lambda_reserves() -> None:
    names = load_template()["Globals"]["Function"]["Environment"]["Variables"]

    assert [name for name in names if RESERVED.match(name)] == []


def test_each_variable_that_the_settings_read_is_set() -> None:
    read = set(re.findall(r"\bTESSERA_[A-Z_]+", (ROOT / "shared/src/tessera_cloud/settings.py").read_text()))

    assert read <= set(load_template()["Globals"]["Function"]["Environment"]["Variables"])
