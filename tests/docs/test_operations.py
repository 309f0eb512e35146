"""The pages for operators: their variables, commands, parameters and alarms are those of the templates and of AWS."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

from tessera_cloud.admin.variables import VARIABLES
from tests.docs.pages import ROOT, read_blocks
from tests.template.documents import Json, all_resources, load

PAGES = [*sorted((ROOT / "docs/operations").glob("*.md")), ROOT / "docs/guide/images.md", ROOT / "README.md"]
_USE = re.compile(r"\$\{?([A-Z][A-Z_]+)\b")
_SET = re.compile(r"^(?:export )?([A-Z][A-Z_]+)=|\bexport (?:\w+=\S+ )*([A-Z][A-Z_]+)=", re.MULTILINE)
OF_THE_SHELL = {"PATH", "HOME", "PWD"}
SYNOPSIS = {"aws s3", "aws configure", "aws sso"}
"""Commands that are no operation of AWS, but programs of its command line."""
RENAMED = {("sns", "subscribe", "--notification-endpoint"): "--endpoint"}
"""Options that the command line of AWS has under another name."""
SESSION = botocore.session.get_session()


def code_of(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(block.code for block in read_blocks(str(page), text) if block.language == "sh")
    indented = re.findall(r"^   ```sh\n(.*?)^   ```", text, re.MULTILINE | re.DOTALL)
    return re.sub(r"\\\n\s*", " ", blocks + "\n" + "\n".join(indented))


def test_every_variable_of_a_page_is_set_by_one_line() -> None:
    unset = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        used = set(_USE.findall(code_of(page))) | {
            name for code in re.findall(r"`([^`\n]+)`", text) for name in _USE.findall(code)
        }
        own = {name for names in _SET.findall(code_of(page)) for name in names if name}
        if found := used - own - set(VARIABLES) - {"STACK", "REGION"} - OF_THE_SHELL:
            unset[page.name] = found

    assert unset == {}, "add them to VARIABLES in tessera_cloud/admin/variables.py"


def test_pages_that_use_variables_say_where_they_come_from() -> None:
    silent = [
        page.name
        for page in PAGES
        if set(_USE.findall(code_of(page))) & set(VARIABLES)
        and not re.search(r"admin variables|#variables-in-commands", page.read_text(encoding="utf-8"))
    ]

    assert silent == []


def test_every_variable_is_an_output_of_the_root_stack() -> None:
    assert set(VARIABLES.values()) - set(load()["Outputs"]) == set()


def test_every_log_group_can_be_found() -> None:
    """By a variable, or by the name of its output on the page of alarms."""
    page = (ROOT / "docs/operations/alarms.md").read_text(encoding="utf-8")
    groups = {name for name in load()["Outputs"] if name.endswith("LogGroupName")}
    logs = page[page.index("### Logs") :].partition("\n### ")[0]

    assert {name for name in groups - set(VARIABLES.values()) if f"`{name}`" not in page} == set()
    assert {name for name in VARIABLES if name.endswith("_LOGS") and f"`${name}`" not in logs} == set()


def commands(text: str) -> list[list[str]]:
    """Calls of the command line of AWS in a script: its words, without what stands in them."""
    found = []
    for start in re.finditer(r"\baws (?=[a-z0-9-]+ [a-z0-9-]+)", text):
        line = text[start.start() :].split("\n", 1)[0]
        line = re.sub(r"\$\(\([^\n]*?\)\)(?= |$)|\$\(date [^)]*\)", "1", line)
        depth, end = 0, len(line)
        quote = ""
        for place, letter in enumerate(line):
            if quote:
                quote = "" if letter == quote else quote
            elif letter == "'":
                quote = letter
            elif letter == "(":
                depth += 1
            elif letter == ")":
                depth -= 1
                if depth < 0:
                    end = place
                    break
            elif letter in "|;#" and depth == 0:
                end = place
                break
        words = shlex.split(line[:end].replace('"$(', "'$(").replace(')"', ")'").rstrip("`"), comments=True)
        found.append(words)
    return found


def problem(words: list[str]) -> str:
    """Why AWS does not know a command; empty if it does."""
    _, service, operation, *rest = words
    if f"aws {service}" in SYNOPSIS:
        return ""
    try:
        model = SESSION.get_service_model(service)
    except UnknownServiceError:
        return f"no service {service}"
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation == "wait":
        waiters = SESSION.get_waiter_model(service)
        awaited = {xform_name(name, "-"): name for name in waiters.waiter_names}
        if rest[0] not in awaited:
            return f"{service} has no waiter {rest[0]}"
        operation, *rest = xform_name(waiters.get_waiter(awaited[rest[0]]).operation, "-"), *rest[1:]
    if operation not in names:
        return f"{service} has no operation {operation}"
    shape = model.operation_model(names[operation]).input_shape
    known = {xform_name(name, "-") for name in (shape.members if shape else {})}
    flags = {"query", "output", "region", "max-items", "no-cli-pager"}
    rest = [RENAMED.get((service, operation, word), word) for word in rest]
    given = {word[2:] for word in rest if word.startswith("--")}
    missing = {xform_name(name, "-") for name in (shape.required_members if shape else [])} - given
    unknown = given - known - flags
    return f"{service} {operation}: unknown {sorted(unknown)}, missing {sorted(missing)}" if unknown or missing else ""


def test_every_command_of_aws_exists_with_its_options() -> None:
    wrong = {}
    for page in PAGES:
        for words in commands(code_of(page)):
            if said := problem(words):
                wrong[f"{page.name}: {' '.join(words)[:90]}"] = said

    assert wrong == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("aws sqs purge --queue-url $QUEUE", "sqs has no operation purge"),
        ("aws sqs purge-queue --queue $QUEUE", "unknown ['queue'], missing ['queue-url']"),
        ('A=$(aws sqs purge-queue --queue-url "$QUEUE" --query x) # why', ""),
        ("aws nothing list-all", "no service nothing"),
        ("aws cloudformation wait stack-gone --stack-name a", "cloudformation has no waiter stack-gone"),
        ("aws cloudformation wait stack-delete-complete --stack-name a", ""),
    ],
)
def test_a_wrong_command_is_found(line: str, said: str) -> None:
    (words,) = commands(line)
    assert said in problem(words)
    assert bool(said) == bool(problem(words))


def rows(page: str, head: str) -> dict[str, list[str]]:
    """Cells of a table by the name in its first column."""
    text = (ROOT / page).read_text(encoding="utf-8")
    table = text[text.index(head) :].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    named = [(name, row[1:]) for row in cells for name in re.findall(r"`(\w+)`", row[0])]
    assert len(named) == len(dict(named)), f"a name has two rows in {page}"
    return dict(named)


def test_every_alarm_says_how_urgent_it_is_and_what_to_run() -> None:
    kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    alarms: dict[str, Json] = {name: body for name, body in all_resources().items() if body["Type"] in kinds}
    heard = {name for name, body in alarms.items() if "AlarmActions" in body["Properties"]}
    table = rows("docs/operations/alarms.md", "| alarm | when | commands |")

    assert heard == set(table)
    assert {name for name, (when, _) in table.items() if not when.startswith(("now", "morning"))} == set()
    assert {name for name, (_, what) in table.items() if "](#" not in what and "`make " not in what} == set()


def test_every_parameter_is_explained_once_with_its_default() -> None:
    page = (ROOT / "docs/operations/deploying.md").read_text(encoding="utf-8")
    lines = page[page.index("| parameter | default |") :].split("\n\n", 1)[0].splitlines()[2:]
    cells = [line.split(" | ")[:2] for line in lines]
    told = [(name, default) for names, default in cells for name in re.findall(r"`(\w+)`", names)]
    defaults = {name: str(spec.get("Default", "")) for name, spec in load()["Parameters"].items()}

    assert sorted(name for name, _ in told) == sorted(defaults)
    assert [each for each in told if each[1] not in (defaults[each[0]], "none", "MAST's")] == []


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = {
        name
        for page in PAGES
        for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert used - targets == set()
