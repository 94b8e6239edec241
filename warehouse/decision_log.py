"""The stewards' decision log: the columns of its rows. What they mean is ``models.identity.decisions``'s matter."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from models.identity.decisions import LogRow
from warehouse.append_only import AppendOnlyLog

TABLE = sa.Table(
    "steward_decision",
    sa.MetaData(),
    sa.Column("decision_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("made_at", sa.DateTime, nullable=False, comment="UTC"),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("left_records", sa.JSON, nullable=False, comment="[[system, record_id], ...]"),
    sa.Column("right_records", sa.JSON, nullable=False, comment="[[system, record_id], ...]"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("refers_to", sa.BigInteger, sa.ForeignKey("steward_decision.decision_id")),
    sa.Column("needs_approval", sa.Boolean, nullable=False),
    sa.CheckConstraint("verdict in ('same', 'different', 'withdraw', 'approve')", name="known_verdict"),
    sa.CheckConstraint("(verdict in ('withdraw', 'approve')) = (refers_to is not null)", name="reference"),
    sa.CheckConstraint("trim(reason) <> ''", name="reason_given"),
    sa.CheckConstraint("trim(made_by) <> ''", name="maker_given"),
)


class DecisionLog(AppendOnlyLog[LogRow]):
    """The stewards' decisions at a SQLAlchemy URL."""

    name = "decision log"
    table = TABLE

    def _from_row(self, row: sa.Row[Any]) -> LogRow:
        return LogRow(
            decision_id=row.decision_id,
            made_at=row.made_at.replace(tzinfo=dt.UTC),
            made_by=row.made_by,
            verdict=row.verdict,
            left=tuple((system, record_id) for system, record_id in row.left_records),
            right=tuple((system, record_id) for system, record_id in row.right_records),
            reason=row.reason,
            refers_to=row.refers_to,
            needs_approval=row.needs_approval,
        )

    def _values(self, row: LogRow) -> dict[str, object]:
        return {
            "decision_id": row.decision_id,
            "made_at": row.made_at.astimezone(dt.UTC).replace(tzinfo=None),
            "made_by": row.made_by,
            "verdict": row.verdict,
            "left_records": [list(record) for record in row.left],
            "right_records": [list(record) for record in row.right],
            "reason": row.reason,
            "refers_to": row.refers_to,
            "needs_approval": row.needs_approval,
        }
