"""Customer ids that last: carried from night to night by overlap, never used twice, every change recorded.

An id follows the largest part of the records that bore it. Where several ids arrive at one cluster the oldest
lives and the others are retired into it; a part that breaks away gets a new id. A customer whose records all
vanished is reinstated under its old id when they return, unless they return into a customer that lives; an id that
was merged into another never returns. A new id is 'C', ten characters of the SHA-256 of (system, record_id, business
date of birth) of the cluster's first record in base 32 without I, L, O and U, and an ISO 7064 MOD 37,36 check
character.
"""

import datetime as dt
import hashlib
import logging
from collections.abc import Collection, Iterable

import duckdb
import pyarrow as pa
from stdnum.iso7064 import mod_37_36

from models.identity.customer_history import extend_history
from models.identity.decided import create_decided_events

log = logging.getLogger(__name__)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 10

_HISTORY_COLUMNS = "system varchar, record_id varchar, customer_id varchar, valid_from date, valid_to date"
_EVENT_COLUMNS = "customer_id varchar, business_date date, event varchar, related_customer_id varchar, cause varchar"

_CAUSES = {
    "birth": "no record of the cluster belongs to a customer already",
    "merge": "records of both customers are one cluster",
    "split": "records of the customer fell into several clusters",
    "retire": "no record of the customer is delivered any more",
    "reinstate": "records of the retired customer are delivered again",
}


def new_customer_ids(seeds: Iterable[tuple[str, str]], business_date: dt.date, issued: Collection[str]) -> list[str]:
    """Ids for new customers, one a seed record and in that order, none of them issued before.

    Args:
        seeds: (system, record_id) of each cluster's first record, in a fixed order: where two ids would
            collide the later seed takes the next one.
        business_date: The date on which the customers are born.
        issued: Every id ever issued.
    """
    taken = set(issued)
    found = []
    for system, record_id in seeds:
        attempt = 0
        while (customer_id := _candidate(system, record_id, business_date, attempt)) in taken:
            attempt += 1
        taken.add(customer_id)
        found.append(customer_id)
    return found


