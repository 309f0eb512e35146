"""Results of benches as files: JSON for programs, and a table for people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tests.bench.support.report import Row, shown


@dataclass(frozen=True)
class Results:
    """Rows of one version, the machine that they were measured on, and the date of the last of them (ISO 8601)."""

    version: str
    machine: str
    date: str
    rows: tuple[Row, ...]

    def of(self, bench: str) -> list[Row]:
        """Rows of a bench, in the order in which they were measured."""
        return [row for row in self.rows if row.bench == bench]

    def benches(self) -> list[str]:
        """Names of the benches that have rows."""
        return list(dict.fromkeys(row.bench for row in self.rows))

    def with_rows(self, rows: list[Row]) -> Results:
        """The same, in which other rows take the place of those of their benches."""
        again = {row.bench for row in rows}
        kept = tuple(row for row in self.rows if row.bench not in again)
        return Results(self.version, self.machine, self.date, kept + tuple(rows))


def row_of(fields_of_row: dict[str, object]) -> Row:
    """A row from its JSON object; other keys are left out."""
    names = {field.name for field in fields(Row)}
    return Row(**{name: value for name, value in fields_of_row.items() if name in names})  # type: ignore[arg-type]


def read_rows(path: Path) -> list[Row]:
    """Rows of a file with one JSON object per line, which `record` adds to."""
    return [row_of(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def read_results(path: Path) -> Results:
    """Results of a file."""
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = tuple(row_of(row) for row in found.pop("rows"))
    return Results(**found, rows=rows)


def write_results(results: Results, path: Path) -> None:
    """Write results as JSON, one row per line."""
    rows = [{name: rounded(value) for name, value in asdict(row).items()} for row in results.rows]
    lines = ",\n    ".join(json.dumps(row) for row in rows)
    about = {"version": results.version, "machine": results.machine, "date": results.date}
    text = json.dumps(about, indent=2).removesuffix("\n}") + f',\n  "rows": [\n    {lines}\n  ]\n}}\n'
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def as_page(results: Results) -> str:
    """All rows as tables in Markdown."""
    tables = "\n".join(f"## {bench}\n\n{table(results.of(bench))}" for bench in results.benches())
    return f"# Results of version {results.version}\n\n{results.machine}, {results.date}\n\n{tables}"


def rounded(value: object) -> object:
    """Four digits are enough to compare."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def table(rows: list[Row]) -> str:
    """A table in Markdown."""
    if not rows:
        return "Not measured for this version.\n"
    head = "| case | measure | Tessera | peers | times as good | limit | times the limit | goal |"
    lines = [head, "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *map(line, rows)]) + "\n"


def line(row: Row) -> str:
    """A row in Markdown."""
    peers = ", ".join(f"{name} {shown(value, row.unit)}" for name, value in row.peers.items())
    limit = "" if row.limit is None else shown(row.limit, row.unit)
    ratios = ["" if ratio is None else f"{ratio:.2g}x" for ratio in (row.peer_ratio, row.limit_ratio)]
    words = row.wanted.replace("value", "").replace("<=", "at most").replace(">=", "at least").strip()
    goal = f"{words}: {'met' if row.ok else '**missed**'}" if row.wanted else ""
    cells = [row.case, row.measure, shown(row.value, row.unit), peers, ratios[0], limit, ratios[1], goal]
    return f"| {' | '.join(cells)} |"
