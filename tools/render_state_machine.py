"""Write a state machine in the forms that checkers read: with ARNs for placeholders, alone and in a template.

Usage: python render_state_machine.py MACHINE.asl.json DIRECTORY
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

ACCOUNT = "arn:aws:{service}:us-east-1:123456789012:{rest}"


def main(source: Path, directory: Path) -> None:
    """Write DIRECTORY/<name>.asl.json and DIRECTORY/<name>.template.json."""
    definition = render(source.read_text(encoding="utf-8"))
    name = source.name.removesuffix(".asl.json")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.asl.json").write_text(json.dumps(definition, indent=2), encoding="utf-8")
    (directory / f"{name}.template.json").write_text(json.dumps(wrap(definition), indent=2), encoding="utf-8")


def render(text: str) -> dict[str, Any]:
    """Return the definition with the ARN of a function for each placeholder `${<name>Arn}`, and a partition."""

    def to_arn(match: re.Match[str]) -> str:
        if match[1] == "Partition":
            return "aws"
        return ACCOUNT.format(service="lambda", rest="function:" + match[1].removesuffix("Arn"))

    definition: dict[str, Any] = json.loads(re.sub(r"\$\{(\w+)\}", to_arn, text))
    return definition


def wrap(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a CloudFormation template that has only the state machine."""
    role = ACCOUNT.replace("us-east-1", "").format(service="iam", rest="role/machine")
    properties = {"RoleArn": role, "Definition": definition}
    return {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
