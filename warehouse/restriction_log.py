"""The log of restrictions: the columns of its rows. What they mean is ``models.restriction``'s matter."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from models.restriction import RestrictionRequest
from warehouse.append_only import AppendOnlyLog

TABLE = sa.Table(
    "restriction_request",
    sa.MetaData(),
    sa.Column("restriction_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("made_at", sa.DateTime, nullable=False, comment="UTC"),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("records", sa.JSON, nullable=False, comment="[[system, record_id], ...]"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.CheckConstraint("trim(reason) <> ''", name="reason_given"),
    sa.CheckConstraint("trim(made_by) <> ''", name="maker_given"),
)


class RestrictionLog(AppendOnlyLog[RestrictionRequest]):
    """Requests to be forgotten that wait, at a SQLAlchemy URL, beside the stewards' decisions."""

    name = "log of restrictions"
    table = TABLE

    def _from_row(self, row: sa.Row[Any]) -> RestrictionRequest:
        return RestrictionRequest(
            restriction_id=row.restriction_id,
            made_at=row.made_at.replace(tzinfo=dt.UTC),
            made_by=row.made_by,
            records=tuple((system, record_id) for system, record_id in row.records),
            reason=row.reason,
        )

    def _values(self, row: RestrictionRequest) -> dict[str, object]:
        return {
            "restriction_id": row.restriction_id,
            "made_at": row.made_at.astimezone(dt.UTC).replace(tzinfo=None),
            "made_by": row.made_by,
            "records": [list(record) for record in row.records],
            "reason": row.reason,
        }
