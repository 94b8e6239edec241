"""The Dagster instance of a home: the settings of the root's dagster.yaml, storage below ``<home>/dagster``."""

from pathlib import Path
from typing import Any

import yaml
from dagster import DagsterInstance
from filelock import FileLock

SETTINGS = Path(__file__).parent.parent / "dagster.yaml"


def prepare_instance(home: Path) -> Path:
    """Write ``<home>/dagster/dagster.yaml`` and return its folder, the DAGSTER_HOME of this home.

    It is the root's dagster.yaml; where that keeps SQLite and artifacts below the default home, here they lie
    below this one. Another storage (PostgreSQL) stays as configured.
    """
    folder = home.resolve() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    if "sqlite" in settings.get("storage", {}):
        settings["storage"]["sqlite"]["base_dir"] = str(folder)
    settings["local_artifact_storage"]["config"]["base_dir"] = str(folder)
    text = "# Made from the project's dagster.yaml at every start; change that one.\n" + yaml.safe_dump(settings)
    target = folder / "dagster.yaml"
    # two processes that first open a new SQLite storage at once both create its tables and leave it broken
    with FileLock(folder / ".prepare.lock"):
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
            DagsterInstance.from_config(str(folder)).dispose()
    return folder


def open_instance(home: Path) -> DagsterInstance:
    """Open the home's instance; use it as a context manager."""
    return DagsterInstance.from_config(str(prepare_instance(home)))
