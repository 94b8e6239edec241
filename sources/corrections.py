"""Whether a row in quarantine may be released, as it is or with other values: judged before it is written down.

Values are raw text as the source would deliver it; card numbers become tokens here and are kept nowhere else. Messages
name fields and rules, never a value.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from sources.arrival import card_tokens
from sources.contract import SourceObject
from sources.errors import DeliveryError
from sources.problems import hint
from sources.readers import LINE, Trouble, open_file
from sources.released_rows import KEY_RULE, Changes, broken_rules

_ENCODING = "encoding"
_REPLACED = "\ufffd"


class CorrectionError(ValueError):
    """A row cannot be released so; ``problems`` holds one line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True)
class Correction:
    """What somebody wants to release a row with.

    Attributes:
        values: fields with their new raw values.
        file: like a delivery of the object that holds this row alone.
    """

    values: Mapping[str, str]
    file: Path | None = None


def check_correction(
    obj: SourceObject,
    business_date: dt.date,
    rule: str,
    record: Changes | None,
    correction: Correction,
    token_key: bytes | None,
) -> Changes | None:
    """The fields of the row that get other values; None if it is released as it is.

    Args:
        obj: the object.
        business_date: date of the delivery that brought the row.
        rule: why it is in quarantine.
        record: its fields; None if it could not be read.
        correction: what is to be other; nothing: its rule is waived.
        token_key: key of card tokens; needed if the contract tokenises a field.

    Raises:
        CorrectionError: it would not land so; everything that is wrong is listed.
    """
    if correction.file is None:
        # bytes that are no text may have shifted the fields beside them; values of a database stand for themselves
        if record is None or (rule == _ENCODING and obj.delivery.format != "sql"):
            raise CorrectionError(["nobody knows its fields; give the whole row anew: --file FILE"])
        if not correction.values and rule != _ENCODING:
            if rule == KEY_RULE:
                raise CorrectionError([f"without a key of its own it cannot land: {_named(obj.primary_key)}"])
            return None
    names = [field.name for field in obj.fields]
    if unknown := [name for name in correction.values if name not in names]:
        raise CorrectionError([f"{obj.system}.{obj.name} has no field {one!r}{hint(one, names)}" for one in unknown])
    tokens = card_tokens(obj, token_key)
    changes: dict[str, str | None] = dict(_read(obj, correction.file)) if correction.file else {}
    changes |= correction.values
    for field in obj.fields:
        if tokens and field.tokenise and (value := changes.get(field.name)):
            changes[field.name] = tokens.token(value)
    righted = {**(record or {}), **changes}
    broken = [name for name in names if _REPLACED in (righted.get(name) or "")] if rule == _ENCODING else []
    problems = [f"{name}: its bytes are no text; give it anew: --set {name}=..." for name in broken]
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        problems += broken_rules(con, obj, business_date, righted)
    if problems:
        raise CorrectionError(problems)
    return changes


def _named(key: tuple[str, ...]) -> str:
    return " ".join(f"--set {name}=..." for name in key)


def _read(obj: SourceObject, path: Path) -> Changes:
    """The one row of a file that is like a delivery of the object."""
    if obj.delivery.format == "sql":
        raise CorrectionError(["a row of a database has no file; give its fields: --set FIELD=VALUE"])
    alone = replace(obj, delivery=obj.delivery.model_copy(update={"skip_lines": 0, "trailer_lines": 0}))
    troubles: list[Trouble] = []
    try:
        rows = [
            row for batch in open_file(alone, path, path.name).batches(troubles.append) for row in batch.to_pylist()
        ]
    except DeliveryError as error:
        raise CorrectionError(list(error.problems)) from None
    problems = [f"{path.name} line {one.line}: {f'{one.field}: ' if one.field else ''}{one.reason}" for one in troubles]
    if not problems and len(rows) != 1:
        header = ", below the header" if obj.delivery.format in ("csv", "excel") and obj.delivery.header else ""
        problems = [f"{path.name} holds {len(rows)} rows; it must hold the corrected one alone{header}"]
    if problems:
        raise CorrectionError(problems)
    return {name: value for name, value in rows[0].items() if name != LINE}
