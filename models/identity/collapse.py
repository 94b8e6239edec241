"""Collapse: records that carry the same valid strong document and fit each other are one node, without scoring.

Fitting means that the names agree or may be variants of each other, or that birth date and part of the name
agree. One valid number on parties that do not fit (a relative's id, a number given twice) joins nothing: the
pair is scored later, kept apart and listed for review. A chain of documents never brings two different valid
documents of one type together.

A steward's decision stands above the documents: records decided to be the same are one node whatever they carry,
records decided to be different are in two.
"""

import logging

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.identity.constrained import Integers, connected_components, group_under_constraints
from models.identity.decided import bonds
from models.identity.evidence import birth_and_sex_constraint, document_constraints, wanted
from models.identity.settings import MatchingSettings

log = logging.getLogger(__name__)

# Names fit when one is missing or masked, when they are equal in any writing, or when they may be variants: one
# character off, the order swapped, a part left out. Conditions have names so that a link can say why it was made.
_NAMES_FIT = {
    "name_equal": "l.name_standard = r.name_standard",
    "name_same_sound": "l.name_latin = r.name_latin",
    "name_swapped": "l.name_sorted = r.name_sorted or l.latin_sorted = r.latin_sorted",
    "name_one_character": "list_has_any(l.name_open, r.name_open)",
    "name_part": "list_has_all(l.latin_tokens, r.latin_tokens) or list_has_all(r.latin_tokens, l.latin_tokens)",
    "name_alike": "jaro_winkler_similarity(l.name_latin, r.name_latin) >= 0.94",
    "other_name": "list_has_any(l.other_names, r.other_names)",
    "name_missing": "l.name_standard is null or r.name_standard is null",
}
_CORES_FIT = {
    "core_equal": "l.name_core = r.name_core",
    "core_part": "contains(l.name_core, r.name_core) or contains(r.name_core, l.name_core)",
    "core_words": """len(list_intersect(l.core_tokens, r.core_tokens))
        >= 0.6 * least(len(l.core_tokens), len(r.core_tokens))""",
}
_DATES_FIT = {
    "birth_date_equal": "l.birth_date = r.birth_date",
    "birth_date_near": "damerau_levenshtein(l.birth_digits, r.birth_digits) <= 1",
    "birth_date_missing": "l.birth_date is null or r.birth_date is null",
}
_PART_OF_NAME = {"surname_equal": "l.surname = r.surname", "given_name_equal": "l.given_name = r.given_name"}


def _any(*conditions: dict[str, str]) -> str:
    return "(" + " or ".join(f"({c})" for named in conditions for c in named.values()) + ")"


# What the shared document itself says of its bearer proves nothing of who carries it: a child with a parent's id.
_PERSONS_FIT = f"""(
    ({_any(_NAMES_FIT)} and (
        {_any(_DATES_FIT)} or l.name_standard = r.name_standard or l.name_latin = r.name_latin
    ))
    or (
        {_any(_PART_OF_NAME)} and l.birth_date = r.birth_date and l.sex is not distinct from r.sex
        and l.birth_date_is_told and r.birth_date_is_told
    )
)"""
_ORGANISATIONS_FIT = f"(coalesce(l.branch_suffix = r.branch_suffix, true) and {_any(_NAMES_FIT, _CORES_FIT)})"
_FIT = f"case l.party_type when 'person' then {_PERSONS_FIT} else {_ORGANISATIONS_FIT} end"

# Every reason that a link by document may give.
FITS = tuple({**_NAMES_FIT, **_CORES_FIT, **_PART_OF_NAME, **_DATES_FIT})


