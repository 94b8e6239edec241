"""Which model is in force: approved by name, pinned by the first night, or gone on with; and what is refused."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from models.identity.matching_model import ModelArtefact, PartyModel, prior_comparisons
from models.identity.settings import MatchingSettings
from models.model_store import PIN, ModelError, ModelStore

DAY = dt.date(2026, 10, 29)


def _model(prior: float) -> ModelArtefact:
    comparisons = prior_comparisons(MatchingSettings(), "person")
    return ModelArtefact("default", {"person": PartyModel(prior, comparisons, {}, {})})


OLD, NEW = _model(1e-4), _model(1e-5)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "bank" / "models", tmp_path / "home" / "models" / "identity"


def _store(folders: tuple[Path, Path], approved: str = "auto") -> ModelStore[ModelArtefact]:
    return ModelStore(approved, *folders, ModelArtefact.load, "matching.yaml")


def test_a_home_without_a_model_has_none(folders: tuple[Path, Path]) -> None:
    assert _store(folders).in_force(None) is None


def test_a_candidate_is_never_used_by_itself(folders: tuple[Path, Path]) -> None:
    NEW.save(folders[1])
    assert _store(folders).in_force(None) is None


def test_the_pinned_model_stays_whatever_is_trained_later(folders: tuple[Path, Path]) -> None:
    OLD.save(folders[1])
    _store(folders).set_pin(OLD, DAY)
    NEW.save(folders[1])
    NEW.save(folders[0])
    in_force = _store(folders).in_force(NEW.id)
    assert in_force is not None
    assert in_force.id == OLD.id
    pin = _store(folders).pin()
    assert pin is not None
    assert (pin.model, pin.business_date) == (OLD.id, DAY)


def test_a_home_of_before_pins_goes_on_with_the_model_of_its_release(folders: tuple[Path, Path]) -> None:
    OLD.save(folders[1])
    NEW.save(folders[1])
    in_force = _store(folders).in_force(OLD.id)
    assert in_force is not None
    assert in_force.id == OLD.id


@pytest.mark.parametrize("folder", [0, 1], ids=["the bank's", "the home's"])
def test_the_approved_model_is_used_and_not_the_pinned_one(folders: tuple[Path, Path], folder: int) -> None:
    OLD.save(folders[1])
    _store(folders).set_pin(OLD, DAY)
    NEW.save(folders[folder])
    in_force = _store(folders, NEW.id).in_force(OLD.id)
    assert in_force is not None
    assert in_force.id == NEW.id


def test_a_bank_that_wants_no_model_has_none_whatever_is_pinned(folders: tuple[Path, Path]) -> None:
    OLD.save(folders[1])
    _store(folders).set_pin(OLD, DAY)
    assert _store(folders, "none").in_force(OLD.id) is None


def test_a_missing_model_is_named_with_the_places_where_it_was_sought(folders: tuple[Path, Path]) -> None:
    with pytest.raises(ModelError) as caught:
        _store(folders, NEW.id).in_force(None)
    assert all(str(part) in str(caught.value) for part in (NEW.id, *folders))


def test_a_lost_pinned_model_is_not_trained_anew(folders: tuple[Path, Path]) -> None:
    path = OLD.save(folders[1])
    _store(folders).set_pin(OLD, DAY)
    path.unlink()
    with pytest.raises(ModelError, match="restore it from a backup"):
        _store(folders).in_force(None)


def test_a_model_changed_by_hand_is_refused(folders: tuple[Path, Path]) -> None:
    path = OLD.save(folders[1])
    path.write_text(path.read_text(encoding="utf-8").replace("0.985", "0.5"), encoding="utf-8")
    with pytest.raises(ModelError, match="changed by hand"):
        _store(folders, OLD.id).in_force(None)


def test_a_model_under_the_name_of_another_is_refused(folders: tuple[Path, Path]) -> None:
    path = OLD.save(folders[1])
    shutil.copy(path, folders[1] / f"{NEW.id}.json")
    with pytest.raises(ModelError, match=f"holds the model {OLD.id}"):
        _store(folders, NEW.id).in_force(None)


@pytest.mark.parametrize("text", ["", "[]", '{"model": "x"}', '{"model": "x", "business_date": "soon"}'])
def test_a_broken_pin_is_said(folders: tuple[Path, Path], text: str) -> None:
    folders[1].mkdir(parents=True)
    (folders[1] / PIN).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        _store(folders).in_force(None)


@pytest.mark.parametrize("model", ["default", "default-1234", "../x-0123456789abcdef", ""])
def test_only_a_name_with_its_version_is_approved(model: str) -> None:
    with pytest.raises(ValueError, match="neither auto nor"):
        MatchingSettings(model=model)
