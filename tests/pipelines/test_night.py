"""How a night's end is told: by its release, and by the shares that were made after it."""

import datetime as dt

import dagster as dg
import pytest

from pipelines.night import BLOCKED, FAILED, PUBLISHED, _result

DATE = dt.date(2026, 10, 29)
RELEASE, MARKETING, RISK = (dg.AssetKey(path) for path in (["release", "customer360"], ["share", "m"], ["share", "r"]))


def night(**failing: str) -> dg.ExecuteInProcessResult:
    """A night of a release and two shares, of which those that are named fail with an error of that kind."""

    def step(name: str, key: dg.AssetKey, deps: list[dg.AssetKey]) -> dg.AssetsDefinition:
        @dg.multi_asset(name=name, specs=[dg.AssetSpec(key, deps=deps)])
        def body() -> object:
            if name in failing:
                raise dg.Failure(f"{name} did not work", metadata={"error": failing[name]}, allow_retries=False)
            yield dg.MaterializeResult(metadata={"release": "2026-10-29.1"})

        return body

    assets = [step("release", RELEASE, []), step("m", MARKETING, [RELEASE]), step("r", RISK, [RELEASE])]
    job = dg.Definitions(assets=assets, jobs=[dg.define_asset_job("night")], executor=dg.in_process_executor)
    with dg.DagsterInstance.ephemeral() as instance:
        return job.resolve_job_def("night").execute_in_process(instance=instance, raise_on_error=False)


def test_a_night_with_all_its_shares_is_published() -> None:
    result = _result(DATE, night())
    assert (result.exit_code, result.message) == (PUBLISHED, "published 2026-10-29.1")


@pytest.mark.parametrize(("kind", "code"), [("Blocked", BLOCKED), ("ShareKeyError", FAILED)])
def test_a_share_that_fails_leaves_the_release_published_and_the_other_share_made(kind: str, code: int) -> None:
    run = night(m=kind)
    result = _result(DATE, run)
    assert (result.exit_code, result.message) == (code, "m: m did not work")
    assert result.metadata["release"] == "2026-10-29.1"
    assert run.asset_materializations_for_node("r")


def test_of_two_shares_that_fail_both_are_told() -> None:
    assert set(_result(DATE, night(m="Blocked", r="Blocked")).message.splitlines()) == {
        "m: m did not work",
        "r: r did not work",
    }


def test_without_a_release_there_is_no_share_and_no_metadata() -> None:
    result = _result(DATE, night(release="Blocked"))
    assert (result.exit_code, result.message, result.metadata) == (BLOCKED, "release: release did not work", {})
