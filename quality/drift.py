"""Drift: how a night's data differs from the release before it, and what of it does not hold up by itself.

Every staging table (by the object that filled it) and every published table is put into bins, column by column, on a
sample of its rows; the bins are kept in the release, so that the next night has something to compare with. A bin
names a code only of columns without personal information; of all others it says a magnitude, an age, or that there
is a value. What is compared, and how far a night may go, is listed in ``MEASURES``; the bank's ``bank.yaml`` sets its
own bounds. Bounds are shares and ratios, never counts.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from models.tables import Column, Table, referenced_tables
from quality.suites import Severity, Suite, identifier, literal, plain_text, rows_check
from sources.contract import Contract, SourceObject

HEALTH = (Path(__file__).parent / "health.sql").read_text(encoding="utf-8")
PREVIOUS = "previous"
"""Catalogue of the release that a night is compared with."""
RELEASE = "release"
"""Origin of the rows of published tables; those of staging have their ``system.object``."""

SAMPLE_ROWS = 200_000
ENOUGH_ROWS = 200
"""Below so many rows shares say little: with 10 bins the index of two equal samples of 200 is about 0.09."""
MOST_CODES = 50

EMPTY, FILLED = "(empty)", "(filled)"

Distance = Literal["ratio", "difference", "growth", "itself", "appeared"]


@dataclass(frozen=True)
class Measure:
    """What is compared with the release before.

    Attributes:
        name: as in ``meta.drift``.
        distance: ratio: share by which the value grew or shrank; difference: absolute; growth: the difference where
            it grew; itself: the value is a distance already; appeared: 1 where the release before did not have it.
        message: what is demanded, in words.
        warn_above: distance that is warned of.
        block_above: distance that blocks the release, if any does.
        blocks: whether only a value that became less blocks.
    """

    name: str
    distance: Distance
    message: str
    warn_above: float
    block_above: float | None = None
    blocks: Literal["either", "less"] = "either"


MEASURES = (
    Measure("source_rows", "ratio", "no source's rows of an entity become many more or fewer", 0.2, 0.5, "less"),
    Measure("table_rows", "ratio", "no published table grows or shrinks beyond the bound", 0.5),
    Measure("filled", "difference", "no column is filled much more or less often", 0.05),
    # 0.25 is the usual bound of the population stability index (Siddiqi, Credit Risk Scorecards, 2006)
    Measure(
        "distribution", "itself", "no column's values are distributed otherwise (population stability index)", 0.25
    ),
    Measure("unfit", "growth", "no more values than before cannot be converted", 0.02),
    Measure("retyped", "itself", "most values of a field are of the type that the contract gives", 0.2, 0.5),
    Measure("unknown_column", "appeared", "no source delivers a column that its contract does not name", 0),
    Measure("unknown_code", "appeared", "no source delivers a code that its contract does not name", 0),
    Measure("records_per_customer", "ratio", "records fall together as often as before", 0.02, 0.1),
    Measure("largest_customer", "ratio", "the largest customer does not grow beyond the bound", 1, 4),
    Measure("changed_customers", "itself", "few customers are merged or split in one night", 0.01, 0.1),
    Measure("review_queue", "growth", "the queue for stewards does not grow beyond the bound", 0.01),
    Measure("valid_documents", "difference", "as many documents pass their checksum as before", 0.05),
)


class Bound(BaseModel):
    """Distances from which a measure warns and blocks; ``block: null`` never blocks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warn: float = Field(ge=0)
    block: float | None = Field(None, ge=0)


def drift_suite() -> Suite:
    """Two checks of ``meta.drift`` for each measure: what is beyond its bound warns, or blocks."""
    verdicts: tuple[Severity, ...] = ("warn", "block")
    return Suite(
        "meta.drift",
        tuple(
            rows_check(
                f"drift_{one.name}{'_blocks' if verdict == 'block' else ''}",
                f"drift_measure = '{one.name}' and drift_verdict = '{verdict}'",
                one.message,
                verdict,
            )
            for one in MEASURES
            for verdict in verdicts
        ),
    )


