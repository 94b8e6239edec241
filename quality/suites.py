"""Suites: what must hold of each table, generated from contracts and table definitions, and written by hand.

A check is a Great Expectations expectation by name with its arguments; nothing here imports Great Expectations, which
takes seconds (``quality.gx`` does, when a suite is run). In a query ``{batch}`` stands for the suite's own table and
every other relation is named ``schema.table``. Checks return counts, never values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from models.tables import Table, referenced_tables
from sources.contract import Contract, Field, Latency, QualityCheck, SourceObject

CHECKS = Path(__file__).parent / "checks"

Severity = Literal["block", "warn"]

LINEAGE = ("_extra", "_source_file", "_source_line", "_record_hash", "_quarantine_id")

# tables of the past: their customer ids may have been retired since
_HISTORY = frozenset(
    {
        "customer.customer_event",
        "customer.customer_record_history",
        "customer.customer_history",
        "customer.retired_customer",
        "mart.coverage_history",
    }
)
# a query returns one 1 for each offending row, so that no value reaches Great Expectations
_OFFENDING = "select 1 as offending from"

_MUST_HAVE_ROWS = frozenset({"customer.customer", "customer.customer_record", "mart.customer_360"})
_CUSTOMER = "customer.customer"

_BLANKS = "e' \\t\\r\\n\u00a0\u3000'"
_WIDE, _NARROW = "０１２３４５６７８９－＋．，／：", "0123456789-+.,/:"
_TO_NARROW = str.maketrans(_WIDE, _NARROW)
_LIMITS = {"minimum": "<", "exclusiveMinimum": "<=", "maximum": ">", "exclusiveMaximum": ">="}
_LENGTHS = {"minLength": "<", "maxLength": ">"}
_COMPARISONS = {
    "mustBe": "value = {0}",
    "mustNotBe": "value <> {0}",
    "mustBeGreaterThan": "value > {0}",
    "mustBeGreaterOrEqualTo": "value >= {0}",
    "mustBeLessThan": "value < {0}",
    "mustBeLessOrEqualTo": "value <= {0}",
    "mustBeBetween": "value between {0} and {1}",
    "mustNotBeBetween": "value not between {0} and {1}",
}


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes:
        name: unique within the table.
        expectation: class name in ``great_expectations.expectations``.
        arguments: its arguments.
        severity: what a failure does: block the release, or warn.
        message: what the check demands, in words.
    """

    name: str
    expectation: str
    arguments: Mapping[str, Any]
    severity: Severity
    message: str

    @property
    def query(self) -> str | None:
        """The query that returns offending rows, if the check is one."""
        query = self.arguments.get("unexpected_rows_query")
        return None if query is None else str(query)


@dataclass(frozen=True)
class Suite:
    """All checks of one table (``schema.table``)."""

    table: str
    checks: tuple[Check, ...]

    @property
    def name(self) -> str:
        """The table's name in letters, digits and underscores."""
        return self.table.replace(".", "__")

    def offending(self, check: Check) -> str | None:
        """The query for whole offending rows of a check; None if it is about the table, not about rows."""
        given = check.arguments
        if check.query is not None:
            return check.query.replace(_OFFENDING, "select * from", 1).replace("{batch}", self.table)
        rows = f"select * from {self.table}"
        if key := given.get("column_list") or (
            [given["column"]] if check.expectation == "ExpectColumnValuesToBeUnique" else None
        ):
            return f"{rows} qualify count(*) over (partition by {', '.join(map(identifier, key))}) > 1"
        if "column" not in given:
            return None
        column = identifier(given["column"])
        if "value_set" in given:
            return f"{rows} where {column} not in ({', '.join(map(literal, given['value_set']))})"
        if "min_value" in given:
            return f"{rows} where {column} < {given['min_value']}"
        return f"{rows} where {column} is null"


class CheckFileError(ValueError):
    """Hand-written checks have mistakes; the message lists every one with its file."""


