"""Tombstones: digests of what was forgotten, by which later deliveries of it are known; never a value.

    <folder>/tombstones.jsonl    one JSON object for each customer that was forgotten: id, forgotten_on, digests

The key of the digests lies with the home's other secrets; a line made with it shows whether it is still the same one.
What is digested, and what is done with rows that are found by it, is ``sources.forgetting``'s matter.
"""

import datetime as dt
import hashlib
import hmac
import json
import os
from collections.abc import Iterable
from pathlib import Path


class TombstoneError(RuntimeError):
    """The tombstones cannot be used; says why and what to do. No night runs without them."""


class TombstoneFile:
    """The tombstones of one home.

    Args:
        path: the file; made on first use, for its owner alone.
        key: the secret of the digests.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._check = hmac.new(key, b"tombstones", hashlib.sha256).hexdigest()

    def read(self) -> dict[str, dt.date]:
        """Every digest, and the day on which its party was forgotten.

        Raises:
            TombstoneError: the file was made with another key, or cannot be read.
        """
        if not self.path.exists():
            return {}
        found: dict[str, dt.date] = {}
        try:
            for line in self.path.read_text(encoding="ascii").splitlines():
                said = json.loads(line)
                if said["key_check"] != self._check:
                    raise TombstoneError(
                        f"{self.path} was made with another key than secrets/tombstone.key: restore that key from a "
                        "backup; without it forgotten customers would come back"
                    )
                found |= dict.fromkeys(said["digests"], dt.date.fromisoformat(said["forgotten_on"]))
        except (ValueError, KeyError, TypeError):
            raise TombstoneError(f"{self.path} cannot be read; restore it from a backup") from None
        return found

    def add(self, tombstone_id: str, forgotten_on: dt.date, digests: Iterable[str]) -> None:
        """Add one customer's digests; nothing is added twice."""
        lines = self.path.read_text(encoding="ascii").splitlines() if self.path.exists() else []
        if any(json.loads(line)["id"] == tombstone_id for line in lines):
            return
        said = {"id": tombstone_id, "forgotten_on": forgotten_on.isoformat(), "key_check": self._check}
        lines.append(json.dumps(said | {"digests": sorted(digests)}))
        write_private(self.path, "\n".join(lines) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all, and flush it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