def measured_relations(tables: Mapping[str, Table], contracts: Iterable[Contract]) -> set[str]:
    """Relations (``schema.table``) that ``measure`` reads."""
    landed = {f"landing.{source.table}" for contract in contracts for source in contract.objects}
    return {*_binned(tables), *landed, *referenced_tables(HEALTH), "staging.conversion_loss"}


def measure(
    con: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Table],
    contracts: Iterable[Contract],
    bounds: Mapping[str, Bound],
    business_date: dt.date,
) -> dict[str, pa.Table]:
    """Measure a night and compare it.

    Args:
        con: connection in which every relation of ``measured_relations`` that there is has a view, and where the
            release of an earlier date is attached as ``previous``; without it nothing is compared, and only what does
            not hold up by itself is found.
        tables: table definitions.
        contracts: the bank's.
        bounds: the bank's own, by measure.
        business_date: the night's.

    Returns:
        The rows of ``meta.distribution`` (table_name, origin, column_name, bin, sampled_row_count) and ``meta.drift``
        (drift_measure, table_name, origin, column_name, detail, measured, previous_measured, distance, warn_above,
        block_above, drift_verdict), which are also there as tables in the connection.
    """
    known = {f"{s}.{t}" for s, t in con.execute("select schema_name, view_name from duckdb_views()").fetchall()}
    con.execute(
        "create temp table distribution (table_name varchar, origin varchar, column_name varchar, bin varchar, "
        "sampled_row_count bigint)"
    )
    con.execute(
        "create temp table figure (drift_measure varchar, table_name varchar, origin varchar, column_name varchar, "
        "detail varchar, measured double)"
    )
    for name, table in _binned(tables).items():
        if name in known:
            _bin(con, table, business_date)
    for contract in contracts:
        for source in contract.objects:
            if f"landing.{source.table}" in known:
                for select in _source_form(source):
                    con.execute(f"insert into figure {select}")
    con.execute(_FILLED)
    if "staging.conversion_loss" in known:
        con.execute(_UNFIT)
    con.execute(f"insert into figure {HEALTH}", {"business_date": business_date, "enough": ENOUGH_ROWS})
    _compare(con, bounds)
    found = {name: con.execute(f"from meta.{name} order by all").to_arrow_table() for name in ("distribution", "drift")}
    return {f"meta.{name}": rows for name, rows in found.items()}


# bins


def _binned(tables: Mapping[str, Table]) -> dict[str, Table]:
    return {
        name: table
        for name, table in tables.items()
        if table.canonical or (table.published and table.layer in ("customer", "mart"))
    }


def _bin(con: duckdb.DuckDBPyConnection, table: Table, business_date: dt.date) -> None:
    """Count a table's rows, and on a sample of them the bins of its columns.

    The sample goes by the key, so that both nights look at the same rows.
    """
    relation = f'"{table.layer}"."{table.name}"'
    origin = "system || '.' || source_object" if table.canonical else f"'{RELEASE}'"
    con.execute(
        f"insert into figure select ?, ?, {origin} as origin, '', '', count(*) from {relation} group by origin",
        ["source_rows" if table.canonical else "table_rows", table.id],
    )
    columns = [column for column in table.columns if column.name not in ("source_object", "source_line")]
    bins = ", ".join(f"{_bin_of(column)} as {identifier(column.name)}" for column in columns)
    key = ", ".join(identifier(name) for name in table.key)
    con.execute(
        f"""
        insert into distribution
        with size as (select greatest(1, count(*) // {SAMPLE_ROWS}) as every from {relation}),
        sampled as (
            select {origin} as "(origin)", {bins} from {relation}
            where hash({key}) % (select every from size) = 0
        ),
        counted as (
            select "(origin)" as origin, column_name, bin, count(*) as row_count
            from (unpivot sampled on columns(* exclude ("(origin)")) into name column_name value bin)
            group by all
        )
        select $table_name, origin, column_name, if(many and bin <> '{EMPTY}', '{FILLED}', bin) as bin, sum(row_count)
        from (select *, count(*) over (partition by origin, column_name) > {MOST_CODES} as many from counted)
        group by all
        """,
        {"table_name": table.id} | ({"business_date": business_date} if "$business_date" in bins else {}),
    )