def night_suites(contracts: Iterable[Contract], tables: Mapping[str, Table]) -> list[Suite]:
    """Every suite of a night: landed objects, staging and published tables, and the hand-written checks."""
    landed = [landing_suite(contract, source) for contract in contracts for source in contract.objects]
    defined = [table_suite(table) for table in tables.values() if table.published or table.layer == "staging"]
    return merge([*landed, *defined, *handwritten_suites()])


def merge(suites: Iterable[Suite]) -> list[Suite]:
    """One suite for each table, with all its checks in the order given."""
    checks: dict[str, list[Check]] = {}
    for suite in suites:
        checks.setdefault(suite.table, []).extend(suite.checks)
    return [Suite(table, tuple(found)) for table, found in checks.items()]


def relations(suites: Iterable[Suite]) -> tuple[str, ...]:
    """Tables that the suites read, ``schema.table``, sorted: their own and those that their queries name."""
    found = set()
    for suite in suites:
        found.add(suite.table)
        for check in suite.checks:
            if check.query is not None:
                found.update(referenced_tables(check.query.replace("{batch}", suite.table)))
    return tuple(sorted(found))


# published and staging tables


def table_suite(table: Table) -> Suite:
    """What a table's definition demands: columns, key, required values, codes, counts, living customers."""
    checks = [
        Check(
            "columns",
            "ExpectTableColumnsToMatchSet",
            {"column_set": [column.name for column in table.columns], "exact_match": True},
            "block",
            "the table has exactly its defined columns",
        ),
        _unique(table.key, nullable=not all(table.column(name).required for name in table.key)),
    ]
    if table.id in _MUST_HAVE_ROWS:
        checks.append(_has_rows())
    for column in table.columns:
        if column.required:
            checks.append(
                Check(
                    f"required_{column.name}",
                    "ExpectColumnValuesToNotBeNull",
                    {"column": column.name},
                    "block",
                    f"every row has {column.name}",
                )
            )
        if column.values:
            checks.append(
                Check(
                    f"codes_{column.name}",
                    "ExpectColumnValuesToBeInSet",
                    {"column": column.name, "value_set": list(column.values)},
                    "block",
                    f"{column.name} is one of {', '.join(column.values)}",
                )
            )
        if column.name.endswith("_count"):
            checks.append(
                Check(
                    f"not_negative_{column.name}",
                    "ExpectColumnValuesToBeBetween",
                    {"column": column.name, "min_value": 0},
                    "block",
                    f"{column.name} is not negative",
                )
            )
    names = {column.name for column in table.columns}
    if table.layer != "staging" and "customer_id" in names and table.id not in {_CUSTOMER, *_HISTORY}:
        checks.append(
            _rows(
                "customer_exists",
                f"{_OFFENDING} {{batch}} where customer_id not in (select customer_id from {_CUSTOMER})",
                "every customer_id is a customer",
            )
        )
    return Suite(table.id, tuple(checks))


def _unique(key: tuple[str, ...], nullable: bool = False) -> Check:
    message = f"no two rows have the same {', '.join(key)}"
    if nullable:
        # the library never calls two empty values the same; in a key they are
        columns = ", ".join(identifier(name) for name in key)
        query = f"{_OFFENDING} {{batch}} qualify count(*) over (partition by {columns}) > 1"
        return _rows("key_unique", query, message)
    if len(key) == 1:
        return Check("key_unique", "ExpectColumnValuesToBeUnique", {"column": key[0]}, "block", message)
    arguments = {"column_list": list(key), "ignore_row_if": "never"}
    return Check("key_unique", "ExpectCompoundColumnsToBeUnique", arguments, "block", message)


def _has_rows() -> Check:
    return Check("has_rows", "ExpectTableRowCountToBeBetween", {"min_value": 1}, "block", "the table is not empty")


def rows_check(name: str, condition: str, message: str, severity: Severity) -> Check:
    """A check that no row of its table meets a condition."""
    return _rows(name, f"{_OFFENDING} {{batch}} where {condition}", message, severity)


def _rows(name: str, query: str, message: str, severity: Severity = "block") -> Check:
    return Check(name, "UnexpectedRowsExpectation", {"unexpected_rows_query": query}, severity, message)


# landed objects


