"""A workspace: one bank, one home folder, and the rooms opened over them.

Home holds everything that a bank's nights make: ``lake/``, ``warehouse/``, ``models/``, ``dagster/``,
``spill/``, ``secrets/``, ``stewards/``, ``audit/``, ``forgotten/``. Nothing is written outside it.
"""

import datetime as dt
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from models.identity.matching_model import ModelArtefact
from models.model_store import ModelStore
from models.tables import Table, load_tables
from models.value.fitted_model import FittedModel
from pipelines.bank import Bank, find_bank, load_bank
from sources.forgetting import Tombstones
from sources.mapping import CanonicalColumn
from warehouse.audit import AuditLog
from warehouse.build import Bounds
from warehouse.engine import Engine
from warehouse.lake import Lake
from warehouse.release_store import ReleaseStore
from warehouse.shares.keys import KeyFile
from warehouse.shares.store import ShareStore
from warehouse.tombstones import TombstoneFile
from warehouse.value_cache import ValueCache

if TYPE_CHECKING:
    from models.lineage import Edge
    from warehouse.consent_log import ConsentLog
    from warehouse.decision_log import DecisionLog
    from warehouse.quarantine_log import QuarantineLog
    from warehouse.restriction_log import RestrictionLog

DEFAULT_BANK = "sample"
DEFAULT_HOME = "data"
NO_MODEL = "none"