def _bin_of(column: Column) -> str:
    """SQL of a column's bin, never null."""
    name = identifier(column.name)
    base = column.type.lower().partition("(")[0]
    if base in ("decimal", "double", "bigint", "integer", "float"):
        magnitude = f"try_cast(floor(log10(abs({name})::double)) as integer)"  # none of infinity
        value = f"case when {name} = 0 then '0' else if({name} < 0, '-1e', '1e') || {magnitude} end"
    elif base in ("date", "timestamp"):
        age = f"date_diff('day', cast({name} as date), $business_date)"
        ages = " ".join(f"when {age} <= {days} then '{said}'" for said, days in _AGES.items())
        value = f"case when {age} < 0 then 'after the business date' {ages} when {name} is not null then 'older' end"
    elif base == "boolean" or (base == "varchar" and column.pii == "none"):
        value = f"cast({name} as varchar)"
    else:
        value = f"if({name} is not null, '{FILLED}', null)"
    return f"coalesce({value}, '{EMPTY}')"


_AGES = {"a month": 31, "a year": 366, "5 years": 1827, "20 years": 7305, "50 years": 18263}


# figures

# what of a column is filled
_FILLED = f"""
insert into figure
select
    'filled', table_name, origin, column_name, '',
    coalesce(sum(sampled_row_count) filter (where bin <> '{EMPTY}'), 0) / sum(sampled_row_count)
from distribution
group by all
having sum(sampled_row_count) >= {ENOUGH_ROWS}
"""

# of the values that a source gives for a column, the share that could not be converted
_UNFIT = f"""
insert into figure
with kept as (
    select share.table_name, share.origin, share.column_name, share.measured * size.measured as value_count
    from figure as share
    inner join figure as size using (table_name, origin)
    where share.drift_measure = 'filled' and size.drift_measure = 'source_rows'
),
lost as (
    select
        'staging.' || entity as table_name, system || '.' || source_object as origin, column_name,
        lost_count as value_count
    from staging.conversion_loss
)
select
    unnest(['unfit', 'retyped']), table_name, origin, column_name, '',
    lost.value_count / (lost.value_count + coalesce(kept.value_count, 0))
from lost
left join kept using (table_name, origin, column_name)
where lost.value_count + coalesce(kept.value_count, 0) >= {ENOUGH_ROWS}
"""


def _source_form(source: SourceObject) -> Iterator[str]:
    """Selects of what a landed object holds that its contract does not know: columns, and codes by field.

    A code is named only where the contract says that the field holds no personal information.
    """
    landed = f"landing.{identifier(source.table)}"
    named = f"'{landed.replace(chr(34), '')}', '{source.system}.{source.name}'"
    yield (
        f"select 'unknown_column', {named}, extra.name, '', count(*) "
        f"from (select unnest(json_keys(_extra)) as name from {landed} where json_type(_extra) = 'OBJECT') as extra "
        "group by extra.name"
    )
    for name, codes in _codes(source).items():
        field = source.find(name)
        if field is None or field.is_nested:
            continue
        listed = ", ".join(literal(code) for code in sorted(codes))
        text = f"lower({plain_text(name)})"
        detail = plain_text(name) if field.classification == "none" else "'not shown: personal information'"
        yield (
            f"select 'unknown_code', {named}, '{name}', {detail} as detail, count(*) "
            f"from {landed} where {text} <> '' and {text} not in ({listed}) "
            f"group by detail order by count(*) desc, detail limit {MOST_CODES}"
        )


def _codes(source: SourceObject) -> dict[str, set[str]]:
    """Codes that a contract knows, by field, as they are spelt in small letters."""
    known: dict[str, set[str]] = {}
    for fill in source.fills:
        for expression in fill.columns.values():
            if expression.path and expression.codes:
                known.setdefault(expression.path, set()).update(code.strip().lower() for code in expression.codes)
    return known


# comparison


