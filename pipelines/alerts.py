"""Telling people that a night failed, whoever started it.

Every alert is a line of ``<home>/alerts.jsonl``; where bank.yaml names a command, it is run with the text on
its standard input (a mailer, a pager). Alerts name files, tables and counts, never values.
"""

import datetime as dt
import json
import subprocess

from pipelines.workspace import Workspace


def alert(workspace: Workspace, subject: str, text: str) -> None:
    """Record an alert, then hand it to the bank's command; a command that fails is recorded, not raised."""
    entry = {"at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "subject": subject, "text": text}
    command = workspace.bank.settings.alerts.command
    if command:
        done = subprocess.run(command, input=f"{subject}\n\n{text}\n", text=True, capture_output=True, check=False)  # noqa: S603 - the bank's own command
        entry["command_exit_code"] = str(done.returncode)
    workspace.home.mkdir(parents=True, exist_ok=True)
    with (workspace.home / "alerts.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry, ensure_ascii=False) + "\n")
