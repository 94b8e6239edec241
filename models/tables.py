"""Table and column definitions: the one place that says what a table holds.

From these definitions come DDL, comments, expectations, the dictionary and Dagster's column schema.
A folder below ``models`` is a layer's room; a table is ``<table>.yaml`` in it, and where the table is
set-based also ``<table>.sql`` (one ``select``). Columns are defined once, in ``columns.yaml``; a table only
lists them. Reading partitions and running SQL is the warehouse's work, not this module's.
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlglot
import yaml
from sqlglot import exp

MODELS = Path(__file__).parent

PII_CLASSES = ("none", "C1", "C2", "C3")
REFERENCES = ("customer", "household")


class DefinitionError(ValueError):
    """One or more definitions are wrong; the message lists every mistake with its file."""


@dataclass(frozen=True)
class Column:
    """One column: DuckDB type, unit, meaning in two languages, PII class (JR/T 0171-2020), codes, whose id it is."""

    name: str
    type: str
    required: bool
    pii: str
    unit: str | None
    en: str
    zh: str
    values: tuple[str, ...] = ()
    refers_to: str | None = None


@dataclass(frozen=True)
class Table:
    """One table: layer, key, columns, and the ``select`` or the inputs it is made from.

    ``months_from``: where the ``select`` makes one month, ``$month`` (its first day), at a time: the parameter with the
    first of the months that it is run for, up to the business date's own; ``month`` leads the key.
    """

    layer: str
    name: str
    en: str
    zh: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    sql: str | None
    inputs: tuple[str, ...]
    published: bool
    months_from: str | None = None

    @property
    def id(self) -> str:
        """Layer and name, ``customer.customer``."""
        return f"{self.layer}.{self.name}"

    @property
    def canonical(self) -> bool:
        """Whether it is a canonical entity that contracts fill: its rows say which source row they come from."""
        return self.layer == "staging" and {"source_object", "source_line"} <= {c.name for c in self.columns}

    def column(self, name: str) -> Column:
        """Return the column of that name; KeyError if the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.id} has no column {name!r}")


def referenced_tables(sql: str) -> tuple[str, ...]:
    """Tables named ``schema.table`` in a DuckDB query, sorted; CTE names (no schema) are not tables."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return tuple(sorted({f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db}))


def load_tables(*folders: Path) -> dict[str, Table]:
    """Read every table definition below the folders (default: the models room), keyed ``layer.table``.

    Raises:
        DefinitionError: a column without a definition, a missing key column, an unknown setting; all at once.
    """
    return dict(_load(folders or (MODELS,)))


@cache
def _load(folders: tuple[Path, ...]) -> dict[str, Table]:
    mistakes: list[str] = []
    tables = {table.id: table for folder in folders for table in _read_folder(folder, mistakes)}
    if mistakes:
        raise DefinitionError("\n".join(mistakes))
    return tables


def _read_folder(folder: Path, mistakes: list[str]) -> Iterator[Table]:
    columns_file = folder / "columns.yaml"
    text = columns_file.read_text(encoding="utf-8")
    known = {name: _column(name, spec, columns_file, mistakes) for name, spec in yaml.safe_load(text).items()}
    names = Counter(re.findall(r"^(\w+):", text, re.MULTILINE))  # of two definitions YAML keeps the last
    mistakes.extend(f"{columns_file}: {name}: is defined {times} times" for name, times in names.items() if times > 1)
    for path in sorted(folder.rglob("*.yaml")):
        spec = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path != columns_file and isinstance(spec, dict) and "columns" in spec:
            yield _read_table(path, spec, known, mistakes)


def _column(name: str, spec: dict[str, Any], path: Path, mistakes: list[str]) -> Column:
    allowed = {"type", "pii", "unit", "en", "zh", "values", "refers_to"}
    mistakes.extend(f"{path}: {name}: unknown setting {extra!r}" for extra in sorted(set(spec) - allowed))
    for needed in ("type", "en", "zh"):
        if not spec.get(needed):
            mistakes.append(f"{path}: {name}: {needed!r} is missing")
    pii = spec.get("pii", "none")
    if pii not in PII_CLASSES:
        mistakes.append(f"{path}: {name}: pii {pii!r} is not one of {', '.join(PII_CLASSES)}")
    refers_to = spec.get("refers_to")
    if refers_to is not None and refers_to not in REFERENCES:
        mistakes.append(f"{path}: {name}: refers_to {refers_to!r} is not one of {', '.join(REFERENCES)}")
    return Column(
        name=name,
        type=spec.get("type", "varchar"),
        required=False,
        pii=pii,
        unit=spec.get("unit"),
        en=spec.get("en", ""),
        zh=spec.get("zh", ""),
        values=tuple(spec.get("values", ())),
        refers_to=refers_to,
    )


def _read_table(path: Path, spec: dict[str, Any], known: dict[str, Column], mistakes: list[str]) -> Table:
    """Build one table. In ``columns`` a name ending in ``*`` is required (not null)."""
    allowed = {"en", "zh", "key", "columns", "inputs", "published", "layer", "months_from"}
    mistakes.extend(f"{path}: unknown setting {extra!r}" for extra in sorted(set(spec) - allowed))
    mistakes.extend(f"{path}: {needed!r} is missing" for needed in ("en", "zh") if not spec.get(needed))
    columns = []
    for entry in spec["columns"]:
        name = entry.rstrip("*")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            mistakes.append(f"{path}: column {name!r} has no definition in columns.yaml{hint}")
            continue
        columns.append(_required(known[name]) if entry.endswith("*") else known[name])
    names = [column.name for column in columns]
    mistakes.extend(f"{path}: key column {k!r} is not a column" for k in spec["key"] if k not in names)
    mistakes.extend(f"{path}: column {n!r} is listed twice" for n in sorted({n for n in names if names.count(n) > 1}))
    if spec.get("months_from") and spec["key"][0] != "month":
        mistakes.append(f"{path}: months_from: 'month' must lead the key of a table made month by month")
    sql_path = path.with_suffix(".sql")
    sql = sql_path.read_text(encoding="utf-8") if sql_path.exists() else None
    return Table(
        layer=spec.get("layer", _layer_of(path.parent.name)),
        name=path.stem,
        en=spec.get("en", ""),
        zh=spec.get("zh", ""),
        key=tuple(spec["key"]),
        columns=tuple(columns),
        sql=sql,
        inputs=referenced_tables(sql) if sql else tuple(sorted(spec.get("inputs", ()))),
        published=bool(spec.get("published", False)),
        months_from=spec.get("months_from"),
    )


def _required(column: Column) -> Column:
    return Column(**{**column.__dict__, "required": True})


def _layer_of(folder: str) -> str:
    """The marts folder holds layer ``mart``; every other folder is named as its layer."""
    return "mart" if folder == "marts" else folder
