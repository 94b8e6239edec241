"""What Dagster sees: assets, dependencies, job, schedule, sensors; and when nights start by themselves."""

import datetime as dt
import shutil
from pathlib import Path

import dagster as dg
import pytest

from models.tables import load_tables
from pipelines.automation import complete_dates
from pipelines.definitions import NIGHT, build_definitions
from pipelines.instance import open_instance
from pipelines.workspace import Workspace

SNAPSHOT = Path(__file__).parent / "assets.txt"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.open("sample", tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def definitions(workspace: Workspace) -> dg.Definitions:
    return build_definitions(workspace)


def test_assets_jobs_schedules_and_sensors_are_those_written_down(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    lines = [f"asset {key.to_user_string()}" for key in sorted(graph.get_all_asset_keys(), key=lambda k: k.path)]
    lines += [f"job {job.name}" for job in definitions.jobs or []]
    lines += [f"schedule {schedule.name}" for schedule in definitions.schedules or []]
    lines += [f"sensor {sensor.name}" for sensor in definitions.sensors or []]
    assert "\n".join(lines) + "\n" == SNAPSHOT.read_text(encoding="utf-8")


def test_every_defined_table_is_an_asset_with_group_owner_kinds_partitions_and_column_schema(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    for table in load_tables().values():
        node = graph.get(dg.AssetKey([table.layer, table.name]))
        assert node.group_name == table.layer
        assert node.owners == ["team:customer-data"]
        assert node.kinds
        assert isinstance(node.partitions_def, dg.DailyPartitionsDefinition)
        columns = [c.name for c in node.metadata["dagster/column_schema"].columns]
        assert columns == [c.name for c in table.columns]


def test_dependencies_are_those_of_the_sql(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    parents = {key.to_user_string() for key in graph.get(dg.AssetKey(["mart", "customer_holding"])).parent_keys}
    assert parents == {"customer/account", "customer/card", "customer/loan", "staging/exchange_rate"}


def test_the_release_depends_on_every_published_table(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    parents = {key.to_user_string() for key in graph.get(dg.AssetKey(["release", "customer360"])).parent_keys}
    assert {t.id.replace(".", "/") for t in load_tables().values() if t.published} <= parents


def test_the_schedule_runs_the_day_that_has_ended_in_the_banks_time_zone(
    definitions: dg.Definitions, workspace: Workspace, tmp_path: Path
) -> None:
    schedule = definitions.resolve_schedule_def("nightly")
    assert schedule.execution_timezone == "Asia/Shanghai"
    # 18:30 UTC on the 31st is 02:30 on the 1st in Shanghai: the business date is the 31st
    at = dt.datetime(2026, 10, 31, 18, 30, tzinfo=dt.UTC)
    with open_instance(tmp_path) as instance:
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=at, repository_def=definitions.get_repository_def()
        )
        [request] = schedule.evaluate_tick(context).run_requests
    assert request.partition_key == "2026-10-31"


def test_the_sensor_asks_for_complete_dates_only(tmp_path: Path) -> None:
    from sources.sample import generate

    exports = tmp_path / "exports"
    generate(parties=100, noise="low", seed=3, days=2, out=exports)
    workspace = Workspace.open("sample", tmp_path / "home", exports)
    first, second = dt.date(2026, 10, 29), dt.date(2026, 10, 30)
    assert complete_dates(workspace) == [first, second]
    [control] = (exports / "cards").glob("CARD_20261030*.ctl")
    shutil.move(control, tmp_path / "held-back")
    assert complete_dates(workspace) == [first]
    definitions = build_definitions(workspace)
    sensor = definitions.resolve_sensor_def("deliveries_complete")
    with dg.DagsterInstance.ephemeral() as instance:
        result = sensor.evaluate_tick(
            dg.build_sensor_context(instance=instance, repository_def=definitions.get_repository_def())
        )
    assert [request.partition_key for request in result.run_requests] == ["2026-10-29"]
    assert sensor.job_name == NIGHT