def landing_suite(contract: Contract, source: SourceObject) -> Suite:
    """What a contract demands of the rows that landed; rows that broke a row rule are in quarantine by now."""
    delivered = f"meta.delivery where system = {literal(source.system)} and object = {literal(source.name)}"
    checks = [
        Check(
            "columns",
            "ExpectTableColumnsToMatchSet",
            {"column_set": [*(field.name for field in source.fields), *LINEAGE], "exact_match": True},
            "block",
            "the table has exactly the contract's fields and the columns of lineage",
        ),
        _rows(
            "rows_accounted",
            f"{_OFFENDING} (select max_by(landed_rows, business_date) as landed_rows from {delivered}) "
            "where landed_rows is distinct from (select count(*) from {batch})",
            "the rows are those that the delivery brought, less those in quarantine",
        ),
    ]
    if source.delivery.mode == "full":
        checks.append(_has_rows())
    if source.primary_key:
        checks.append(_unique(source.primary_key))
    for field in source.fields:
        checks += _field_checks(field, f"select max(business_date) from {delivered}")
    checks += [_quality(contract, check) for check in source.quality]
    checks += [_latency(source, one, f"select max(business_date) from {delivered}") for one in source.latencies]
    return Suite(f"landing.{source.table}", tuple(checks))


def _field_checks(field: Field, business_date: str) -> list[Check]:
    """Checks of one field's raw text; empty text is judged by ``required`` alone.

    Rows that a steward released from quarantine are judged by landing alone: of those a rule may be waived.
    """
    text = f"trim({identifier(field.name)}, {_BLANKS})"
    checks = []

    def demand(rule: str, wrong: str, message: str) -> None:
        query = f"{_OFFENDING} {{batch}} where _quarantine_id is null and {text} <> '' and ({wrong})"
        checks.append(_rows(f"{rule}_{field.name}", query, f"{field.name} {message}"))

    if field.required or field.primary_key:
        as_delivered = "" if field.primary_key else "_quarantine_id is null and "
        query = f"{_OFFENDING} {{batch}} where {as_delivered}coalesce({text}, '') = ''"
        checks.append(_rows(f"required_{field.name}", query, f"every row has {field.name}"))
    if field.tokenise or field.is_nested:
        return checks
    plain = plain_text(field.name)
    value = _value(field, plain)
    if value and field.on_invalid == "quarantine":
        whole = f" or {value} <> trunc({value})" if field.logical_type == "integer" else ""
        demand("type", f"{value} is null{whole}", f"is a {field.logical_type}")
    if pattern := field.options.get("pattern"):
        demand("pattern", f"not regexp_matches({text}, {literal(str(pattern))})", "has the contract's pattern")
    if field.enum:
        codes = ", ".join(literal(code.strip().lower().translate(_TO_NARROW)) for code in field.enum)
        demand("codes", f"lower({plain}) not in ({codes})", f"is one of {', '.join(field.enum)}")
    if value and field.logical_type in ("number", "integer") and not field.decimals:
        for option, beyond in _LIMITS.items():
            if (limit := field.options.get(option)) is not None:
                wrong = f"{value} {beyond} cast({literal(str(limit))} as decimal(38, 10))"
                demand(option, wrong, f"keeps the {option} {limit}")
    for option, beyond in _LENGTHS.items():
        if (limit := field.options.get(option)) is not None:
            demand(option, f"length({text}) {beyond} {int(limit)}", f"keeps the {option} {limit}")
    # a year of two digits has no century of its own: whether it is in the future is for the conversion to say
    if value and field.not_future and not any("%y" in form for form in field.formats):
        demand("not_future", f"{value} > ({business_date})", "is not after the business date")
    return checks


def plain_text(name: str) -> str:
    """SQL of a landed field's text without blanks around it and with narrow digits and signs."""
    return f"translate(trim({identifier(name)}, {_BLANKS}), '{_WIDE}', '{_NARROW}')"