@dataclass(frozen=True)
class Workspace:
    """A bank's settings, its home folder and the folder of its exports."""

    bank: Bank
    home: Path
    exports: Path

    @classmethod
    def open(
        cls, bank: str | None = None, home: str | Path | None = None, exports: str | Path | None = None
    ) -> "Workspace":
        """Open a workspace; what is not given comes from C360_BANK, C360_HOME, C360_EXPORTS, then the defaults.

        Raises:
            BankError: the bank is unknown or its folder has mistakes.
        """
        settings = load_bank(find_bank(bank or os.environ.get("C360_BANK") or DEFAULT_BANK), canonical_entities())
        root = Path(home or os.environ.get("C360_HOME") or DEFAULT_HOME).resolve()
        where = exports or os.environ.get("C360_EXPORTS")
        return cls(settings, root, Path(where).resolve() if where else settings.exports(root))

    def waiting(self, seconds: int | None) -> "Workspace":
        """Return this workspace with another time to wait for deliveries; None leaves bank.yaml's."""
        if seconds is None:
            return self
        deliveries = self.bank.settings.deliveries.model_copy(update={"wait_seconds": seconds})
        settings = self.bank.settings.model_copy(update={"deliveries": deliveries})
        return replace(self, bank=replace(self.bank, settings=settings))

    @property
    def tables(self) -> dict[str, Table]:
        """Definitions of all tables, keyed ``layer.table``."""
        return load_tables()

    @cached_property
    def lineage(self) -> "list[Edge]":
        """Where every column of every table comes from; takes about a second, then it is known."""
        from pipelines.lineage import lineage  # the optimiser of sqlglot loads slowly

        return lineage(self.bank, self.tables)

    @cached_property
    def lake(self) -> Lake:
        """The lake below the home."""
        return Lake(self.home / "lake")

    @cached_property
    def engine(self) -> Engine:
        """DuckDB over the lake, within the bank's bounds."""
        bounds = self.bank.settings.engine
        return Engine(self.lake, self.home / "spill", bounds.memory_limit, bounds.threads)

    @property
    def bounds(self) -> Bounds:
        """Within what DuckDB writes and compares releases."""
        settings = self.bank.settings.engine
        return Bounds(settings.memory_limit, settings.threads, self.home / "spill")

    @cached_property
    def value_cache(self) -> ValueCache:
        """What standardisation remembers from one night to the next; may be deleted."""
        return ValueCache(self.home / "lake" / "known_values")

    @cached_property
    def releases(self) -> ReleaseStore:
        """The releases below the home."""
        kept = self.bank.settings.releases
        return ReleaseStore(self.home / "warehouse", kept.keep, kept.keep_month_ends)

    @property
    def tombstone_file(self) -> TombstoneFile:
        """The digests of what was forgotten."""
        return TombstoneFile(self.home / "forgotten" / "tombstones.jsonl", self.secret_key("tombstone"))

    def tombstones(self) -> Tombstones:
        """What was forgotten, and the key of its digests.

        Raises:
            TombstoneError: the file cannot be read, or was made with another key.
        """
        return Tombstones(self.secret_key("tombstone"), self.tombstone_file.read())

    @cached_property
    def audit(self) -> AuditLog:
        """The audit log below the home."""
        return AuditLog(self.home / "audit")

    @cached_property
    def shares(self) -> ShareStore:
        """The departments' shares below the home."""
        return ShareStore(self.home / "warehouse" / "shares", self.releases)

    @property
    def share_keys(self) -> KeyFile:
        """The shares' secrets: in the file that C360_SHARE_SECRETS names, or below the home."""
        return KeyFile.of_home(self.home, os.environ)

    def decision_log(self) -> "DecisionLog":
        """The stewards' decisions: at C360_STEWARDS_URL, at bank.yaml's URL, or in a file below the home.

        Raises:
            LogError: the URL cannot be used.
        """
        from warehouse.decision_log import DecisionLog  # SQLAlchemy loads slowly

        return DecisionLog(self._stewards_url)

    def consent_log(self) -> "ConsentLog":
        """Statements of consent made by command; in the same database as the stewards' decisions.

        Raises:
            LogError: the URL cannot be used.
        """
        from warehouse.consent_log import ConsentLog

        return ConsentLog(self._stewards_url)

    def restriction_log(self) -> "RestrictionLog":
        """Requests to be forgotten that wait; in the same database as the stewards' decisions.

        Raises:
            LogError: the URL cannot be used.
        """
        from warehouse.restriction_log import RestrictionLog

        return RestrictionLog(self._stewards_url)

    def quarantine_log(self) -> "QuarantineLog":
        """Decisions about rows in quarantine; in the same database as the stewards' decisions.

        Raises:
            LogError: the URL cannot be used.
        """
        from warehouse.quarantine_log import QuarantineLog

        return QuarantineLog(self._stewards_url)

    @property
    def _stewards_url(self) -> str:
        file = f"sqlite:///{self.home / 'stewards' / 'decisions.db'}"
        return os.environ.get("C360_STEWARDS_URL") or self.bank.settings.stewards.url or file

    @cached_property
    def models(self) -> ModelStore[ModelArtefact]:
        """The trained identity models that the bank ships and that this home trained."""
        return ModelStore(
            self.bank.matching.model,
            self.bank.folder / "models",
            self.home / "models" / "identity",
            ModelArtefact.load,
            "matching.yaml",
        )

    def value_models(self, kind: str) -> ModelStore[FittedModel]:
        """The fitted models of one kind (``pd``, ``churn`` ...) that the bank ships and that this home fitted."""
        return ModelStore(
            self.bank.value.models.approved(kind),
            self.bank.folder / "models",
            self.home / "models" / kind,
            FittedModel.load,
            "value.yaml",
        )

    def fitted_models(self) -> dict[str, FittedModel | None]:
        """The model in force of each kind of value; None where a rule stands in, or a night is to fit one.

        Raises:
            ModelError: a model is missing, changed by hand, or not what its name says.
        """
        return {kind: self.value_models(kind).in_force(None) for kind in self.bank.value.models.kinds()}

    def model_in_force(self) -> ModelArtefact | None:
        """The identity model that a night uses now; None where the home's first night is to train one.

        Raises:
            ModelError: the model is missing, changed by hand, or not what its name says.
        """
        current = self.releases.current()
        return self.models.in_force(current.model_version if current and current.model_version != NO_MODEL else None)

    def today(self) -> dt.date:
        """The date in the bank's time zone."""
        return dt.datetime.now(self.bank.zone).date()

    def secret_key(self, purpose: str) -> bytes:
        """The home's own secret key for one purpose, made on first use, readable by its owner alone.

        Args:
            purpose: ``card-token`` (tokens of card numbers), ``audit`` (fingerprints of queries), ``tombstone``
                (digests of what was forgotten), ``quarantine`` (ids of rows in quarantine).

        Raises:
            PermissionError: the key file can be read by others.
        """
        path = self.home / "secrets" / f"{purpose}.key"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # whole or not at all: a process killed here must not leave an empty key, nor another's be replaced
            temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as handle:
                handle.write(secrets.token_hex(32))
                handle.flush()
                os.fsync(handle.fileno())
            with suppress(FileExistsError):
                path.hardlink_to(temporary)
            temporary.unlink()
        if path.stat().st_mode & 0o077:
            raise PermissionError(f"{path} can be read by others than its owner; run: chmod 600 {path}")
        return bytes.fromhex(path.read_text(encoding="ascii").strip())


def canonical_entities() -> dict[str, tuple[CanonicalColumn, ...]]:
    """Columns of each canonical entity that a contract may fill."""
    return {
        table.name: tuple(CanonicalColumn(c.name, c.type, c.required, c.values) for c in table.columns)
        for table in load_tables().values()
        if table.canonical
    }
