"""Consent by command: a statement of a customer's consent is written down for all its records; nights read the log."""

import datetime as dt
import difflib

from models.consent import ConsentStatement
from pipelines.stewardship import DecisionRefused, records_of
from pipelines.workspace import Workspace


def state_consent(
    workspace: Workspace, who: str, purpose: str, is_granted: bool, by: str, reason: str
) -> ConsentStatement:
    """Write down that a customer consents to a purpose, or no longer does; it counts from the next night on.

    Args:
        workspace: bank and home.
        who: the customer's id, or one of its records as ``SYSTEM:RECORD_ID``: then all records of its customer.
        purpose: one of bank.yaml's ``consent.purposes``.
        is_granted: whether consent is given.
        by: who writes it down.
        reason: why, in words.

    Raises:
        DecisionRefused: the customer or the purpose is unknown, or there is no reason.
        ReleaseError: there is no release to take the records from.
        LogError: the log cannot be written.
        AuditError: it was written down, but not recorded.
    """
    purposes = workspace.bank.settings.consent.purposes
    if purpose not in purposes:
        near = difflib.get_close_matches(purpose, purposes, 1)
        known = f"did you mean {near[0]}?" if near else f"bank.yaml lists {', '.join(purposes) or 'none'}"
        raise DecisionRefused(f"no purpose {purpose!r}: {known} (consent.purposes)")
    said, maker = " ".join(reason.split()), " ".join(by.split())
    if not said or not maker:
        raise DecisionRefused("a statement of consent needs a reason and a name")
    with workspace.releases.connect() as con:
        records = records_of(con, who)
        if ":" in who:
            [(customer_id,)] = con.execute(
                "select customer_id from customer.customer_record where system = ? and record_id = ?", list(records[0])
            ).fetchall()
            records = records_of(con, customer_id)
    now = dt.datetime.now(dt.UTC)
    draft = ConsentStatement(0, now, maker, records, purpose, is_granted, said)
    row = workspace.consent_log().append(lambda _: draft, now)
    verdict = "granted" if is_granted else "withdrawn"
    workspace.audit.append("consent", f"statement {row.consent_id}", {"purpose": purpose, "verdict": verdict})
    return row
