"""The consent log: the columns of its rows. What they mean is ``models.consent``'s matter."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from models.consent import ConsentStatement
from warehouse.append_only import AppendOnlyLog

TABLE = sa.Table(
    "consent_statement",
    sa.MetaData(),
    sa.Column("consent_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("made_at", sa.DateTime, nullable=False, comment="UTC"),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("records", sa.JSON, nullable=False, comment="[[system, record_id], ...]"),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("is_granted", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.CheckConstraint("trim(purpose) <> ''", name="purpose_given"),
    sa.CheckConstraint("trim(reason) <> ''", name="reason_given"),
    sa.CheckConstraint("trim(made_by) <> ''", name="maker_given"),
)


class ConsentLog(AppendOnlyLog[ConsentStatement]):
    """Statements of consent at a SQLAlchemy URL, beside the stewards' decisions."""

    name = "consent log"
    table = TABLE

    def _from_row(self, row: sa.Row[Any]) -> ConsentStatement:
        return ConsentStatement(
            consent_id=row.consent_id,
            made_at=row.made_at.replace(tzinfo=dt.UTC),
            made_by=row.made_by,
            records=tuple((system, record_id) for system, record_id in row.records),
            purpose=row.purpose,
            is_granted=row.is_granted,
            reason=row.reason,
        )

    def _values(self, row: ConsentStatement) -> dict[str, object]:
        return {
            "consent_id": row.consent_id,
            "made_at": row.made_at.astimezone(dt.UTC).replace(tzinfo=None),
            "made_by": row.made_by,
            "records": [list(record) for record in row.records],
            "purpose": row.purpose,
            "is_granted": row.is_granted,
            "reason": row.reason,
        }
