"""Training, comparing and approving a model in a home that has published a night."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import FIRST, Outcome, c360

Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    made = c360("--home", home, "sample", "--parties", "600", "--days", "1", "--seed", "7")
    assert made.code == 0, made.output
    done = c360("--home", home, "run", "--date", FIRST.isoformat())
    assert done.code == 0, done.output
    assert "this night trained default-" in done.output
    return home


def _models(home: Path) -> set[str]:
    return {path.stem for path in (home / "models" / "identity").glob("*-*.json")}


def test_a_candidate_changes_nothing_until_it_is_named(home: Path, run: Run, tmp_path: Path) -> None:
    (first,) = _models(home)
    trained = run("--home", home, "train", "--name", "second", "--format", "json")
    assert trained.code == 0, trained.output
    said = json.loads(trained.output)
    assert said["model"].startswith("second-")
    assert said["business_date"] == FIRST.isoformat()
    page = Path(said["report"]).read_text(encoding="utf-8")
    again = run("--home", home, "train", "--name", "second")
    assert again.code == 0, again.output
    assert _models(home) == {first, said["model"]}
    written = re.compile(r"Written [^.]*")
    assert written.sub("", Path(said["report"]).read_text(encoding="utf-8")) == written.sub("", page)
    assert f"matching model: {first}" in run("--home", home, "check").output

    bank = tmp_path / "bank"
    shutil.copytree(Path(__file__).parents[2] / "banks" / "sample", bank)
    matching = (bank / "matching.yaml").read_text(encoding="utf-8")
    (bank / "matching.yaml").write_text(
        re.sub(r"(?m)^model: .*", f"model: {said['model']}", matching), encoding="utf-8"
    )
    assert f"matching model: {said['model']}" in run("--bank", bank, "--home", home, "check").output


def test_a_model_against_itself_changes_nothing(home: Path, run: Run) -> None:
    model = next(name for name in _models(home) if name.startswith("default-"))
    told = run("--home", home, "train", "--compare", model, "--format", "json")
    assert told.code == 0, told.output
    changes = json.loads(told.output)
    assert changes["in_force"] == changes["model"] == model
    assert changes["customers_old"] == changes["customers_new"] > 100
    assert changes["moved_amount"] == "0.00"
    assert changes["largest"] == []
    assert not any(value for name, value in changes.items() if name.endswith(("merged", "split", "moved", "lost")))


def test_a_missing_model_stops_the_night_and_the_check(home: Path, run: Run, tmp_path: Path) -> None:
    bank = tmp_path / "bank"
    shutil.copytree(Path(__file__).parents[2] / "banks" / "sample", bank)
    matching = (bank / "matching.yaml").read_text(encoding="utf-8")
    missing = "default-0123456789abcdef"
    (bank / "matching.yaml").write_text(re.sub(r"(?m)^model: .*", f"model: {missing}", matching), encoding="utf-8")
    for words in (("run", "--date", FIRST.isoformat()), ("check",), ("train", "--compare", missing)):
        told = run("--bank", bank, "--home", home, *words)
        assert told.code == 2, told.output
        assert missing in told.output
        assert "Traceback" not in told.output


@pytest.mark.parametrize("words", [("train",), ("train", "--name", "No Name"), ("train", "--date", "2026-10-29")])
def test_wrong_calls_are_told_with_exit_code_2(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    told = run("--home", tmp_path, *words)
    assert told.code == 2, told.output
    assert "Traceback" not in told.output
