"""What becomes of a column's values in a share: keep, drop, mask, generalise, tokenise, bucket.

Each treatment says which columns it fits, the SQL of the treated value, its type, and itself in words. Which column
gets which treatment is the policy's choice.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from models.tables import Column, Table
from warehouse.ddl import literal, quoted

TOKEN_FUNCTION = "share_token"  # noqa: S105 - the name of the SQL macro that the building defines

MASK = "***"
# more characters than this tell too much of a name, a phone number or an address
MASK_KEEPS_AT_MOST = 4

PERIODS = {"month": "月", "quarter": "季度", "year": "年"}
# what an address may be cut down to, and the columns of the same row that say it
REGIONS = {
    "province": ("province",),
    "city": ("province", "city"),
    "district": ("province", "city", "district"),
}
_REGIONS_ZH = {"province": "省", "city": "市", "district": "区县"}

_WORDS = ("keep", "drop", "tokenise")
_WITH_SETTINGS = ("mask", "generalise", "bucket")

Words = tuple[str, str]


class Treatment:
    """What becomes of a column's values; the plain kind keeps them.

    Attributes:
        name: as shares.yaml calls it.
        is_granted: whether the column is in the share at all.
        keeps_uniqueness: whether different values stay different.
    """

    name = "keep"
    is_granted = True
    keeps_uniqueness = True

    def misfit(self, column: Column, table: Table) -> str | None:
        """Say why the column cannot be treated so; None if it can."""
        return None

    def sql(self, column: Column) -> str:
        """The treated value, as an expression over the table's own columns."""
        return quoted(column.name)

    def treated(self, column: Column) -> Column:
        """The column as the share has it: type, codes, unit, meaning."""
        return column

    def words(self) -> Words:
        """The treatment in English and Chinese."""
        return "as it is", "原值"


class Keep(Treatment):
    """The value as it is."""


class Drop(Treatment):
    """The column is not in the share; as good as not listing it, but said on purpose."""

    name = "drop"
    is_granted = False
    keeps_uniqueness = False


class Tokenise(Treatment):
    """A token of the share's key: the same value has the same token wherever it stands in the share."""

    name = "tokenise"

    def misfit(self, column: Column, table: Table) -> str | None:
        """Ids and other texts can be tokenised; of a few codes every token would be known at once."""
        if not _is_text(column) or column.values:
            return "can be tokenised only if it is a text of no fixed codes"
        return None

    def sql(self, column: Column) -> str:
        """A call of the macro that the building defines."""
        return f"{TOKEN_FUNCTION}({quoted(column.name)})"

    def treated(self, column: Column) -> Column:
        """A text."""
        return _changed(column, "varchar", self.words())

    def words(self) -> Words:
        """The treatment in English and Chinese."""
        return "tokenised with the share's key", "以本共享密钥生成的令牌"


@dataclass(frozen=True)
class Mask(Treatment):
    """The first and last characters stay, between them ``***``; at least half of every value is hidden."""

    first: int = 0
    last: int = 0
    name = "mask"
    keeps_uniqueness = False

    def misfit(self, column: Column, table: Table) -> str | None:
        """Texts can be masked."""
        return (
            None if _is_text(column) and not column.values else "can be masked only if it is a text of no fixed codes"
        )

    def sql(self, column: Column) -> str:
        """A value shorter than twice what stays is hidden whole: of a short name half would be all that matters."""
        value = quoted(column.name)
        left = f"left({value}, {self.first}) || " if self.first else ""
        right = f" || right({value}, {self.last})" if self.last else ""
        shown = f"{left}{literal(MASK)}{right}"
        least = 2 * (self.first + self.last)
        return f"case when length({value}) >= {least} then {shown} when {value} is not null then {literal(MASK)} end"

    def treated(self, column: Column) -> Column:
        """A text."""
        return _changed(column, "varchar", self.words())

    def words(self) -> Words:
        """The treatment in English and Chinese."""
        return (
            f"masked, first {self.first} and last {self.last} characters stay",
            f"已遮蔽，保留前{self.first}位和后{self.last}位",
        )


@dataclass(frozen=True)
class Generalise(Treatment):
    """A date's period, a number cut to multiples of a step, an address's region."""

    to: str | Decimal
    name = "generalise"
    keeps_uniqueness = False

    def misfit(self, column: Column, table: Table) -> str | None:
        """Periods fit dates, steps fit numbers, regions fit addresses of tables that have the region's columns."""
        if isinstance(self.to, Decimal):
            return None if _is_number(column) else f"is no number: it cannot be cut to multiples of {self.to}"
        if self.to in PERIODS:
            return None if _is_time(column) else f"is no date: it has no {self.to}"
        if column.name != "address_text":
            return f"is no address: it has no {self.to}"
        missing = [name for name in REGIONS[self.to] if name not in {c.name for c in table.columns}]
        return f"cannot be cut to the {self.to}: {table.id} has no {', '.join(missing)}" if missing else None

    def sql(self, column: Column) -> str:
        """First day of the period; the multiple next towards zero; the names of the region."""
        value = quoted(column.name)
        if isinstance(self.to, Decimal):
            return f"cast({value} - {value} % {self.to} as {column.type})"
        if self.to in PERIODS:
            return f"cast(date_trunc({literal(self.to)}, {value}) as {column.type})"
        names = ", ".join(quoted(name) for name in REGIONS[self.to])
        return f"case when {value} is not null then nullif(concat_ws(' ', {names}), '') end"

    def treated(self, column: Column) -> Column:
        """The same type; a region may be unknown where the address is not."""
        is_sure = column.required and self.to not in REGIONS
        return _changed(column, column.type, self.words(), column.unit, is_sure)

    def words(self) -> Words:
        """The treatment in English and Chinese."""
        if isinstance(self.to, Decimal):
            return f"cut to multiples of {self.to}", f"按{self.to}取整"
        if self.to in PERIODS:
            return f"generalised to the first day of the {self.to}", f"概化为所在{PERIODS[self.to]}的首日"
        return f"generalised to the {self.to}", f"概化到{_REGIONS_ZH[self.to]}"


