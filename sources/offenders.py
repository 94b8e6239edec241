"""Which landed rows break a rule: the contract's row rules, evaluated in one pass, then its keys.

Works on a DuckDB connection with the view ``landed`` (``_row``: the row's place) and leaves the table
``quarantined``: one row for each offender, with the first rule it breaks and all reasons.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import duckdb

from sources.contract import SourceObject
from sources.conversions import literal
from sources.errors import DeliveryRefused, problem_line
from sources.parquet_files import parquet
from sources.quarantine import Spool
from sources.rules import Rule, known_keys, repeated_keys, row_rules

_REPEATED = "the primary key is that of an earlier row"
_KNOWN = "the primary key was delivered on an earlier business date"


def find_offenders(
    con: duckdb.DuckDBPyConnection,
    obj: SourceObject,
    business_date: dt.date,
    spool: Spool,
    history: Sequence[Path],
) -> int:
    """Make table ``quarantined`` (_row, field, rule, reason); returns its row count.

    Args:
        con: connection with the view ``landed``.
        obj: the object.
        business_date: what ``not_future`` and two-digit years are measured by.
        spool: troubles of readers, closed; those of readable rows count as offences.
        history: landed partitions of earlier business dates, for the keys of an append object.

    Raises:
        DeliveryRefused: the contract has a pattern that DuckDB cannot evaluate.
    """
    con.execute("create temp table offence (_row bigint, place integer, field varchar, rule varchar, reason varchar)")
    if spool.flawed:
        con.execute(
            f"insert into offence select _row, 0, field, rule, reason "
            f"from {parquet(spool.path)} as trouble "
            f"join landed on _source_file = source_file and _source_line = source_line where raw is null"
        ).fetchall()
    rules = row_rules(obj)
    if rules:
        _apply(con, obj, business_date, rules)
    if obj.primary_key:
        _add(con, obj, len(rules) + 1, _REPEATED, repeated_keys(obj, "landed", "offence"))
        if obj.delivery.mode == "append" and history:
            _add(con, obj, len(rules) + 2, _KNOWN, known_keys(obj, "landed", "offence", history))
    con.execute(
        """
        create temp table quarantined as
        select
            _row,
            arg_min(field, (place, field)) as field,
            arg_min(rule, (place, field)) as rule,
            case
                when count(*) = 1 then min(reason)
                else string_agg(concat(field || ': ', reason), '; ' order by place, field)
            end as reason
        from offence
        group by _row
        """
    ).fetchall()
    return int(con.execute("select count(*) from quarantined").fetchall()[0][0])


def _apply(con: duckdb.DuckDBPyConnection, obj: SourceObject, business_date: dt.date, rules: Sequence[Rule]) -> None:
    """Evaluate all row rules in one scan; each broken one is an offence."""
    con.execute("create temp table rule (place integer, field varchar, rule varchar, reason varchar)")
    con.executemany(
        "insert into rule values (?, ?, ?, ?)",
        [(place, rule.field, rule.name, rule.reason) for place, rule in enumerate(rules, 1)],
    )
    any_broken = " or ".join(rule.predicate for rule in rules)
    broken = ", ".join(f"case when {rule.predicate} then {place} end" for place, rule in enumerate(rules, 1))
    query = f"""
        insert into offence
        select _row, place, field, rule, reason
        from (select _row, unnest([{broken}]) as place from landed where {any_broken}) join rule using (place)
    """
    try:
        con.execute(query, {"business_date": business_date} if "$business_date" in query else None).fetchall()
    except duckdb.InvalidInputException as error:
        raise DeliveryRefused(
            problem_line(obj.system, obj.name, "", f"a pattern of the contract cannot be evaluated: {error}")
        ) from None


def _add(con: duckdb.DuckDBPyConnection, obj: SourceObject, place: int, reason: str, query: str) -> None:
    """Add the rows of a query (column ``_row``) as offences against the primary key."""
    con.execute(
        f"insert into offence select _row, {place}, {literal(', '.join(obj.primary_key))}, 'primaryKey', "
        f"{literal(reason)} from ({query})"
    ).fetchall()
