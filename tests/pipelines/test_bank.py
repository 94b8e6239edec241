"""A bank's folder: found, read, and every mistake told at once with file and line."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.bank import BANKS, BankError, find_bank, load_bank
from pipelines.cli.main import _add_commands, cli
from pipelines.publishing import suites
from pipelines.workspace import Workspace, canonical_entities
from quality.drift import Bound


@pytest.mark.parametrize("name", ["sample", "berka", "people", "_scaffold"])
def test_the_banks_of_the_project_have_no_mistakes(name: str) -> None:
    bank = load_bank(find_bank(name), canonical_entities())
    assert bank.contracts


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    shutil.copytree(BANKS / "_scaffold", folder)
    settings = folder / "bank.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace("Europe/Vienna", "Europe/Wien").replace("currency: EUR", "curency: EUR"), encoding="utf-8"
    )
    core = folder / "contracts" / "core.odcs.yaml"
    core.write_text(
        core.read_text(encoding="utf-8").replace("record_id: customer_no", "record_id: custmer_no", 1), encoding="utf-8"
    )
    matching = folder / "matching.yaml"
    matching.write_text("merge_treshold_bits: 3\n", encoding="utf-8")
    with pytest.raises(BankError) as caught:
        load_bank(folder, canonical_entities())
    told = str(caught.value)
    line = text.splitlines().index(next(row for row in text.splitlines() if row.startswith("timezone"))) + 1
    assert f"{settings}:{line}: timezone: 'Europe/Wien' is not a time zone" in told
    assert "unknown setting (did you mean 'currency'?)" in told
    assert "custmer_no" in told
    assert "customer_no" in told
    assert "merge_threshold_bits" in told


def _trusting(tmp_path: Path, matching: str) -> Path:
    folder = tmp_path / "bank"
    shutil.copytree(BANKS / "_scaffold", folder)
    (folder / "matching.yaml").write_text(matching, encoding="utf-8")
    return folder


def test_a_system_that_no_contract_describes_is_told_wherever_it_is_trusted(tmp_path: Path) -> None:
    folder = _trusting(
        tmp_path,
        "trust:\n  - core\n  - card\n"
        "survivorship:\n  trust: {core: 0.9, crm: 0.1}\n  fields:\n    mobile:\n      trust: {loan: 0.5}\n",
    )
    with pytest.raises(BankError) as caught:
        load_bank(folder, canonical_entities())
    assert [(problem.line, problem.path, problem.message) for problem in caught.value.problems] == [
        (3, "trust.1", "no contract describes 'card' (did you mean 'cards'?)"),
        (5, "survivorship.trust.crm", "no contract describes 'crm' (allowed: cards, core, loans)"),
        (8, "survivorship.fields.mobile.trust.loan", "no contract describes 'loan' (did you mean 'loans'?)"),
    ]


def test_a_system_that_no_contract_describes_is_told_where_coverage_names_it(tmp_path: Path) -> None:
    folder = _trusting(tmp_path, "trust: [core]\n")
    (folder / "value.yaml").write_text(
        "coverage:\n  policies:\n    - valid_from: 2026-01-01\n      systems: [core, crm]\n"
        "      coded_as: {loan: core}\n      home_branch: {system: hr, branch_id: '1'}\n"
    )
    with pytest.raises(BankError) as caught:
        load_bank(folder, canonical_entities())
    assert [(problem.line, problem.path, problem.message) for problem in caught.value.problems] == [
        (4, "coverage.policies.0.systems.1", "no contract describes 'crm' (allowed: cards, core, loans)"),
        (5, "coverage.policies.0.coded_as.loan", "no contract describes 'loan' (did you mean 'loans'?)"),
        (6, "coverage.policies.0.home_branch.system", "no contract describes 'hr' (allowed: cards, core, loans)"),
    ]


def test_the_system_of_a_contract_that_cannot_be_read_is_not_called_unknown(tmp_path: Path) -> None:
    folder = _trusting(tmp_path, "trust: [core, loans, cards]\n")
    (folder / "contracts" / "loans.odcs.yaml").write_text("apiVersion: [v3\n", encoding="utf-8")
    with pytest.raises(BankError) as caught:
        load_bank(folder, canonical_entities())
    assert [Path(problem.file).name for problem in caught.value.problems] == ["loans.odcs.yaml"]


def test_a_bank_has_checks_of_its_own_and_bounds_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    shutil.copytree(BANKS / "sample", folder)
    (folder / "checks").mkdir()
    own = folder / "checks" / "few_dormant.sql"
    own.write_text(
        "-- table: customer.account\n-- severity: warn\n-- message: few accounts sleep\nselect 1 where false\n"
    )
    with (folder / "bank.yaml").open("a", encoding="utf-8") as file:
        file.write("\nquality:\n  drift:\n    source_rows: {warn: 0.1, block: 0.3}\n")
    bank = load_bank(folder, canonical_entities())
    assert bank.settings.quality.drift == {"source_rows": Bound(warn=0.1, block=0.3)}
    checks = {
        (suite.table, check.name) for suite in suites(Workspace(bank, tmp_path, tmp_path)) for check in suite.checks
    }
    assert ("customer.account", "few_dormant") in checks

    own.write_text("-- table: customer.account\nselect 1 where false\n")
    (folder / "checks" / "customer_has_records.sql").write_text(
        "-- table: customer.customer\n-- severity: warn\n-- message: x\nselect 1 where false\n"
    )
    with pytest.raises(BankError) as caught:
        load_bank(folder, canonical_entities())
    said = str(caught.value)
    assert "few_dormant.sql: the line '-- severity: ...' is missing" in said
    assert "customer_has_records.sql" in said and "a check of this name is there already" in said


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    shutil.copytree(BANKS / "_scaffold", folder)
    (folder / "matching.yaml").unlink()
    with pytest.raises(BankError, match=r"matching\.yaml: the file is missing"):
        load_bank(folder, canonical_entities())


def test_init_makes_a_bank_that_checks_and_refuses_a_folder_in_use(tmp_path: Path) -> None:
    _add_commands()
    runner = CliRunner()
    made = runner.invoke(cli, ["init", str(tmp_path / "mine")])
    assert made.exit_code == 0, made.output
    checked = runner.invoke(cli, ["check", "--bank", str(tmp_path / "mine")])
    assert checked.exit_code == 0, checked.output
    assert "no mistakes" in checked.output
    again = runner.invoke(cli, ["init", str(tmp_path / "mine")])
    assert again.exit_code == 2
    assert "not empty" in again.output


def test_exports_may_be_named_relative_to_the_bank_or_with_home(tmp_path: Path) -> None:
    workspace = Workspace.open("sample", tmp_path)
    assert workspace.exports == tmp_path / "exports"
    assert Workspace.open("sample", tmp_path, tmp_path / "elsewhere").exports == tmp_path / "elsewhere"


def test_a_secret_key_is_made_once_and_must_be_private(tmp_path: Path) -> None:
    workspace = Workspace.open("sample", tmp_path)
    key = workspace.secret_key("card-token")
    assert len(key) == 32
    assert workspace.secret_key("card-token") == key
    path = tmp_path / "secrets" / "card-token.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        workspace.secret_key("card-token")


SHARES = """\
shares:
  marketing:
    title: {en: Marketing, zh: 市场部}
    owner: team:marketing
    purpose: {en: Campaigns., zh: 营销活动。}
    custmers: {everyone: true}
    customers:
      consent: marketting
      branches: ["crm:01"]
    tables:
      mart.customer_360:
        columns:
          - customer_id
          - full_name
          - mobile: {mask: {last: 6}}
      mart.customer_risks:
        columns: [customer_id]
"""


def test_mistakes_of_shares_are_told_with_their_lines(tmp_path: Path) -> None:
    folder = _trusting(tmp_path, "trust: [core]\n")
    shares = folder / "shares.yaml"
    shares.write_text(SHARES, encoding="utf-8")
    with pytest.raises(BankError) as caught:
        load_bank(folder, canonical_entities())
    assert [(problem.line, problem.message) for problem in caught.value.problems] == [
        (15, "the mask keeps too much: 6 characters stay, at most 4 may"),
        (6, "unknown setting (did you mean 'customers'?)"),
    ]
    shares.write_text(SHARES.replace("    custmers: {everyone: true}\n", "").replace("last: 6", "last: 4"))
    with pytest.raises(BankError) as caught:
        load_bank(folder, canonical_entities())
    assert [(problem.line, problem.message) for problem in caught.value.problems] == [
        (7, "bank.yaml has no purpose 'marketting' in consent.purposes"),
        (8, "no contract describes 'crm' (allowed: cards, core, loans)"),
        (13, "full_name is of class C2: say how it is given, as in {full_name: {mask: {first: 1}}}, or 'keep'"),
        (15, "no table 'mart.customer_risks' is published (did you mean 'mart.customer_risk'?)"),
    ]
