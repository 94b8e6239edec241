"""A home's shares: keys made once and missed when they are gone, the commands, what the audit log says."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.bank import BANKS
from pipelines.cli.main import _add_commands, cli
from pipelines.sharing import share_date
from pipelines.workspace import Workspace
from tests.warehouse import release_home
from warehouse.shares.build import ShareError
from warehouse.shares.keys import ShareKeyError

_add_commands()

POLICY = """\
shares:
  marketing:
    title: {en: Marketing, zh: 市场部}
    owner: team:marketing
    purpose: {en: Campaigns., zh: 营销活动。}
    customers: {everyone: true}
    tables:
      mart.customer_360: {columns: [customer_id]}
  risk:
    title: {en: Risk, zh: 风险管理部}
    owner: team:risk
    purpose: {en: Risk., zh: 风险管理。}
    encrypted: true
    tokens: marketing
    customers: {everyone: true}
    tables:
      mart.customer_360: {columns: [customer_id]}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """The scaffold bank with two shares, over a home whose release holds 500 customers and nothing that night made."""
    shutil.copytree(BANKS / "_scaffold", tmp_path / "bank")
    (tmp_path / "bank" / "shares.yaml").write_text(POLICY, encoding="utf-8")
    release_home.publish(tmp_path / "home", 1)
    return Workspace.open(str(tmp_path / "bank"), tmp_path / "home")


def c360(workspace: Workspace, *words: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(
        cli, ["--bank", str(workspace.bank.folder), "--home", str(workspace.home), *words], catch_exceptions=False
    )


def test_the_first_making_makes_the_keys_and_says_so_in_the_audit_log(workspace: Workspace) -> None:
    assert share_date(workspace, "marketing", release_home.DAY).version
    assert share_date(workspace, "marketing", release_home.DAY).unchanged
    assert [(entry.action, entry.subject) for entry in workspace.audit.entries()] == [
        ("key_made", "share marketing"),
        ("shared", "share marketing 2026-01-31.1"),
    ]


def test_keys_that_are_gone_are_missed_and_not_made_anew(workspace: Workspace) -> None:
    share_date(workspace, "marketing", release_home.DAY)
    workspace.share_keys.path.unlink()
    with pytest.raises(ShareKeyError, match=r"no token key of share marketing in .*restore the file"):
        share_date(workspace, "marketing", release_home.DAY)
    assert not workspace.share_keys.path.exists()


def test_a_date_without_a_release_is_told(workspace: Workspace) -> None:
    with pytest.raises(ShareError, match="no release of 2026-02-28"):
        share_date(workspace, "marketing", release_home.DAY.replace(month=2, day=28))


def test_shares_are_built_listed_shown_and_asked(workspace: Workspace) -> None:
    assert c360(workspace, "shares", "build").output.splitlines() == ["marketing: 2026-01-31.1", "risk: 2026-01-31.1"]
    listed = c360(workspace, "shares").output
    assert "marketing" in listed
    assert "k1, encrypted" in listed
    assert listed.count("passed") == 2
    shown = c360(workspace, "shares", "show", "risk").output
    assert "tokenised with the share's key" in shown
    assert "500 rows" in shown
    tokens = "select count(*), min(customer_id) like 'k1_%' from mart.customer_360"
    asked = c360(workspace, "sql", "--share", "risk", "--format", "csv", tokens)
    assert asked.output.splitlines()[-1] == "500,True"
    assert [entry.subject for entry in workspace.audit.entries() if entry.action == "queried"] == ["risk 2026-01-31.1"]


def test_shares_whose_policy_says_so_join(workspace: Workspace) -> None:
    c360(workspace, "shares", "build")
    query = "select min(customer_id) as least from mart.customer_360"
    marketing = c360(workspace, "sql", "--share", "marketing", "--format", "csv", query)
    risk = c360(workspace, "sql", "--share", "risk", "--format", "csv", query)
    assert marketing.output == risk.output


def test_a_rotation_changes_the_tokens_of_the_next_version(workspace: Workspace) -> None:
    c360(workspace, "shares", "build", "marketing")
    told = c360(workspace, "shares", "keys", "rotate", "marketing").output
    assert told.startswith("marketing: key k2 in ")
    assert c360(workspace, "shares", "build", "marketing").output == "marketing: 2026-01-31.1-2\n"
    tokens = "select count(*) from mart.customer_360 where customer_id like 'k2\\_%' escape '\\'"
    assert c360(workspace, "sql", "--share", "marketing", "--format", "csv", tokens).output.splitlines()[-1] == "500"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("shares", "show", "marketng"), "no share 'marketng' (did you mean 'marketing'?)"),
        (("shares", "build", "marketng"), "did you mean 'marketing'?"),
        (("shares", "keys", "new", "risks"), "did you mean 'risk'?"),
        (("sql", "--share", "marketng", "select 1"), "did you mean 'marketing'?"),
        (("sql", "--share", "marketing", "select 1"), "no version of share marketing; 'c360 shares build marketing'"),
        (("shares", "keys", "rotate", "marketing"), "has no keys of marketing; 'c360 shares keys new marketing'"),
    ],
)
def test_a_wrong_call_is_told_with_exit_code_2(workspace: Workspace, words: tuple[str, ...], message: str) -> None:
    told = c360(workspace, *words)
    assert told.exit_code == 2
    assert message in told.output


def test_a_rollback_takes_the_shares_along_and_names_those_that_stay(workspace: Workspace) -> None:
    c360(workspace, "shares", "build", "marketing")
    release_home.publish(workspace.home, 2)
    c360(workspace, "shares", "build")
    told = c360(workspace, "rollback")
    assert told.exit_code == 0, told.output
    assert "share marketing is now 2026-01-31.1" in told.output
    assert "share risk has no version of 2026-01-31.1 and stays" in told.output


def test_what_is_left_of_a_share_that_the_bank_has_no_more_is_told(workspace: Workspace) -> None:
    c360(workspace, "shares", "build", "marketing")
    left = workspace.shares.root / "marketing"
    left.rename(left.with_name("campaigns"))
    assert f"{left.with_name('campaigns')} is of no share of shares.yaml" in c360(workspace, "shares").output
