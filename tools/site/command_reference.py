"""Writes the pages of the command line's reference, from the parser itself."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

WIDTH = 78
"""Columns of a usage line, whatever the terminal of the build has."""


def write_pages(parser: argparse.ArgumentParser, folder: Path) -> None:
    """Write a page for each subcommand of the parser, and the page of all of them.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    folder : Path
        Folder of the pages. It is made if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    groups = dict(subcommands(parser))
    for name, group in groups.items():
        (folder / f"{name}.md").write_text(page(group), encoding="utf-8")
    rows = [f"| [`{group.prog}`]({name}.md) | {_cell(_about(parser, name))} |" for name, group in groups.items()]
    contents = "```{toctree}\n:hidden:\n\n" + "\n".join(groups) + "\n```\n"
    table = ["| command | does |", "| --- | --- |", *rows]
    (folder / "index.md").write_text(
        "\n".join(["# Command line", "", *_described(parser), "", *table, "", contents]), encoding="utf-8"
    )


def subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Subcommands of a parser by name, each once."""
    seen: set[int] = set()
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to list them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - see above
            for name, each in action.choices.items():
                if id(each) not in seen:
                    seen.add(id(each))
                    yield name, each


def page(parser: argparse.ArgumentParser, level: int = 1) -> str:
    """Description, usage and arguments of a command, and of those below it."""
    below = [each for _, each in subcommands(parser)]
    lines = [f"{'#' * level} {parser.prog}", "", *_described(parser), ""]
    return "\n".join(lines) + "\n" + "\n".join(page(each, level + 1) for each in below)


def _about(parser: argparse.ArgumentParser, name: str) -> str:
    """The line that the help of a parser has about a subcommand."""
    for action in parser._actions:  # noqa: SLF001 - see above
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - see above
            for choice in action._choices_actions:  # noqa: SLF001 - see above
                if choice.dest == name:
                    return choice.help or ""
    return ""


def _described(parser: argparse.ArgumentParser) -> list[str]:
    formatter = argparse.HelpFormatter(prog=parser.prog, width=WIDTH)
    actions = [action for action in parser._actions if action.help != argparse.SUPPRESS]  # noqa: SLF001 - see above
    formatter.add_usage(parser.usage, actions, parser._mutually_exclusive_groups)  # noqa: SLF001 - see above
    lines = [_text(parser.description), "", "```text", formatter.format_help().strip(), "```", ""]
    rows = [_row(action, formatter) for action in actions if _is_listed(action)]
    lines += ["| argument | meaning |", "| --- | --- |", *rows, ""] if rows else []
    return [*lines, _text(parser.epilog)]


def _is_listed(action: argparse.Action) -> bool:
    """Whether an argument has a row: not the subcommands, and not the help that every command has."""
    return not isinstance(action, argparse._SubParsersAction | argparse._HelpAction)  # noqa: SLF001 - see above


def _text(text: str | None) -> str:
    """A description as a paragraph for each of its own, and its examples as they are."""
    blocks = (text or "").strip().split("\n\n")
    indented = [bool(re.match(r"\s{2,}", block)) for block in blocks]
    return "\n\n".join(
        f"```text\n{block}\n```" if code else _escaped(block) for block, code in zip(blocks, indented, strict=True)
    )


def _row(action: argparse.Action, formatter: argparse.HelpFormatter) -> str:
    names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{_value(action)}`"
    if action.option_strings and action.nargs != 0:
        names += f" `{_value(action)}`"
    about = formatter._expand_help(action) if action.help else ""  # noqa: SLF001 - see above
    return f"| {names} | {_cell(about)} |"


def _value(action: argparse.Action) -> str:
    if action.choices is not None and action.metavar is None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    shown = action.metavar or (action.dest.upper() if action.option_strings else action.dest)
    return " ".join(shown) if isinstance(shown, tuple) else str(shown)


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split())).replace("|", "\\|")


def _escaped(text: str) -> str:
    """Text in which Markdown changes nothing but what is in backticks."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_<>\[\]#$])", r"\\\1", part) for part in parts)
