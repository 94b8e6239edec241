"""What ``shares.yaml`` says: which department gets which columns of which customers, how treated, and for what purpose.

Here the form is checked, setting by setting. Whether the tables and columns exist and may be given like that is
``warehouse.shares.policy``'s matter. Deny by default: there is no wildcard, and what is not listed is not there.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, field_validator, model_validator

from warehouse.shares.treatments import Keep, Tokenise, Treatment, parse_treatment

ShareName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Bilingual(_Section):
    """A text in English and Chinese."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class ColumnGrant(_Section):
    """A column that a share has; without a treatment that of its class applies."""

    name: str
    treatment: Treatment | None = None


def _column_grant(said: Any) -> ColumnGrant:
    if isinstance(said, str):
        return ColumnGrant(name=said)
    if isinstance(said, dict) and len(said) == 1:
        [(name, treatment)] = said.items()
        return ColumnGrant(name=name, treatment=parse_treatment(treatment))
    raise ValueError("a column is its name, or {name: treatment}")


class TableSettings(_Section):
    """Columns of one table, and which of its rows: a predicate over the table's columns as they are in the release."""

    columns: tuple[Annotated[ColumnGrant, PlainValidator(_column_grant)], ...] = Field(min_length=1)
    where: str | None = None


class CustomerFilter(_Section):
    """Whose rows a share has; all conditions must hold.

    Attributes:
        everyone: said where a department needs every customer; then nothing else is said.
        consent: a purpose; only customers whose consent to it stands.
        active: only customers who hold a product on the business date.
        branches: only customers of these branches, each ``system:branch_id``.
        where: a predicate over the columns of ``mart.customer_360``.
        legal_duty: the department has a duty by law to look at everyone of these, also at customers who asked to be
            forgotten and whose data is kept for such duties alone (``customer.restriction``); all other shares are
            without them.
    """

    everyone: bool = False
    consent: str | None = None
    active: bool = False
    branches: tuple[str, ...] = ()
    where: str | None = None
    legal_duty: bool = False

    @property
    def conditions(self) -> bool:
        """Whether some customers are left out."""
        return bool(self.consent or self.active or self.branches or self.where)

    @model_validator(mode="after")
    def _said_whose(self) -> "CustomerFilter":
        if self.everyone == self.conditions:
            raise ValueError("say either 'everyone: true' or at least one of consent, active, branches, where")
        return self

    @field_validator("branches")
    @classmethod
    def _with_system(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [branch for branch in value if not all(branch.partition(":"))]:
            raise ValueError(f"a branch is SYSTEM:BRANCH_ID, not {', '.join(map(repr, wrong))}")
        return value


def _class_treatments(said: Any) -> dict[str, Treatment]:
    if not isinstance(said, dict):
        raise ValueError("classes is a mapping of PII class to treatment, as in {none: keep, C1: tokenise}")
    if "C3" in said:
        raise ValueError("C3 authenticates and is in no share, whatever the treatment")
    if other := sorted(set(said) - {"none", "C1"}):
        raise ValueError(f"{', '.join(other)}: only none and C1 have a treatment for all; C2 is said column by column")
    return {name: parse_treatment(treatment) for name, treatment in said.items()}


class ShareSettings(_Section):
    """One share.

    Attributes:
        title: the department.
        owner: who answers for the share, as ``team:marketing``.
        purpose: what the data may be used for (PIPL article 6: no more than that needs).
        encrypted: whether the file can be opened only with the department's key.
        tokens: another share whose key makes the tokens, so that the two can be joined; by default its own.
        classes: treatment of a granted column that says none, by PII class; ids and other C1 are tokenised by default.
        customers: whose rows.
        tables: what, by table id.
    """

    title: Bilingual
    owner: str = Field(min_length=1)
    purpose: Bilingual
    encrypted: bool = False
    tokens: str | None = None
    classes: Annotated[dict[str, Treatment], PlainValidator(_class_treatments)] = Field(default_factory=dict)
    customers: CustomerFilter
    tables: dict[str, TableSettings] = Field(min_length=1)

    def treatment(self, pii: str) -> Treatment | None:
        """Treatment of a granted column of a class that says none itself; None where it must say one."""
        by_default: dict[str, Treatment] = {"none": Keep(), "C1": Tokenise()}
        return {**by_default, **self.classes}.get(pii)


class SharesSettings(_Section):
    """All shares, by name."""

    shares: dict[ShareName, ShareSettings] = Field(default_factory=dict)
