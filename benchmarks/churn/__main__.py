"""``python -m benchmarks.churn --home H [--date D] [--json FILE]``; in H is a night of a sample bank with a past.

Both methods are fitted on the earlier month ends, as the night's model is, and judged on all later month ends whose
outcome is known, against what the generator knows (``truth_hazard.parquet``, kind ``silence``: leaves in the month that
follows). A method's share is how far it comes on the way from 0.5 to the AUC of the true chance itself.
"""

import argparse
import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from models.value import churn_methods, churn_model
from models.value.validation import auc
from pipelines.workspace import Workspace

_TRUTH = """
with entity as (
    select record.customer_id, truth.entity_id
    from customer.customer_record as record
    inner join read_parquet($truth) as truth using (system, record_id)
    group by record.customer_id, truth.entity_id
    qualify row_number() over (partition by record.customer_id order by count(*) desc, truth.entity_id) = 1
)
select row_no, hazard.true_probability, hazard.happened
from judged
inner join entity using (customer_id)
inner join read_parquet($hazard) as hazard
    on hazard.entity_id = entity.entity_id and hazard.as_of_date = judged.as_of_date and hazard.kind = 'silence'
where hazard.happened is not null
order by row_no
"""


def measure(workspace: Workspace, date: dt.date) -> dict[str, float | int | str]:
    """AUC of the true chance and of both methods on the month ends after those of the fitting, and the shares."""
    feature = workspace.tables[churn_model.FEATURE_TABLE]
    inputs = sorted({*feature.inputs, *churn_model.KIND.inputs, "customer.customer_record"})
    with workspace.engine.connection(date, inputs) as con:
        observations = churn_model.observe(con, workspace.bank.value, date)
        early, _, _ = churn_model.parts(observations, workspace.bank.value.churn)
        later = observations.where(observations.as_of_date > early.as_of_date.max())
        judged = {
            "row_no": np.arange(len(later)),
            "customer_id": pa.array(later.customer_id.tolist()),
            "as_of_date": pa.array(later.as_of_date),
        }
        con.register("judged", pa.table(judged))
        paths = {name: str(workspace.exports / f"{name}.parquet") for name in ("truth", "truth_hazard")}
        found = con.execute(_TRUTH, {"truth": paths["truth"], "hazard": paths["truth_hazard"]}).fetchnumpy()
    rows, happened = np.asarray(found["row_no"]), np.asarray(found["happened"], dtype=bool)
    best = auc(np.asarray(found["true_probability"], dtype=np.float64), happened)
    names = tuple(sorted(observations.features))
    told: dict[str, float | int | str] = {
        "fitted_on": len(early),
        "of_them_left": int(early.happened.sum()),
        "judged_from": str(later.as_of_date.min()),
        "judged_to": str(later.as_of_date.max()),
        "judged": len(rows),
        "left": int(happened.sum()),
        "auc_true": round(best, 4),
    }
    for method in churn_methods.METHODS:
        fitted = churn_methods.fit(method, early.matrix(names), early.happened)
        area = auc(churn_methods.raw_score(fitted, later.matrix(names)[rows]), happened)
        told[f"auc_{method}"] = round(area, 4)
        told[f"share_{method}"] = round((area - 0.5) / (best - 0.5), 4)
    return told


def main() -> None:
    """Print the figures, and write them as JSON if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.churn")
    parser.add_argument("--home", required=True)
    parser.add_argument("--date", type=dt.date.fromisoformat)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    workspace = Workspace.open("sample", options.home)
    dates = workspace.lake.dates("value.customer_month")
    if not dates:
        parser.error(f"no night has been run in {options.home}: c360 sample --months 24, then c360 run")
    told = measure(workspace, options.date or dates[-1])
    for name, value in told.items():
        print(f"{name:>16}  {value}")
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
