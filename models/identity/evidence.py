"""Facts that keep parties apart, taken from tables into the arrays that grouping under constraints reads."""

import duckdb
import numpy as np

from models.identity.constrained import Attribute, Constraint, Integers
from models.identity.settings import MatchingSettings

TWO_DOCUMENTS = "two different valid documents of type {}"
BIRTH_DATE_AND_SEX = "birth date and sex both in conflict"
SHARED_DOCUMENT = "one valid document on parties that do not fit each other"


def document_constraints(con: duckdb.DuckDBPyConnection, facts_sql: str) -> tuple[Constraint, ...]:
    """One constraint a document type: groups with different valid strong documents exclude each other.

    Args:
        con: Connection to read from.
        facts_sql: Query with columns ``thing`` (number), ``document_type``, ``document_number``.
    """
    rows = con.execute(
        f"""
        select document_type, thing, dense_rank() over (order by document_type, document_number) as number
        from ({facts_sql})
        """
    ).fetchnumpy()
    types = np.asarray(rows["document_type"], dtype=object)
    return tuple(
        Constraint(
            TWO_DOCUMENTS.format(document_type),
            (Attribute(_integers(rows["thing"][found]), _integers(rows["number"][found])),),
            subset=True,
        )
        for document_type in sorted(set(types.tolist()))
        for found in (types == document_type,)
    )


def birth_and_sex_constraint(con: duckdb.DuckDBPyConnection, births_sql: str, sexes_sql: str) -> Constraint:
    """Groups that have no birth date and no sex in common exclude each other.

    Args:
        con: Connection to read from.
        births_sql: Query with columns ``thing, birth_date``.
        sexes_sql: Query with columns ``thing, sex``.
    """
    births = con.execute(f"select thing, epoch(birth_date)::bigint as value from ({births_sql})").fetchnumpy()
    sexes = con.execute(f"select thing, (sex = 'male')::bigint as value from ({sexes_sql})").fetchnumpy()
    return Constraint(
        BIRTH_DATE_AND_SEX,
        tuple(Attribute(_integers(rows["thing"]), _integers(rows["value"])) for rows in (births, sexes)),
    )


def excluded_pairs_constraint(con: duckdb.DuckDBPyConnection, pairs_sql: str, reason: str) -> Constraint:
    """Pairs that may not come together; the query has columns ``one, other``."""
    rows = con.execute(pairs_sql).fetchnumpy()
    return Constraint(reason, pairs=(_integers(rows["one"]), _integers(rows["other"])))


def wanted(settings: MatchingSettings, *constraints: str) -> bool:
    """Whether the settings ask for all of the named constraints."""
    return set(constraints) <= set(settings.constraints)


def _integers(values: object) -> Integers:
    return np.asarray(values, dtype=np.int64)
