"""Expands templates with SAM's translator: a program for the environment of sam (`.venv-sam`), which has it.

It reads pairs of a template and its parameters as JSON, and writes the expanded templates as JSON. CloudFormation does
the same on AWS when it meets `Transform: AWS::Serverless-2016-10-31`.
"""

import json
import sys

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGION = "us-east-1"


def main() -> None:
    """Expand the templates of the standard input."""
    session = boto3.Session(region_name=REGION)
    expanded = []
    for template, parameters in json.load(sys.stdin):
        translator = Translator(managed_policy_map={}, sam_parser=Parser(), boto_session=session)
        expanded.append(translator.translate(template, parameter_values=parameters))
    json.dump(expanded, sys.stdout)


if __name__ == "__main__":
    main()
