"""References of expanded templates: those that lead nowhere, those that go in a circle, and parameters without one."""

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tests.support.expanded import ROOT_STACK, Stack, resolved
from tests.template.documents import Json, as_list

_PSEUDO = "AWS::"


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield what an expression refers to: the name, and the attribute, which is empty for a `Ref`."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key == "Ref":
            yield item, ""
        elif key == "Fn::GetAtt":
            name, attribute = item if isinstance(item, list) else item.split(".", 1)
            yield name, attribute
        elif key == "Fn::Sub":
            yield from _in_text(*(item if isinstance(item, list) else [item, {}]))
        else:
            yield from references(item)


def _in_text(text: str, own: Json) -> Iterator[tuple[str, str]]:
    for name in re.findall(r"\$\{([^!}][^}]*)\}", text):
        if name not in own:
            target, _, attribute = name.partition(".")
            yield target, attribute
    yield from references(own)


def faults(stacks: dict[str, Stack]) -> list[str]:
    """Find what CloudFormation would refuse about references, and parameters that nothing uses.

    Parameters
    ----------
    stacks
        What `translated` returns.

    Returns
    -------
    list of str
        One sentence for each fault; an empty list if there is none.
    """
    found = []
    outputs = {name: set(resolved(stack).get("Outputs", {})) for name, stack in stacks.items()}
    for name, stack in stacks.items():
        found += [f"{name}: {fault}" for fault in [*_unused(stack), *_dangling(stack), *_circles(stack)]]
        found += [f"{name}: {fault}" for fault in _not_put_out(stack, outputs if name == ROOT_STACK else {})]
    return found


def _unused(stack: Stack) -> list[str]:
    sections = [stack.template.get(key, {}) for key in ("Resources", "Outputs", "Conditions", "Rules")]
    used = {name for name, _ in references(sections)}
    return [f"nothing uses the parameter {name}" for name in stack.values if name not in used and "::" not in name]


def _dangling(stack: Stack) -> list[str]:
    template = resolved(stack)
    allowed = set(template["Resources"]) | set(stack.values)
    found = []
    for section in ("Resources", "Outputs"):
        for owner, body in template[section].items():
            missing = {name for name in _targets(body) if name not in allowed and not name.startswith(_PSEUDO)}
            found += [f"{owner} refers to {name}, which is not there" for name in sorted(missing)]
    return found


def _targets(body: Json) -> set[str]:
    return {name for name, _ in references(body)} | set(as_list(body.get("DependsOn", [])))


def _circles(stack: Stack) -> list[str]:
    graph = {name: _targets(body) for name, body in resolved(stack)["Resources"].items()}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return [f"the resources {' -> '.join(error.args[1])} need each other"]
    return []


def _not_put_out(stack: Stack, outputs: dict[str, set[str]]) -> list[str]:
    """References of the root to outputs that a nested stack does not have."""
    template = resolved(stack)
    found = []
    for name, attribute in references([template["Resources"], template["Outputs"]]):
        if name in outputs and attribute and attribute.removeprefix("Outputs.") not in outputs[name]:
            found.append(f"{name} has no output {attribute.removeprefix('Outputs.')}")
    return found