def _latency(source: SourceObject, latency: Latency, business_date: str) -> Check:
    """The newest value is fresh; an object without rows, or without a date that can be read, says nothing."""
    field = source.find(latency.field)
    assert field is not None  # noqa: S101 - the contract is checked
    newest = f"select cast(max({_value(field, plain_text(field.name))}) as date) as newest from {{batch}}"
    return _rows(
        f"latency_{field.name}",
        f"{_OFFENDING} ({newest}) as batch where newest < ({business_date}) - {latency.days}",
        f"the newest {field.name} is at most {latency.days} days before the business date",
        "warn",
    )


def _value(field: Field, text: str) -> str | None:
    """SQL for the value that a text stands for, null if it stands for none; None where only the text is known.

    Written apart from landing's own rules, and never stricter: what passes there must pass here.
    """
    if field.logical_type in ("number", "integer"):
        unsigned = f"regexp_replace(replace({text}, ',', ''), '^(.*)([+-])$', '\\2\\1')"
        return f"try_cast({unsigned} as decimal(38, 10))"
    if field.logical_type in ("date", "timestamp") and field.formats and not any("%z" in f for f in field.formats):
        formats = ", ".join(literal(form) for form in field.formats)
        return f"cast(try_strptime({text}, [{formats}]) as {field.logical_type})"
    return None


def _quality(contract: Contract, check: QualityCheck) -> Check:
    """An ODCS rule of type sql; its query names objects of its system as they are named in the contract."""
    inputs = ", ".join(
        f"{identifier(source.name)} as (select * from {_relation(source)})" for source in contract.objects
    )
    limits = check.expected if isinstance(check.expected, list | tuple) else [check.expected]
    condition = _COMPARISONS[check.comparison].format(*(literal(str(limit)) for limit in limits))
    query = (
        f"with batch as (select * from {{batch}}), {inputs}, "
        f"measured as (select * from ({check.query.rstrip().rstrip(';')}\n) as measured(value)) "
        f"{_OFFENDING} measured where ({condition}) is not true"
    )
    severity: Severity = "warn" if check.severity in ("warning", "warn", "info") else "block"
    demanded = f"{check.comparison} {check.expected}"
    return _rows(check.name, query, f"{check.description or check.name} ({demanded})", severity)


def _relation(source: SourceObject) -> str:
    schema, _, name = source.relation.partition(".")
    return f"{identifier(schema)}.{identifier(name)}"


# hand-written checks


def handwritten_suites(folder: Path = CHECKS) -> list[Suite]:
    """Suites of the ``.sql`` files of a folder: each a select that returns offending rows.

    The first lines are comments: ``-- table:`` the table that the result is told of, ``-- severity:`` block or warn,
    ``-- message:`` what the check demands. The file's name is the check's.

    Raises:
        CheckFileError: a header is missing or unknown; all mistakes of all files at once.
    """
    mistakes: list[str] = []
    suites = [_read_check(path, mistakes) for path in sorted(folder.glob("*.sql"))]
    if mistakes:
        raise CheckFileError("\n".join(mistakes))
    return merge(suites)


def _read_check(path: Path, mistakes: list[str]) -> Suite:
    header: dict[str, str] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    body = list(lines)
    for line in lines:
        key, colon, value = line.removeprefix("--").partition(":")
        if not line.startswith("--") or not colon:
            break
        header[key.strip()] = value.strip()
        body = body[1:]
    for needed in ("table", "severity", "message"):
        if not header.get(needed):
            mistakes.append(f"{path}: the line '-- {needed}: ...' is missing at the top")
    mistakes.extend(f"{path}: unknown header {key!r}" for key in sorted(set(header) - {"table", "severity", "message"}))
    severity = header.get("severity")
    if severity not in (None, "", "block", "warn"):
        mistakes.append(f"{path}: severity {severity!r} is neither 'block' nor 'warn'")
    select = "\n".join(body).strip().rstrip(";")
    # the table's own rows are a relation too, so that Great Expectations sees which batch the check is about
    query = f"with batch as (select * from {{batch}}) {_OFFENDING} (\n{select}\n) as offending_rows"
    check = _rows(path.stem, query, header.get("message", ""), "warn" if severity == "warn" else "block")
    return Suite(header.get("table", ""), (check,))


def identifier(name: str) -> str:
    """A name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"
