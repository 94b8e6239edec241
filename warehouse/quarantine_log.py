"""The quarantine log: the columns of its rows. What they mean is ``models.quarantine_decisions``'s matter.

Corrected values are personal data: they leave the log with ``redact`` when the customer is forgotten.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from models.quarantine_decisions import QuarantineDecision
from warehouse.append_only import AppendOnlyLog

TABLE = sa.Table(
    "quarantine_decision",
    sa.MetaData(),
    sa.Column("decision_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("made_at", sa.DateTime, nullable=False, comment="UTC"),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("quarantine_id", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False, comment="system.object"),
    sa.Column("changes", sa.JSON(none_as_null=True), comment="{field: raw value}; null: as it is"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("refers_to", sa.BigInteger, sa.ForeignKey("quarantine_decision.decision_id")),
    sa.Column("needs_approval", sa.Boolean, nullable=False),
    sa.CheckConstraint("verdict in ('release', 'discard', 'withdraw', 'approve')", name="known_verdict"),
    sa.CheckConstraint("(verdict in ('withdraw', 'approve')) = (refers_to is not null)", name="reference"),
    sa.CheckConstraint("trim(reason) <> ''", name="reason_given"),
    sa.CheckConstraint("trim(made_by) <> ''", name="maker_given"),
)


class QuarantineLog(AppendOnlyLog[QuarantineDecision]):
    """Decisions about rows in quarantine at a SQLAlchemy URL, beside the stewards' decisions."""

    name = "quarantine log"
    table = TABLE

    def _from_row(self, row: sa.Row[Any]) -> QuarantineDecision:
        return QuarantineDecision(**{**row._mapping, "made_at": row.made_at.replace(tzinfo=dt.UTC)})

    def _values(self, row: QuarantineDecision) -> dict[str, object]:
        return {
            **vars(row),
            "changes": dict(row.changes) if row.changes is not None else None,
            "made_at": row.made_at.astimezone(dt.UTC).replace(tzinfo=None),
        }
