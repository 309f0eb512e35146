"""Print the unzipped size of every layer and function of a build, and fail far below Lambda's limit.

Usage: python report_sizes.py [BUILT_TEMPLATE]
"""

import sys
from pathlib import Path
from typing import Any

import yaml

LAMBDA_LIMIT_MB = 262
"""AWS writes 250 MB, and means 262,144,000 bytes."""
OWN_LIMIT_MB = 200
MB = 1e6
NESTED = "AWS::Serverless::Application"


class Loader(yaml.SafeLoader):
    """Reads a template. The values of its short-form tags (`!Ref`) are not needed here."""


Loader.add_multi_constructor("!", lambda _loader, suffix, _node: suffix)


def main(built: Path) -> None:
    """Report on a built template."""
    layers = measure(built, "AWS::Serverless::LayerVersion", "ContentUri")
    functions = measure(built, "AWS::Serverless::Function", "CodeUri")
    for name, size in {**layers, **functions}.items():
        print(f"{name:28}{size / MB:8.2f} MB")
    total = (sum(layers.values()) + max(functions.values())) / MB
    print(f"{'all layers + largest function':28}{total:7.2f} MB of {LAMBDA_LIMIT_MB}")
    if total > OWN_LIMIT_MB:
        sys.exit(f"over {OWN_LIMIT_MB} MB")


def measure(built: Path, kind: str, key: str) -> dict[str, int]:
    """Return the size in bytes of the files of each resource of a kind, also of those in nested stacks."""
    resources: dict[str, Any] = yaml.load(built.read_text(encoding="utf-8"), Loader=Loader)["Resources"]  # noqa: S506 - a SafeLoader
    sizes: dict[str, int] = {}
    for name, body in resources.items():
        if body["Type"] == kind:
            files = (built.parent / body["Properties"][key]).rglob("*")
            sizes[name] = sum(file.stat().st_size for file in files if file.is_file())
        elif body["Type"] == NESTED:
            sizes |= measure(built.parent / body["Properties"]["Location"], kind, key)
    return sizes


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".aws-sam/build/template.yaml"))