def collapse(con: duckdb.DuckDBPyConnection, settings: MatchingSettings) -> None:
    """Create ``res.party_node``: every party record in exactly one node, and whether only a decision holds it there.

    Columns: system, record_id, node_id, is_held_by_decision. Nodes are numbered from 1 in the order of their smallest
    (system, record_id), so the order of the input changes nothing.

    Args:
        con: Connection with views ``identity.party_standard``, ``party_name`` and ``party_document``, and
            ``identity.decision`` where there are decisions.
        settings: The bank's matching settings.
    """
    con.execute("create schema if not exists work")
    con.execute("create schema if not exists res")
    _number_records(con)
    decided = bonds(con, "select record_no as thing, system, record_id from work.record")
    _compatible_edges(con, decided.touched)
    count = _one(con, "select count(*) from work.record")
    edges = con.execute("select one, other from work.collapse_edge order by one, other").fetchnumpy()
    constraints = document_constraints(
        con, "select record_no as thing, document_type, document_number from work.strong_record"
    )
    if wanted(settings, "birth_date_and_sex"):
        constraints += (
            birth_and_sex_constraint(
                con,
                "select record_no as thing, birth_date from work.record where birth_date is not null",
                "select record_no as thing, sex from work.record where sex is not null",
            ),
        )
    left, right = (np.asarray(edges[side], dtype=np.int64) for side in ("one", "other"))
    grouping = group_under_constraints(
        count, left, right, np.zeros(len(left)), (decided.apart, *constraints), decided.joined
    )
    node_of = np.unique(grouping.group, return_inverse=True)[1] + 1
    inside = grouping.group[left] == grouping.group[right]
    by_document = connected_components(count, left[inside], right[inside])
    held = _held_by_decision(node_of, by_document, np.concatenate(decided.joined))
    nodes = pa.table({"record_no": np.arange(count), "node_id": node_of, "is_held_by_decision": held})
    con.register("work_record_node", nodes)
    con.execute(
        """
        create or replace table res.party_node as
        select system, record_id, node_id, is_held_by_decision
        from work.record
        inner join work_record_node using (record_no)
        order by system, record_id
        """
    )
    con.unregister("work_record_node")
    log.info(
        "collapse: %d records, %d nodes, %d unions refused", count, int(node_of.max(initial=0)), len(grouping.refused)
    )
    for table in ("record", "strong_record", "collapse_edge"):
        con.execute(f"drop table work.{table}")


def document_links(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, str, str, str, list[str]]]:
    """All pairs of records that one valid strong document joins, and what fits: for explanations, of a few records.

    Args:
        con: As for ``collapse``, with the records in question only.

    Returns:
        (system, record_id) of both records, the smaller first, document type, number, and names of ``FITS``.
    """
    con.execute("create schema if not exists work")
    _number_records(con)
    _create_signatures(con, "true", np.empty(0, dtype=np.int64))
    reasons = ", ".join(
        f"if({condition}, '{name}', null)"
        for named in (_NAMES_FIT, _CORES_FIT, _PART_OF_NAME, _DATES_FIT)
        for name, condition in named.items()
    )
    found = con.execute(
        f"""
        select
            l.system, l.record_id, r.system, r.record_id, l.document_type, l.document_number,
            list_filter([{reasons}], lambda reason: reason is not null)
        from work.signature as l
        inner join work.signature as r using (document_type, document_number, party_type)
        where l.record_no < r.record_no and {_FIT}
        order by l.record_no, r.record_no, l.document_type, l.document_number
        """
    ).fetchall()
    for table in ("record", "strong_record", "document_signature", "signature"):
        con.execute(f"drop table work.{table}")
    return found


def _number_records(con: duckdb.DuckDBPyConnection) -> None:
    """Number records by (system, record_id) from 0 and list those with a valid strong document."""
    con.execute(
        r"""
        create or replace table work.record as
        select
            row_number() over (order by system, record_id) - 1 as record_no,
            system,
            record_id,
            party_type,
            birth_date,
            birth_date_is_told,
            sex,
            if(contains(name_standard, '*'), null, name_standard) as name_standard,
            if(contains(name_standard, '*'), null, name_latin) as name_latin,
            if(contains(name_standard, '*'), null, given_name) as given_name,
            surname,
            name_core,
            branch_suffix
        from identity.party_standard
        """
    )
    con.execute(
        """
        create or replace table work.strong_record as
        select distinct
            record.record_no,
            record.party_type,
            document.document_type,
            document.document_number
        from identity.party_document as document
        inner join work.record as record using (system, record_id)
        where document.is_strong
        """
    )