def _candidate(system: str, record_id: str, business_date: dt.date, attempt: int) -> str:
    parts = (system, record_id, business_date.isoformat(), *((str(attempt),) if attempt else ()))
    text = "\x1f".join(part.replace("\x1f", "\x1f\x1f") for part in parts)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> (64 - 5 * _LENGTH)
    characters = "".join(_ALPHABET[(number >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))
    return f"C{characters}{mod_37_36.calc_check_digit('C' + characters)}"


def assign_customers(con: duckdb.DuckDBPyConnection, business_date: dt.date) -> None:
    """Create the crosswalk, what this night did to ids, and the crosswalk's history up to it.

    Tables ``res.customer_record``, ``res.customer_event`` and ``res.customer_record_history``, the last with all that
    was before.

    Args:
        con: Connection with views ``identity.party_node``, ``cluster``, ``cluster_link`` and ``node_pair``; and,
            where there is an earlier night, ``previous.customer_record_history`` and ``previous.customer_event``, both
            with everything that happened before; and, where there are decisions, ``identity.decision`` and last
            night's ``previous.decision``.
        business_date: The night's date: ids born now carry it.
    """
    con.execute("create schema if not exists work")
    con.execute("create schema if not exists res")
    _load_previous(con)
    _create_members(con)
    _carry(con)
    _assign_new(con, business_date)
    _create_crosswalk(con)
    create_decided_events(con)
    _create_events(con, business_date)
    extend_history(con, business_date)
    rows = con.execute("select event, count(*) from res.customer_event group by 1 order by 1").fetchall()
    log.info("customers: %s", ", ".join(f"{count} {event}" for event, count in rows) or "nothing changed")
    for table in (
        *("history", "previous_event", "previous_record", "previous_customer"),
        *("member", "claim", "carried", "customer", "decided_event"),
    ):
        con.execute(f"drop table work.{table}")


def _load_previous(con: duckdb.DuckDBPyConnection) -> None:
    """What happened before: ``work.history``, each record's last customer, each id's life; empty on the first night."""
    present = {
        name
        for (name,) in con.execute(
            "select table_name from information_schema.tables where table_schema = 'previous'"
        ).fetchall()
    }
    for target, table, columns in (
        ("history", "customer_record_history", _HISTORY_COLUMNS),
        ("previous_event", "customer_event", _EVENT_COLUMNS),
    ):
        con.execute(f"create or replace table work.{target} ({columns})")
        if table in present:
            con.execute(f"insert into work.{target} by name select {_names(columns)} from previous.{table}")
    con.execute(
        """
        create or replace table work.previous_record as
        select
            system,
            record_id,
            arg_max(customer_id, valid_from) as customer_id,
            bool_or(valid_to is null) as was_delivered
        from work.history
        group by system, record_id
        """
    )
    con.execute(
        """
        create or replace table work.previous_customer as
        select
            customer_id,
            min(business_date) as birth_date,
            arg_max(event, business_date) not in ('merge', 'retire') as is_living,
            arg_max(event, business_date) = 'retire' as may_return
        from work.previous_event
        group by customer_id
        """
    )


def _names(columns: str) -> str:
    return ", ".join(column.split()[0] for column in columns.split(", "))


def _create_members(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """
        create or replace table work.member as
        select
            node.system,
            node.record_id,
            node.node_id,
            node.is_held_by_decision,
            cluster.cluster_no,
            before.customer_id as previous_id,
            before.was_delivered
        from identity.party_node as node
        inner join identity.cluster as cluster using (node_id)
        left join work.previous_record as before using (system, record_id)
        """
    )


def _carry(con: duckdb.DuckDBPyConnection) -> None:
    """Which id goes to which cluster (``work.carried``), from each id's claim on its largest part.

    Records of the night before count before records that return, and ids that live before ids that could return: who
    was there keeps what they had. An id returns to a cluster only where no living id goes.
    """
    con.execute(
        """
        create or replace table work.claim as
        with overlap as (
            select
                previous_id,
                cluster_no,
                count(*) filter (was_delivered) as delivered_records,
                count(*) as records,
                min(struct_pack(system := system, record_id := record_id)) as first_record
            from work.member
            where previous_id is not null
            group by previous_id, cluster_no
        )
        select overlap.*, before.birth_date, before.is_living
        from overlap
        inner join work.previous_customer as before on before.customer_id = overlap.previous_id
        where before.is_living or before.may_return
        """
    )
    con.execute(
        """
        create or replace table work.carried as
        with living as (
            select * from work.claim
            where is_living
            qualify row_number() over (
                partition by previous_id order by delivered_records desc, records desc, first_record
            ) = 1
        ),
        back as (
            select * from work.claim
            where not is_living and cluster_no not in (select cluster_no from living)
            qualify row_number() over (partition by previous_id order by records desc, first_record) = 1
        )
        select
            previous_id,
            cluster_no,
            is_living,
            row_number() over (partition by cluster_no order by birth_date, previous_id) = 1 as lives
        from (from living union all from back)
        """
    )


def _assign_new(con: duckdb.DuckDBPyConnection, business_date: dt.date) -> None:
    """Id of every cluster (``work.customer``), with the id that it broke away from if it is new."""
    rows = con.execute(
        """
        with seed as (
            select cluster_no, min(struct_pack(system := system, record_id := record_id)) as first
            from work.member
            where cluster_no not in (select cluster_no from work.carried)
            group by cluster_no
        )
        select cluster_no, first.system, first.record_id
        from seed
        order by first
        """
    ).fetchall()
    issued: set[str] = set()
    if rows:
        issued = {
            customer_id for (customer_id,) in con.execute("select customer_id from work.previous_customer").fetchall()
        }
    ids = new_customer_ids(((system, record_id) for _, system, record_id in rows), business_date, issued)
    con.register(
        "new_customer",
        pa.table(
            {
                "cluster_no": pa.array([cluster_no for cluster_no, _, _ in rows], pa.int64()),
                "customer_id": pa.array(ids, pa.string()),
            }
        ),
    )
    con.execute(
        """
        create or replace table work.customer as
        with origin as (
            select cluster_no, arg_max(previous_id, row(records, previous_id)) as origin_id
            from work.claim
            group by cluster_no
        )
        select cluster_no, previous_id as customer_id, false as is_new, null::varchar as origin_id
        from work.carried
        where lives
        union all
        select new.cluster_no, new.customer_id, true, origin.origin_id
        from new_customer as new
        left join origin using (cluster_no)
        """
    )
    con.unregister("new_customer")


def _create_crosswalk(con: duckdb.DuckDBPyConnection) -> None:
    """The crosswalk, and what joined each record to its customer.

    A customer's main node is the one with most records (ties: the smallest). Records of a main node of several
    are joined by their document; of the other nodes by the score of their best pair inside the cluster; those that no
    document joins to their node by a steward's decision.
    """
    con.execute(
        """
        create or replace table res.customer_record as
        with node as (
            select
                node_id,
                cluster_no,
                count(*) as records,
                sum(count(*)) over (partition by cluster_no) as cluster_records,
                row_number() over (partition by cluster_no order by count(*) desc, node_id) = 1 as is_main
            from work.member
            group by node_id, cluster_no
        ),
        inner_pair as (
            select pair.node_id_l, pair.node_id_r, pair.match_weight
            from (
                select node_id_l, node_id_r, match_weight from identity.node_pair
                union all
                select node_id_l, node_id_r, match_weight from identity.cluster_link
            ) as pair
            inner join node as l on l.node_id = pair.node_id_l
            inner join node as r on r.node_id = pair.node_id_r
            where l.cluster_no = r.cluster_no
        ),
        best as (
            select node_id, max(match_weight) as match_weight
            from (
                select node_id_l as node_id, match_weight from inner_pair
                union all
                select node_id_r, match_weight from inner_pair
            )
            group by node_id
        ),
        linked as (
            select
                node.node_id,
                case
                    when node.cluster_records = 1 then 'single'
                    when node.is_main and node.records > 1 then 'document'
                    else 'score'
                end as link_reason,
                best.match_weight
            from node
            left join best using (node_id)
        )
        select
            member.system,
            member.record_id,
            customer.customer_id,
            if(member.is_held_by_decision, 'steward', linked.link_reason) as link_reason,
            if(not member.is_held_by_decision and linked.link_reason = 'score', linked.match_weight, null)
                as match_weight
        from work.member as member
        inner join work.customer as customer using (cluster_no)
        inner join linked using (node_id)
        order by member.system, member.record_id
        """
    )


def _create_events(con: duckdb.DuckDBPyConnection, business_date: dt.date) -> None:
    """What this night did to ids, and why: a steward's decision where there is one."""
    causes = ", ".join(f"('{event}', '{cause}')" for event, cause in _CAUSES.items())
    con.execute(
        f"""
        create or replace table res.customer_event as
        with happened as (
            select customer_id, if(origin_id is null, 'birth', 'split') as event, origin_id as related_customer_id
            from work.customer
            where is_new
            union all
            select carried.previous_id, 'merge', customer.customer_id
            from work.carried as carried
            inner join work.customer as customer using (cluster_no)
            where carried.is_living and not carried.lives
            union all
            select previous_id, 'reinstate', null
            from work.carried
            where lives and not is_living
            union all
            select customer_id, 'retire', null
            from work.previous_customer
            where is_living and customer_id not in (select previous_id from work.claim)
        )
        select
            happened.customer_id,
            $date::date as business_date,
            happened.event,
            happened.related_customer_id,
            coalesce(decided.cause, reason.cause) as cause
        from happened
        inner join (values {causes}) as reason(event, cause) using (event)
        left join work.decided_event as decided
            on decided.event = happened.event
            and decided.customer_id = happened.customer_id
            and decided.related_customer_id = happened.related_customer_id
        order by customer_id, event, related_customer_id
        """,
        {"date": business_date},
    )