def _compare(con: duckdb.DuckDBPyConnection, bounds: Mapping[str, Bound]) -> None:
    """Make ``meta.distribution`` and ``meta.drift`` in the connection."""
    con.execute("create schema if not exists meta")
    for name in ("distribution", "drift"):
        con.execute(f"drop view if exists meta.{name}")
    con.execute("create table meta.distribution as from temp.distribution")
    before = {name: _before(con, name) for name in ("distribution", "drift")}
    con.execute(f"insert into figure {_STABILITY.format(previous=before['distribution'], enough=ENOUGH_ROWS)}")
    con.execute(
        "create temp table bound (drift_measure varchar, distance varchar, warn_above double, block_above double, "
        "blocks varchar)"
    )
    for one in MEASURES:
        own = bounds.get(one.name) or Bound(warn=one.warn_above, block=one.block_above)
        con.execute(
            "insert into bound values (?, ?, ?, ?, ?)", [one.name, one.distance, own.warn, own.block, one.blocks]
        )
    con.execute(_DRIFT.format(previous=before["drift"], enough=ENOUGH_ROWS))


def _before(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """The table of the release before; an empty one where there is none, or one of another version's columns."""
    now = "temp.distribution" if name == "distribution" else "temp.figure"
    wanted = [column for column, *_ in con.execute(f"describe {now}").fetchall()]
    there = con.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = 'meta' and table_name = ?",
        [PREVIOUS, name],
    ).fetchall()
    return f"{PREVIOUS}.meta.{name}" if set(wanted) <= {column for (column,) in there} else f"(from {now} where false)"


# population stability index: sum of (p - q) ln(p / q) over the bins; a bin that one night lacks counts as 0.01 %
_STABILITY = """
with both_nights as (
    select table_name, origin, column_name, bin, now.sampled_row_count as now_count, old.sampled_row_count as old_count
    from temp.distribution as now
    full join {previous} as old using (table_name, origin, column_name, bin)
),
share as (
    select
        table_name, origin, column_name,
        greatest(coalesce(now_count, 0) / sum(now_count) over whole, 0.0001) as p,
        greatest(coalesce(old_count, 0) / sum(old_count) over whole, 0.0001) as q,
        coalesce(sum(now_count) over whole, 0) as now_rows,
        coalesce(sum(old_count) over whole, 0) as old_rows
    from both_nights
    window whole as (partition by table_name, origin, column_name)
)
select 'distribution', table_name, origin, column_name, '', sum((p - q) * ln(p / q) order by p, q)
from share
where least(now_rows, old_rows) >= {enough}
group by table_name, origin, column_name
"""

# what a night before had and this one has not is found too: its rows are 0
_DRIFT = """
create table meta.drift as
with compared as (
    select
        drift_measure, table_name, origin, column_name, detail, bound.warn_above, bound.block_above, bound.blocks,
        coalesce(now.measured, 0) as measured,
        old.measured as previous_measured,
        case bound.distance
            when 'itself' then now.measured
            when 'appeared' then if(old.measured is null, 1, 0)
            when 'growth' then greatest(now.measured - coalesce(old.measured, 0), 0)
            when 'difference' then abs(now.measured - old.measured)
            else abs(coalesce(now.measured, 0) / nullif(old.measured, 0) - 1)
        end as distance
    from figure as now
    full join {previous} as old using (drift_measure, table_name, origin, column_name, detail)
    inner join bound using (drift_measure)
    where now.measured is not null or drift_measure in ('source_rows', 'table_rows')
),
judged as (
    select
        *,
        -- a table of a few rows doubles every day
        drift_measure not in ('source_rows', 'table_rows')
        or greatest(measured, previous_measured) >= {enough} as is_judged
    from compared
)
select
    drift_measure, table_name, origin, column_name, detail, measured, previous_measured, distance,
    warn_above, block_above,
    case
        when not is_judged then 'ok'
        when distance > block_above and (blocks = 'either' or measured < previous_measured) then 'block'
        when distance > warn_above then 'warn'
        else 'ok'
    end as drift_verdict
from judged
"""
