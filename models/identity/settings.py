"""Settings of identity resolution: the shape of a bank's ``matching.yaml``.

Here lives what a bank may change and what applies where it says nothing; an empty file works for any bank.
Here does not live how records are standardised (``standardise_settings``), nor the levels that comparisons
tell apart (``comparisons``).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from models.identity.blocking_keys import KEYS
from models.identity.comparisons import CATALOGUE
from models.identity.standardise_settings import StandardiseSettings
from models.identity.survivorship_settings import SurvivorshipSettings
from models.model_store import AUTO, is_model_id

Constraint = Literal["document", "birth_date_and_sex", "shared_document"]
Share = Annotated[float, Field(gt=0, lt=1)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ComparisonSettings(_Settings):
    """What a bank says about one comparison.

    Attributes:
        use: Whether the comparison counts at all.
        prior_m: Share among true matches, by level: what is expected until training has seen enough. Levels
            that are not named share what is left.
        bits: Fixed match weight by level, in bits; training leaves it alone.
    """

    use: bool = True
    prior_m: dict[str, Share] = {}
    bits: dict[str, float] = {}

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if sum(self.prior_m.values()) > 1:
            raise ValueError(f"prior_m: shares add up to {sum(self.prior_m.values()):g}, more than 1")
        return self


def _rule(keys: tuple[str, ...]) -> tuple[str, ...]:
    if not keys:
        raise ValueError("a blocking rule names at least one key")
    if len(set(keys)) < len(keys):
        raise ValueError(f"a blocking rule names a key twice: {', '.join(keys)}")
    return keys


BlockingRule = Annotated[tuple[str, ...], AfterValidator(_rule)]

_PERSON_RULES: tuple[BlockingRule, ...] = (
    ("document",),
    ("mobile",),
    ("email",),
    ("name", "birth_date"),
    ("latin", "birth_date"),
    ("surname", "birth_date"),
    ("given_name", "birth_date"),
    ("document_tail",),
    ("document_head", "name"),
    ("document_head", "latin"),
    ("document_end", "name"),
    ("document_end", "latin"),
    ("document_end", "birth_date"),
    ("name", "address"),
    ("latin", "address"),
    ("birth_date", "address"),
    ("name", "birth_month_day"),
    ("name", "birth_year", "sex"),
)
_ORGANISATION_RULES: tuple[BlockingRule, ...] = (
    ("document",),
    ("phone",),
    ("email",),
    ("name",),
    ("core",),
    ("latin",),
    ("document_tail",),
    ("address", "legal_form"),
)


class PartySettings(_Settings):
    """How parties of one type are blocked and compared.

    Attributes:
        blocking: Rules; a pair is a candidate when it agrees on every key of at least one rule.
        split_by: Keys by which a block above the cap is split.
        comparisons: Changes to comparisons, by name.
    """

    blocking: tuple[BlockingRule, ...] = Field(min_length=1, max_length=62)
    split_by: tuple[str, ...]
    comparisons: dict[str, ComparisonSettings] = {}


def _person() -> PartySettings:
    return PartySettings(blocking=_PERSON_RULES, split_by=("birth_date", "name", "latin", "region"))


def _organisation() -> PartySettings:
    return PartySettings(blocking=_ORGANISATION_RULES, split_by=("name", "region", "document_tail"))


class TrainingSettings(_Settings):
    """How the weights are estimated.

    Attributes:
        seed: Seed of every sample.
        random_pairs: Random pairs from which u is estimated.
        labelled_records: Records of nodes with several records, whose pairs are known matches, sampled for m.
        em_pairs: Candidate pairs of one expectation-maximisation session.
        minimum_pairs: Fewer matches than that do not count as an estimate of m.
        prior_pairs: Imagined pairs that carry the prior shares when they are mixed with the estimate.
        frequency_minimum: A name's frequency is stored from that many nodes on; rarer names share one value,
            so that the model names nobody.
    """

    seed: int = 20_240_131
    random_pairs: int = Field(default=1_000_000, ge=1000)
    labelled_records: int = Field(default=30_000, ge=100)
    em_pairs: int = Field(default=1_000_000, ge=1000)
    minimum_pairs: int = Field(default=100, ge=1)
    prior_pairs: int = Field(default=50, ge=1)
    frequency_minimum: int = Field(default=10, ge=3)


class SecondPassSettings(_Settings):
    """How whole groups are compared once more, with the evidence of all their records merged.

    Attributes:
        use: Whether there is a second pass.
        threshold_bits: Match weight of the merged evidence from which a small group joins another; by default the
            merge threshold.
        margin_bits: By so much its best partner must be better than its second best.
        small_records: A group of at most so many records may join another.
        rounds: How often it is done, while it joins anything.
    """

    use: bool = True
    threshold_bits: float | None = None
    margin_bits: float = Field(default=3.0, ge=0)
    small_records: int = Field(default=3, ge=1)
    rounds: int = Field(default=2, ge=1, le=10)


class MatchingSettings(_Settings):
    """Everything that identity resolution is told about a bank.

    Attributes:
        standardise: How records are standardised.
        trust: Systems in the order in which their values are believed, best first; others follow by name.
        survivorship: By which criteria each field of the golden record is chosen.
        model: ``<name>-<version>`` of the approved model; ``auto`` lets the first night of a home train and pin one.
        person: How persons are blocked and compared.
        organisation: How organisations are blocked and compared.
        merge_threshold_bits: Match weight from which a pair links two nodes.
        cohesion_bits: Average match weight of all pairs between two groups of linked nodes from which they are joined.
        component_cap: More nodes than that are never linked into one component: the links must be stronger there.
        second_pass: How whole groups are compared once more.
        review_threshold_bits: Match weight from which a pair is kept, for a steward to look at.
        ambiguity_bits: A node that fits two others which exclude each other joins one of them only if that
            one is better by more than this.
        block_cap: Largest block whose pairs are all compared; larger ones are split.
        block_window: Where splitting does not help: neighbours compared with each node of the sorted block.
        constraints: Facts that forbid a merge: two different valid strong documents of one type; birth date
            and sex both in conflict; one valid document on parties that do not fit each other.
        household_max_size: A group of more persons than that is no household.
        training: How the weights are estimated.
    """

    standardise: StandardiseSettings = StandardiseSettings()
    trust: tuple[str, ...] = ()
    survivorship: SurvivorshipSettings = SurvivorshipSettings()
    model: str = AUTO
    person: PartySettings = Field(default_factory=_person)
    organisation: PartySettings = Field(default_factory=_organisation)
    merge_threshold_bits: float = 5.0
    cohesion_bits: float = 0.0
    component_cap: int = Field(default=200, ge=2)
    second_pass: SecondPassSettings = SecondPassSettings()
    review_threshold_bits: float = 0.0
    ambiguity_bits: float = Field(default=3.0, ge=0)
    block_cap: int = Field(default=100, ge=2)
    block_window: int = Field(default=10, ge=1)
    constraints: tuple[Constraint, ...] = ("document", "birth_date_and_sex", "shared_document")
    household_max_size: int = Field(default=12, ge=2)
    training: TrainingSettings = TrainingSettings()

    @model_validator(mode="before")
    @classmethod
    def _keep_defaults(cls, given: Any) -> Any:
        """A bank that changes one thing of a party type keeps the rest."""
        if not isinstance(given, dict):
            return given
        merged = dict(given)
        for party_type, default in (("person", _person()), ("organisation", _organisation())):
            if isinstance(merged.get(party_type), dict):
                merged[party_type] = {**default.model_dump(), **merged[party_type]}
        return merged

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        mistakes = [m for name in CATALOGUE for m in _mistakes(name, self.party(name))]
        if self.review_threshold_bits > self.merge_threshold_bits:
            mistakes.append("review_threshold_bits is above merge_threshold_bits: no pair would be reviewed")
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    @field_validator("model")
    @classmethod
    def _versioned(cls, value: str) -> str:
        if value != AUTO and not is_model_id(value):
            raise ValueError(f"{value!r} is neither auto nor <name>-<version>, as c360 train prints it")
        return value

    def systems(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every system that is named, and where: (path, system)."""
        for place, system in enumerate(self.trust):
            yield ("trust", place), system
        for where, system in self.survivorship.systems():
            yield ("survivorship", *where), system

    def party(self, party_type: str) -> PartySettings:
        """Settings of ``person`` or ``organisation``."""
        return self.person if party_type == "person" else self.organisation


def _mistakes(party_type: str, party: PartySettings) -> list[str]:
    found = []
    known = KEYS[party_type]
    for keys in (*party.blocking, party.split_by):
        found += [f"{party_type}: blocking key {k!r} is not one of {', '.join(known)}" for k in keys if k not in known]
    levels = {c.name: [level.name for level in c.levels] for c in CATALOGUE[party_type]}
    for name, settings in party.comparisons.items():
        if name not in levels:
            found.append(f"{party_type}: comparison {name!r} is not one of {', '.join(levels)}")
            continue
        found += [
            f"{party_type}: level {level!r} of {name} is not one of {', '.join(levels[name])}"
            for level in sorted({*settings.prior_m, *settings.bits} - set(levels[name]))
        ]
    return found


def load_matching_settings(path: Path) -> MatchingSettings:
    """Read a ``matching.yaml``; an empty file gives the defaults.

    Raises:
        pydantic.ValidationError: unknown or wrong settings, all at once.
    """
    return MatchingSettings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
