"""Our engine: the product's identity resolution with the settings that the bank ships, whole or without a part.

Parts that have a setting are switched off there; of the others their result is undone between the steps, which is
why the steps of ``models.identity.resolve`` stand here once more. Each ablation trains its own model.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import duckdb
import pyarrow as pa

from benchmarks.identity.staged import DATE
from models.identity.cluster import cluster
from models.identity.collapse import collapse
from models.identity.customer_ids import assign_customers
from models.identity.matching_model import ModelArtefact
from models.identity.resolve import resolve
from models.identity.score import score
from models.identity.settings import MatchingSettings
from models.identity.training import train
from pipelines.workspace import Workspace


@dataclass(frozen=True)
class Ablation:
    """A part of identity resolution and how it is taken away.

    Attributes:
        setting: Change of the bank's matching settings.
        columns: (table, column) of the standardised tables, and the expression in their place.
        nodes: Expression over ``identity.party_node`` in the place of ``node_id``.
        frequencies: Whether the model keeps the frequencies of values.
    """

    setting: dict[str, object] | None = None
    columns: dict[tuple[str, str], str] = field(default_factory=dict)
    nodes: str | None = None
    frequencies: bool = True


# Without collapse two records of one document are two nodes, which the constraint `shared_document` would keep apart.
ABLATIONS = {
    "no collapse": Ablation(
        setting={"constraints": ("document", "birth_date_and_sex")},
        nodes="row_number() over (order by system, record_id)",
    ),
    "no contact profiles": Ablation(
        columns={("party_contact", "is_identifying"): "true", ("party_standard", "address_is_identifying"): "true"}
    ),
    "no term frequencies": Ablation(frequencies=False),
    "no constraints": Ablation(setting={"constraints": ()}),
    "no second pass": Ablation(setting={"second_pass": False}),
}


def run(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, set_name: str, clock: Callable[[str], None]
) -> dict[str, pa.Table]:
    """Train a model on the set and resolve with it (see ``engine``)."""
    resolve(con, workspace.bank.matching, DATE)
    clock("train and resolve")
    return {"": con.execute("select system, record_id, customer_id from res.customer_record").to_arrow_table()}


def available() -> list[str]:
    """Ablations whose setting this release has."""
    known = MatchingSettings.model_fields
    return [name for name, one in ABLATIONS.items() if set(one.setting or {}) <= set(known)]


def without(
    part: str,
) -> Callable[[duckdb.DuckDBPyConnection, Workspace, str, Callable[[str], None]], dict[str, pa.Table]]:
    """The engine (see ``engine``) without a part."""
    ablation = ABLATIONS[part]

    def run_without(
        con: duckdb.DuckDBPyConnection, workspace: Workspace, set_name: str, clock: Callable[[str], None]
    ) -> dict[str, pa.Table]:
        settings = workspace.bank.matching.model_copy(update=ablation.setting or {})
        for (table, column), expression in ablation.columns.items():
            _replace(con, table, f"identity.{table}", column, expression)
        collapse(con, settings)
        _replace(con, "party_node", "res.party_node", "node_id", ablation.nodes or "node_id")
        model = train(con, settings)
        score(con, settings, model if ablation.frequencies else _without_frequencies(model))
        con.execute("create or replace view identity.node_pair as from res.node_pair")
        cluster(con, settings)
        con.execute("create or replace view identity.cluster as from res.cluster")
        assign_customers(con, DATE)
        clock("train and resolve")
        return {"": con.execute("select system, record_id, customer_id from res.customer_record").to_arrow_table()}

    return run_without


def _replace(con: duckdb.DuckDBPyConnection, table: str, source: str, column: str, expression: str) -> None:
    """Let ``identity.<table>`` show ``source`` with another value of a column."""
    con.execute(f"create or replace table ablated_{table} as select * replace ({expression} as {column}) from {source}")
    con.execute(f"create or replace view identity.{table} as from ablated_{table}")


def _without_frequencies(model: ModelArtefact) -> ModelArtefact:
    """The model with the average chance agreement of each level in the place of its values' frequencies."""
    parties = {
        name: replace(
            party,
            comparisons=tuple(
                replace(c, levels=tuple(replace(level, frequency=None) for level in c.levels))
                for c in party.comparisons
            ),
            frequencies={},
        )
        for name, party in model.parties.items()
    }
    return replace(model, parties=parties)