def _held_by_decision(node_of: Integers, by_document: Integers, decided: Integers) -> NDArray[np.bool_]:
    """Records that no document joins to the largest part (ties: the first) of their node, if ``decided`` is in it."""
    held = np.zeros(len(node_of), dtype=bool)
    if len(decided):
        records = np.flatnonzero(np.isin(node_of, node_of[decided]))
        ends = np.stack((node_of[records], by_document[records]))
        (node, part), place, size = np.unique(ends, axis=1, return_inverse=True, return_counts=True)
        by_size = np.lexsort((part, -size, node))
        largest = by_size[np.unique(node[by_size], return_index=True)[1]]
        joined_by_document = np.zeros(len(size), dtype=bool)
        joined_by_document[largest] = size[largest] > 1
        held[records] = ~joined_by_document[place.reshape(-1)]
    return held


def _create_signatures(con: duckdb.DuckDBPyConnection, wanted_sql: str, decided: Integers) -> None:
    """Records with a valid strong document: who is first of equal evidence, and what the others are compared by.

    A record that was decided about stands for nobody but itself: if it is kept apart, those that carry the same are
    still joined to each other.
    """
    con.register("decided", pa.table({"record_no": decided}))
    con.execute(
        r"""
        create or replace table work.document_signature as
        with numbered as (
            select
                strong_record.document_type,
                strong_record.document_number,
                record.*,
                min(record.record_no) over (
                    partition by
                        strong_record.document_type, strong_record.document_number, record.party_type,
                        record.name_standard, record.birth_date, record.birth_date_is_told, record.sex,
                        record.branch_suffix, decided.record_no
                ) as first_no
            from work.strong_record as strong_record
            inner join work.record as record using (record_no)
            left join decided using (record_no)
        )
        select *, count(*) filter (where record_no = first_no) over (
            partition by document_type, document_number, party_type
        ) as signature_count
        from numbered
        """
    )
    con.unregister("decided")
    con.execute(
        rf"""
        create or replace table work.signature as
        with other_name as (
            select
                record.record_no,
                list_sort(list(distinct party_name.name_standard)) as other_names
            from identity.party_name as party_name
            inner join work.record as record using (system, record_id)
            where not contains(party_name.name_standard, '*')
                and record.record_no in (select record_no from work.document_signature where {wanted_sql})
            group by record.record_no
        )
        select
            signature.*,
            other_name.other_names,
            strftime(birth_date, '%Y%m%d') as birth_digits,
            list_aggregate(list_sort(string_split(name_standard, '')), 'string_agg', '') as name_sorted,
            list_aggregate(list_sort(string_split(replace(name_latin, ' ', ''), '')), 'string_agg', '')
                as latin_sorted,
            if(length(name_standard) between 3 and 40, list_transform(
                range(1, length(name_standard) + 1),
                lambda i: name_standard[:i - 1] || '?' || name_standard[i + 1:]
            ), null) as name_open,
            string_split(name_latin, ' ') as latin_tokens,
            list_distinct(string_split(name_core, if(regexp_matches(name_core, '[^\x00-\x7F]'), '', ' ')))
                as core_tokens
        from work.document_signature as signature
        left join other_name using (record_no)
        where {wanted_sql}
        """
    )


def _compatible_edges(con: duckdb.DuckDBPyConnection, decided: Integers) -> None:
    """Edges between records of one document: within equal evidence to its first record, else where they fit."""
    _create_signatures(con, "signature_count > 1 and record_no = first_no", decided)
    con.execute(
        f"""
        create or replace table work.collapse_edge as
        select distinct first_no as one, record_no as other
        from work.document_signature
        where record_no > first_no
        union
        select least(l.record_no, r.record_no), greatest(l.record_no, r.record_no)
        from work.signature as l
        inner join work.signature as r
            on l.document_type = r.document_type
            and l.document_number = r.document_number
            and l.party_type = r.party_type
            and l.record_no < r.record_no
        where {_FIT}
        """
    )
    con.execute("drop table work.document_signature")
    con.execute("drop table work.signature")


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(con.execute(sql).fetchall()[0][0])
