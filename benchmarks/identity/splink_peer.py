"""Splink 5 as its own documentation uses it: train, predict, connected components at several cuts.

How each set is told to it lies in ``splink_models``; here is only the running.
"""

import logging
from collections.abc import Callable

import duckdb
import pyarrow as pa
from splink import Linker, SettingsCreator
from splink.backends.duckdb import DuckDBAPI

from benchmarks.identity.splink_models import MODELS, SplinkModel
from pipelines.workspace import Workspace

_SEED = 1


def run(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, set_name: str, clock: Callable[[str], None]
) -> dict[str, pa.Table]:
    """Train, predict and cluster (see ``engine``); only the first cut's clustering is on the clock."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    model = MODELS[set_name]
    con.execute(f"create table record as {model.records}")
    api = DuckDBAPI(con.cursor())
    linker = _linker(con, api, model)
    clock("read")
    _train(linker, model)
    clock("train")
    predictions = linker.inference.predict(threshold_match_weight=min(model.cuts), warning_mode="never")
    if model.veto:
        con.execute(f"delete from {predictions.physical_name} where {model.veto}")
    clock("predict")
    crosswalks: dict[str, pa.Table] = {}
    for cut in model.cuts:
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, threshold_match_weight=cut)
        clock("cluster" if not crosswalks else "other cuts")
        crosswalks[f"{cut:g}"] = con.execute(
            f"""
            select record.system, record.record_id, clusters.cluster_id as customer_id
            from {clusters.physical_name} as clusters
            inner join record using (unique_id)
            """
        ).to_arrow_table()
        clock("other cuts")
    return crosswalks


def _linker(con: duckdb.DuckDBPyConnection, api: DuckDBAPI, model: SplinkModel) -> Linker:
    """A linker over the records; over one table a source where two files are linked."""
    tables = []
    for source in model.sources or (None,):
        view = f"record_{source}" if source else "record"
        if source:
            con.execute(f"create view {view} as select * from record where source = '{source}'")
        tables.append(api.register(view, dataset_display_name=source or "record"))
    settings = SettingsCreator(
        link_type="link_only" if model.sources else "dedupe_only",
        comparisons=list(model.comparisons),
        blocking_rules_to_generate_predictions=list(model.blocking),
        additional_columns_to_retain=list(model.kept),
    )
    return Linker(tables if model.sources else tables[0], settings, log_level=None)


def _train(linker: Linker, model: SplinkModel) -> None:
    training = linker.training
    training.estimate_probability_two_random_records_match(list(model.certain), recall=model.certain_recall)
    training.estimate_u_using_random_sampling(max_pairs=model.random_pairs, seed=_SEED)
    for rule in model.em_blocking:
        training.estimate_parameters_using_expectation_maximisation(rule, estimate_without_term_frequencies=True)
