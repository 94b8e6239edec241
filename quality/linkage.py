"""How well customers agree with the truth: pairwise and B-cubed measures, whole clusters, broken constraints.

Everything is computed from the contingency of customers and entities, never from pairs of records, so a million
records take seconds. Figures judge the records that both sides know; how many only one side knows is said.
"""

from typing import Any

import duckdb
import pyarrow as pa

_KEY = ("system", "record_id")


def evaluate(crosswalk: pa.Table, truth: pa.Table, documents: pa.Table | None = None) -> dict[str, Any]:
    """Judge a crosswalk against known entities.

    Args:
        crosswalk: Columns ``system, record_id, customer_id``.
        truth: Columns ``system, record_id, entity_id``.
        documents: Columns ``system, record_id, document_type, document_number, is_strong``; only strong ones
            count. Without it constraint violations are not counted (None).

    Returns:
        Counts and shares, ready for JSON. A share of nothing is 1: where no pair was made, none was wrong.

    Raises:
        ValueError: a column is missing, a key is empty, or a record occurs twice on one side.
    """
    con = duckdb.connect()
    try:
        con.execute("set TimeZone = 'UTC'")
        _load(con, "crosswalk", crosswalk, "customer_id")
        _load(con, "truth", truth, "entity_id")
        con.execute(
            """
            create table cell as
            select customer_id, entity_id, count(*) as records
            from crosswalk
            inner join truth using (system, record_id)
            group by customer_id, entity_id
            """
        )
        return {
            **_counts(con),
            "pairwise": _pairwise(con),
            "b_cubed": _b_cubed(con),
            **_clusters(con),
            "constraint_violations": None if documents is None else _violations(con, documents),
        }
    finally:
        con.close()


def _load(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table, label: str) -> None:
    wanted = (*_KEY, label)
    if missing := [column for column in wanted if column not in table.column_names]:
        raise ValueError(f"{name}: column {', '.join(missing)} is missing; needed are {', '.join(wanted)}")
    con.register("incoming", table)
    columns = ", ".join(f"cast({column} as varchar) as {column}" for column in wanted)
    con.execute(f"create table {name} as select {columns} from incoming")
    con.unregister("incoming")
    empty = " or ".join(f"{column} is null" for column in wanted)
    empties, repeated = con.execute(
        f"select count(*) filter (where {empty}), count(*) - count(distinct (system, record_id)) from {name}"
    ).fetchall()[0]
    if empties:
        raise ValueError(f"{name}: {empties} rows lack {' or '.join(wanted)}")
    if repeated:
        raise ValueError(f"{name}: {repeated} rows repeat a record (system, record_id)")


def _counts(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return {
        "records": _number(con, "select coalesce(sum(records), 0) from cell"),
        "records_only_in_crosswalk": _number(
            con, "select count(*) from crosswalk anti join truth using (system, record_id)"
        ),
        "records_only_in_truth": _number(
            con, "select count(*) from truth anti join crosswalk using (system, record_id)"
        ),
        "customers": _number(con, "select count(distinct customer_id) from cell"),
        "entities": _number(con, "select count(distinct entity_id) from cell"),
    }


def _pairwise(con: duckdb.DuckDBPyConnection) -> dict[str, float | int]:
    pairs = "coalesce(sum(records * (records - 1) // 2), 0)"
    right = _number(con, f"select {pairs} from cell")
    made = _number(con, f"select {pairs} from (select sum(records)::bigint as records from cell group by customer_id)")
    true = _number(con, f"select {pairs} from (select sum(records)::bigint as records from cell group by entity_id)")
    return {**_measures(right, made, right, true), "right_pairs": right, "made_pairs": made, "true_pairs": true}


def _b_cubed(con: duckdb.DuckDBPyConnection) -> dict[str, float | int]:
    """A record's precision is the share of its customer that is its entity; recall the other way round."""
    right_by_customer, right_by_entity, records = con.execute(
        """
        with sized as (
            select
                records,
                sum(records) over (partition by customer_id) as customer_records,
                sum(records) over (partition by entity_id) as entity_records
            from cell
        )
        select
            coalesce(sum(records * records / customer_records order by records, customer_records), 0),
            coalesce(sum(records * records / entity_records order by records, entity_records), 0),
            coalesce(sum(records), 0)
        from sized
        """
    ).fetchall()[0]
    return _measures(float(right_by_customer), float(records), float(right_by_entity), float(records))


def _measures(right_made: float, made: float, right_true: float, true: float) -> dict[str, float | int]:
    precision = right_made / made if made else 1.0
    recall = right_true / true if true else 1.0
    total = precision + recall
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / total if total else 0.0}


def _clusters(con: duckdb.DuckDBPyConnection) -> dict[str, float | int]:
    over = _number(con, "select count(*) from (select customer_id from cell group by customer_id having count(*) > 1)")
    under = _number(con, "select count(*) from (select entity_id from cell group by entity_id having count(*) > 1)")
    largest = _number(
        con, "select coalesce(max(records), 0) from (select sum(records) as records from cell group by customer_id)"
    )
    exact = _number(
        con,
        """
        select count(*)
        from cell
        where customer_id in (select customer_id from cell group by customer_id having count(*) = 1)
            and entity_id in (select entity_id from cell group by entity_id having count(*) = 1)
        """,
    )
    entities = _number(con, "select count(distinct entity_id) from cell")
    return {
        "exact_clusters": exact,
        "exact_cluster_share": exact / entities if entities else 1.0,
        "over_merged_customers": over,
        "largest_customer": largest,
        "under_merged_entities": under,
    }


def _violations(con: duckdb.DuckDBPyConnection, documents: pa.Table) -> int:
    """Customers with two different valid strong documents of one type; all records of the crosswalk count."""
    con.register("document", documents)
    return _number(
        con,
        """
        select count(distinct customer_id)
        from (
            select crosswalk.customer_id
            from crosswalk
            inner join document using (system, record_id)
            where document.is_strong
            group by crosswalk.customer_id, document.document_type
            having count(distinct document.document_number) > 1
        )
        """,
    )


def _number(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(con.execute(sql).fetchall()[0][0])
