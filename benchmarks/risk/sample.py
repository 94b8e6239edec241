"""The sample bank, whose generator knows each debtor's true probability of default: how near the model comes to it.

Who is who is taken from the truth, so that the figure is the model's alone. The model is fitted on month ends whose
horizon was over on the month end that it is judged at; nothing that happened after that date was known to it.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from models.tables import load_tables
from models.value import default_model
from models.value.settings import ValueSettings
from models.value.validation import auc
from pipelines import steps
from pipelines.workspace import Workspace
from sources import sample

_ENTITIES = ("account", "card", "loan", "loan_performance", "party_role", "transaction")
_CUSTOMER = ("party_role", "product_holder", "account", "card", "loan")
_SEED = 7


@dataclass(frozen=True)
class Reached:
    """Figures at one month end.

    Attributes:
        debtors: Debtors judged.
        defaults: Of them those who defaulted within the horizon.
        fitted_on: Observations that the model was fitted on.
        auc: AUC of the model.
        auc_true: AUC of the true probability itself.
        share: How far of the way from 0.5 to the AUC of the true probability the model comes.
    """

    as_of_date: str
    debtors: int
    defaults: int
    fitted_on: int
    auc: float
    auc_true: float
    share: float


def reach(parties: int, months: int) -> Reached:
    """Generate the bank, fit on its earlier month ends and judge the latest whose outcome is known.

    Args:
        parties: Party records.
        months: Months of history: the horizon twice, the observation months, and those to fit on.
    """
    with tempfile.TemporaryDirectory(prefix="c360-benchmark-") as name:
        home = Path(name)
        sample.generate(parties, "default", _SEED, 1, home / "exports", months=months)
        workspace = Workspace.open("sample", home, home / "exports")
        date, tables = sample.FIRST_DATE, load_tables()
        for contract in workspace.bank.contracts:
            steps.land(workspace, contract, contract.objects, date)
            for source in contract.objects:
                if source.delivery.mode == "delta":
                    steps.apply_delta(workspace, source, date)
        for entity in _ENTITIES:
            steps.conform_entity(workspace, tables[f"staging.{entity}"], date)
        steps.exchange_rates(workspace, tables["staging.exchange_rate"], date)
        settings = ValueSettings(history_months=months)
        staged = [*(f"staging.{entity}" for entity in _ENTITIES), "staging.exchange_rate"]
        with workspace.engine.connection(date, staged) as con:
            con.register("truth", pq.read_table(home / "exports" / sample.TRUTH))
            con.register("hazard", pq.read_table(home / "exports" / "truth_hazard.parquet"))
            con.execute("create schema customer; create schema value")
            con.execute(
                "create table customer.customer_record as select system, record_id, entity_id as customer_id from truth"
            )
            for table in _CUSTOMER:
                con.execute(f"create table customer.{table} as {tables[f'customer.{table}'].sql}")
            con.execute(
                "create table customer.customer as select customer_id, any_value(party_type) as party_type, "
                "cast(null as varchar) as sex, cast(null as varchar) as province "
                "from (select customer_id, if(starts_with(customer_id, 'C'), 'organisation', 'person') as party_type "
                "from customer.customer_record) group by customer_id"
            )
            # one night: no record has left, and whose the ended loans were is told by their roles
            for table in ("customer_record_history", "retired_customer"):
                columns = ", ".join(f"{c.name} {c.type}" for c in tables[f"customer.{table}"].columns)
                con.execute(f"create table customer.{table} ({columns})")
            con.execute(f"create table customer.ended_loan as {tables['customer.ended_loan'].sql}")
            params = {"business_date": date, **settings.parameters(date)}
            sql = tables["value.activity_month"].sql or ""
            used = {key: value for key, value in params.items() if f"${key}" in sql}
            con.execute(f"create table value.activity_month as {sql}", used)
            observed = default_model.observe(con, settings, date)
            truth = con.execute(
                "select entity_id, as_of_date, true_probability from hazard where kind = 'default'"
            ).fetchall()
    known = {(entity, np.datetime64(day, "D")): chance for entity, day, chance in truth}
    latest = observed.as_of_date.max()
    horizon = np.timedelta64(settings.risk.horizon_months, "M")
    over = observed.as_of_date.astype("datetime64[M]") + horizon <= latest.astype("datetime64[M]")
    early, late = observed.where(over), observed.where(observed.as_of_date == latest)
    model = default_model.fit(early, settings, "benchmark")
    pairs = list(zip(late.customer_id.tolist(), late.as_of_date, strict=True))
    told = np.array([pair in known for pair in pairs])
    judged = late.where(told)
    true = np.array([known[pair] for pair in pairs if pair in known])
    ours, best = auc(default_model.predict(model, judged), judged.happened), auc(true, judged.happened)
    return Reached(
        str(latest), len(judged), int(judged.happened.sum()), model.data["observations"], ours, best,
        (ours - 0.5) / (best - 0.5),
    )  # fmt: skip
