"""Print the unzipped size of every layer and function of a build. Fail if one comes close to Lambda's limit.

Usage: python report_sizes.py [BUILT_TEMPLATE]
"""

import sys
from pathlib import Path
from typing import Any

import yaml

LAMBDA_LIMIT_MB = 262
"""AWS writes 250 MB, and means 262,144,000 bytes."""
OWN_LIMIT_MB = 220
MB = 1e6
NESTED = "AWS::Serverless::Application"


class Loader(yaml.SafeLoader):
    """Reads a template. Of its short-form tags, only the names of `!Ref` are needed here."""


Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)
Loader.add_constructor("!Ref", lambda _loader, node: {"Ref": node.value})  # as `sam build` writes it


def main(built: Path) -> None:
    """Report on a built template."""
    layers = {name: size for name, size, _ in measure(built, "AWS::Serverless::LayerVersion", "ContentUri")}
    functions = measure(built, "AWS::Serverless::Function", "CodeUri")
    totals = {name: size + sum(layers[layer] for layer in used) for name, size, used in functions}
    for name, size in {**layers, **{name: size for name, size, _ in functions}}.items():
        print(f"{name:28}{size / MB:8.2f} MB")
    largest = max(totals, key=lambda name: totals[name])
    print(f"{largest + ' with its layers':28}{totals[largest] / MB:8.2f} MB of {LAMBDA_LIMIT_MB}")
    if totals[largest] / MB > OWN_LIMIT_MB:
        sys.exit(f"over {OWN_LIMIT_MB} MB")


def measure(built: Path, kind: str, key: str) -> list[tuple[str, int, list[str]]]:
    """Return the name, the size in bytes and the layers of each resource of a kind, also of those in nested stacks.

    Parameters of stacks are named as the layers that they are for.
    """
    template: dict[str, Any] = yaml.load(built.read_text(encoding="utf-8"), Loader=Loader)  # noqa: S506 - a SafeLoader
    common = template.get("Globals", {}).get("Function", {}).get("Layers", [])
    found: list[tuple[str, int, list[str]]] = []
    for name, body in template["Resources"].items():
        if body["Type"] == kind:
            properties = body["Properties"]
            files = (built.parent / properties[key]).rglob("*")
            size = sum(file.stat().st_size for file in files if file.is_file())
            found.append((name, size, [each["Ref"] for each in [*common, *properties.get("Layers", [])]]))
        elif body["Type"] == NESTED:
            found += measure(built.parent / body["Properties"]["Location"], kind, key)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".aws-sam/build/template.yaml"))
