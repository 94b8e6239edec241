"""Our engine: the product's identity resolution with the settings that the bank ships, whole or without a part.

A part that has a setting is switched off there. Of the others the result is undone: in the standardised tables, or by
putting something simpler in the place of the function. Each ablation trains its own model.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, get_args
from unittest.mock import patch

import duckdb
import pyarrow as pa

from benchmarks.identity.staged import DATE
from models.identity.collapse import collapse
from models.identity.matching_model import Frequencies
from models.identity.population import name_frequencies
from models.identity.resolve import resolve
from models.identity.settings import Constraint, MatchingSettings, TrainingSettings
from pipelines.workspace import Workspace


@dataclass(frozen=True)
class Ours:
    """Our engine, and what is taken away from it (nothing: as shipped).

    Attributes:
        settings: Changes of sections of the bank's matching settings.
        constraints: Constraints that are lifted, of those that the bank has.
        columns: (table, column) of the standardised tables, and the expression in their place.
        functions: Functions by where they are called, and what stands in for them.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    columns: Mapping[tuple[str, str], str] = field(default_factory=dict)
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def run(
        self, con: duckdb.DuckDBPyConnection, workspace: Workspace, set_name: str, clock: Callable[[str], None]
    ) -> dict[str, pa.Table]:
        """Train a model on the set and resolve with it (see ``engine``)."""
        for (table, column), expression in self.columns.items():
            con.execute(
                f"create table ablated_{table} as select * replace ({expression} as {column}) from identity.{table}"
            )
            con.execute(f"create or replace view identity.{table} as from ablated_{table}")
        with ExitStack() as stack:
            for place, stand_in in self.functions.items():
                stack.enter_context(patch(place, stand_in))
            resolve(con, self.ablated(workspace.bank.matching), DATE)
        clock("train and resolve")
        return {"": con.execute("select system, record_id, customer_id from res.customer_record").to_arrow_table()}

    def ablated(self, shipped: MatchingSettings) -> MatchingSettings:
        """The settings that the bank ships, without what is taken away."""
        given = shipped.model_dump()
        given["constraints"] = [name for name in shipped.constraints if name not in self.constraints]
        for name, value in self.settings.items():
            given[name] = {**given[name], **value}
        return MatchingSettings.model_validate(given)


def _every_record_a_node(con: duckdb.DuckDBPyConnection, settings: MatchingSettings) -> None:
    collapse(con, settings)
    con.execute(
        "create or replace table res.party_node as"
        " select * replace (row_number() over (order by system, record_id) as node_id) from res.party_node"
    )


def _one_frequency(
    con: duckdb.DuckDBPyConnection, training: TrainingSettings, party_type: str
) -> dict[str, Frequencies]:
    """For all values of a column the chance that two drawn at random agree."""
    found = {}
    for column, known in name_frequencies(con, training, party_type).items():
        shares = known.values.values()
        agreeing = sum(share * share for share in shares) + max(1 - sum(shares), 0) * known.rare
        found[column] = Frequencies(agreeing, {})
    return found


ABLATIONS = {
    # Two records of one document are two nodes then, which the constraint `shared_document` would keep apart.
    "no collapse": Ours(
        constraints=("shared_document",),
        functions={"models.identity.resolve.collapse": _every_record_a_node},
    ),
    "no contact profiles": Ours(
        columns={("party_contact", "is_identifying"): "true", ("party_standard", "address_is_identifying"): "true"}
    ),
    "no term frequencies": Ours(functions={"models.identity.training.name_frequencies": _one_frequency}),
    "no constraints": Ours(constraints=get_args(Constraint)),
    "no second pass": Ours(settings={"second_pass": {"use": False}}),
}
