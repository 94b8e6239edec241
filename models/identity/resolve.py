"""The steps of identity resolution in their order, in one connection: for benchmarks, evaluation and tests.

The nightly run persists every step and runs each by itself; this module runs the same functions without a lake.
"""

import datetime as dt

import duckdb

from models.identity.cluster import cluster
from models.identity.collapse import collapse
from models.identity.customer_ids import assign_customers
from models.identity.matching_model import ModelArtefact
from models.identity.score import score
from models.identity.settings import MatchingSettings
from models.identity.training import train


def resolve(
    con: duckdb.DuckDBPyConnection,
    settings: MatchingSettings,
    business_date: dt.date,
    model: ModelArtefact | None = None,
) -> ModelArtefact:
    """Bring standardised parties to customers; every ``res`` table of the steps is left in the connection.

    Args:
        con: Connection with tables or views ``identity.party_standard``, ``party_name``, ``party_document``
            and ``party_contact``; schema ``identity`` gets views of the results of earlier steps.
        settings: The bank's matching settings.
        business_date: The date on which new customers are born.
        model: The trained model; without one it is trained on these parties.

    Returns:
        The model that was used.
    """
    collapse(con, settings)
    _hand_on(con, "party_node")
    model = model or train(con, settings)
    resolve_nodes(con, settings, business_date, model)
    return model


def resolve_nodes(
    con: duckdb.DuckDBPyConnection, settings: MatchingSettings, business_date: dt.date, model: ModelArtefact
) -> None:
    """Bring nodes to customers, as ``resolve`` does once it has nodes and a model.

    Args:
        con: As for ``resolve``, with ``identity.party_node``.
        settings: The bank's matching settings.
        business_date: The date on which new customers are born.
        model: The trained model.
    """
    score(con, settings, model)
    _hand_on(con, "node_pair")
    cluster(con, settings, model)
    _hand_on(con, "cluster")
    _hand_on(con, "cluster_link")
    assign_customers(con, business_date)


def _hand_on(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Show the next step what it would read from the lake."""
    con.execute(f"create or replace view identity.{table} as from res.{table}")