@dataclass(frozen=True)
class Bucket(Treatment):
    """The interval between two edges in which a number lies, an enumeration in ascending order: ``[0, 10000)``."""

    edges: tuple[Decimal, ...]
    name = "bucket"
    keeps_uniqueness = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the intervals, ascending; the lower edge belongs to an interval, the upper does not."""
        inner = [f"[{low}, {high})" for low, high in zip(self.edges, self.edges[1:], strict=False)]
        return (f"(, {self.edges[0]})", *inner, f"[{self.edges[-1]}, )")

    def misfit(self, column: Column, table: Table) -> str | None:
        """Numbers can be put into buckets."""
        return None if _is_number(column) else "is no number: it cannot be put into buckets"

    def sql(self, column: Column) -> str:
        """The interval's name."""
        value = quoted(column.name)
        below = (f"when {value} < {e} then {literal(n)}" for e, n in zip(self.edges, self.labels, strict=False))
        return f"case when {value} is null then null {' '.join(below)} else {literal(self.labels[-1])} end"

    def treated(self, column: Column) -> Column:
        """An enumeration: it sorts by the edges, not by the letters."""
        kinds = f"enum({', '.join(literal(label) for label in self.labels)})"
        return _changed(column, kinds, self.words(), column.unit)

    def words(self) -> Words:
        """The treatment in English and Chinese."""
        edges = ", ".join(map(str, self.edges))
        return f"in buckets with the edges {edges}", f"按区间分组，分界值：{edges}"


def parse_treatment(said: Any) -> Treatment:
    """Read one treatment of shares.yaml: a word, or ``mask``, ``generalise`` or ``bucket`` with its setting.

    Raises:
        ValueError: it is none; the text says what would be.
    """
    if isinstance(said, str) and said in _WORDS:
        return {"keep": Keep, "drop": Drop, "tokenise": Tokenise}[said]()
    if isinstance(said, dict) and len(said) == 1:
        [(name, setting)] = said.items()
        if name == "mask":
            return _mask(setting)
        if name == "generalise":
            return _generalise(setting)
        if name == "bucket":
            return _bucket(setting)
    if isinstance(said, str) and said in _WITH_SETTINGS:
        example = {"mask": "{first: 1}", "generalise": "month", "bucket": "[0, 1000, 10000]"}[said]
        raise ValueError(f"{said} needs a setting, as in {{{said}: {example}}}")
    raise ValueError(
        f"{_shown(said)} is no treatment: keep, drop, tokenise, {{mask: {{first: 1, last: 0}}}}, "
        "{generalise: month}, {bucket: [0, 1000]}"
    )


def _mask(setting: Any) -> Mask:
    known = isinstance(setting, dict) and set(setting) <= {"first", "last"}
    if not known or not all(type(n) is int and n >= 0 for n in setting.values()):
        raise ValueError("mask takes {first: N, last: N}, the characters that stay at either end")
    mask = Mask(**setting)
    if mask.first + mask.last > MASK_KEEPS_AT_MOST:
        raise ValueError(
            f"the mask keeps too much: {mask.first + mask.last} characters stay, at most {MASK_KEEPS_AT_MOST} may"
        )
    return mask


def _generalise(setting: Any) -> Generalise:
    if isinstance(setting, str) and (setting in PERIODS or setting in REGIONS):
        return Generalise(setting)
    step = _number(setting)
    if step is None or step <= 0:
        raise ValueError(
            f"generalise takes a period ({', '.join(PERIODS)}) for dates, a region ({', '.join(REGIONS)}) "
            "for addresses, or a step above 0 for numbers"
        )
    return Generalise(step)


def _bucket(setting: Any) -> Bucket:
    edges = [_number(edge) for edge in setting] if isinstance(setting, list) else []
    known = [edge for edge in edges if edge is not None]
    if not known or len(known) != len(edges) or known != sorted(set(known)):
        raise ValueError("bucket takes a list of ascending edges, as in {bucket: [0, 1000, 10000]}")
    return Bucket(tuple(known))


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _shown(said: Any) -> str:
    return repr(said) if isinstance(said, str) else "this"


def _changed(column: Column, kind: str, words: Words, unit: str | None = None, required: bool | None = None) -> Column:
    return Column(
        column.name,
        kind,
        column.required if required is None else required,
        column.pii,
        unit,
        f"{column.en}; here {words[0]}",
        f"{column.zh}；{words[1]}",
        refers_to=column.refers_to,
    )


def _is_text(column: Column) -> bool:
    return column.type == "varchar"


def _is_time(column: Column) -> bool:
    return column.type in ("date", "timestamp")


def _is_number(column: Column) -> bool:
    return column.type in ("integer", "bigint", "double") or column.type.startswith("decimal")
