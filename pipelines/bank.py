"""A bank: the folder that holds everything that differs between banks, read and checked as one.

``bank.yaml`` (this module), ``contracts/*.odcs.yaml`` (sources.contract), ``matching.yaml`` (models.identity), and,
where the bank values its customers, ``value.yaml`` (models.value), where departments get shares, ``shares.yaml``
(warehouse.shares).
All mistakes of all files are found in one pass, with file and line.
"""

import datetime as dt
import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from models.identity.settings import MatchingSettings
from models.tables import load_tables
from models.value.settings import ValueSettings
from quality.drift import MEASURES, Bound
from quality.suites import CHECKS, CheckFileError, handwritten_suites
from sources.contract import Contract, parse_contract
from sources.mapping import CanonicalColumn, check_fills
from sources.odcs import nested_model
from sources.problems import Document, Problem, hint
from warehouse.shares.policy import mistakes
from warehouse.shares.settings import SharesSettings

BANKS = Path(__file__).parent.parent / "banks"

Model = TypeVar("Model", bound=BaseModel)
NamedSystem = tuple[tuple[str | int, ...], str]
_Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeliverySettings(_Section):
    """How long a night waits for deliveries, in seconds; settle: a file without control must rest that long."""

    wait_seconds: int = Field(30, ge=0)
    settle_seconds: float = Field(2, ge=0)


class ReleaseSettings(_Section):
    """How many of the latest releases are kept, and of how many earlier months the last one."""

    keep: int = Field(7, ge=1)
    keep_month_ends: int = Field(12, ge=0)


class EngineSettings(_Section):
    """Bounds of DuckDB: memory before it spills to disk, and threads."""

    memory_limit: str = Field("8GB", pattern=r"^\d+(\.\d+)?\s*(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")
    threads: int = Field(2, ge=1)


class AlertSettings(_Section):
    """A command that gets the text of an alert on its standard input, as a list of its words; none by default."""

    command: tuple[str, ...] = ()


class StewardSettings(_Section):
    """Where stewards' decisions are logged (SQLAlchemy URL; a file below the home by default), and four eyes."""

    url: str | None = Field(None, pattern=r"^(sqlite:///|postgresql(\+\w+)?://)")
    four_eyes: bool = False


class ConsentSettings(_Section):
    """Purposes that customers are asked to consent to, as the contracts map them."""

    purposes: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ...] = ()


class QualitySettings(_Section):
    """The bank's own bounds of drift, by measure (``quality.drift.MEASURES`` has the defaults)."""

    drift: dict[Literal[tuple(one.name for one in MEASURES)], Bound] = Field(default_factory=dict)  # type: ignore[valid-type]


class RetentionSettings(_Section):
    """For how many years after the relationship ended the law makes the bank keep a customer's data.

    China: ten, by article 34 of the Anti-Money Laundering Law in force since 2025-01-01 (five before).
    """

    years: int = Field(10, ge=0)


class BankSettings(_Section):
    """What ``bank.yaml`` says."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    timezone: str
    currency: _Currency
    exports: str
    first_business_date: dt.date = dt.date(2020, 1, 1)
    business_date: dt.date | None = None
    schedule: str = "0 2 * * *"
    exchange_rates: dict[_Currency, Decimal] = Field(default_factory=dict)
    deliveries: DeliverySettings = DeliverySettings()
    releases: ReleaseSettings = ReleaseSettings()
    engine: EngineSettings = EngineSettings()
    alerts: AlertSettings = AlertSettings()
    stewards: StewardSettings = StewardSettings()
    consent: ConsentSettings = ConsentSettings()
    retention: RetentionSettings = RetentionSettings()
    quality: QualitySettings = QualitySettings()

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            near = difflib.get_close_matches(value, available_timezones(), 1)
            raise ValueError(f"{value!r} is not a time zone" + (f" (did you mean {near[0]!r}?)" if near else ""))
        return value

    @field_validator("exchange_rates")
    @classmethod
    def _positive(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, rate in value.items():
            if rate <= 0:
                raise ValueError(f"the rate of {currency} is {rate}; it must be above 0")
        return value


@dataclass(frozen=True)
class Bank:
    """A checked bank folder."""

    folder: Path
    settings: BankSettings
    contracts: tuple[Contract, ...]
    matching: MatchingSettings
    value: ValueSettings
    shares: SharesSettings

    @property
    def zone(self) -> ZoneInfo:
        """Time zone in which the bank's days begin and end."""
        return ZoneInfo(self.settings.timezone)

    def exports(self, home: Path) -> Path:
        """Where the systems' exports lie, as bank.yaml says: ``{home}`` stands for the home folder."""
        return (self.folder / self.settings.exports.replace("{home}", str(home.resolve()))).resolve()


class BankError(ValueError):
    """The bank folder has mistakes; ``problems`` lists every one."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def find_bank(name_or_folder: str) -> Path:
    """Return the folder of a bank given by name (below ``banks/``) or by path.

    Raises:
        BankError: there is neither.
    """
    folder = Path(name_or_folder)
    if (folder / "bank.yaml").is_file():
        return folder.resolve()
    if (BANKS / name_or_folder / "bank.yaml").is_file():
        return BANKS / name_or_folder
    known = sorted(path.parent.name for path in BANKS.glob("*/bank.yaml"))
    raise BankError(
        [
            Problem(
                name_or_folder,
                0,
                "",
                f"no bank of this name ({', '.join(known)}) and no folder with a bank.yaml; 'c360 init DIR' makes one",
            )
        ]
    )


def load_bank(folder: Path, entities: dict[str, tuple[CanonicalColumn, ...]]) -> Bank:
    """Read and check a whole bank folder.

    Args:
        folder: the bank's folder.
        entities: canonical entities and their columns, which the contracts' mappings are checked against.

    Raises:
        BankError: something is wrong; every mistake of every file is listed.
    """
    problems: list[Problem] = []
    settings = _settings(folder / "bank.yaml", BankSettings, problems)
    matching = _settings(folder / "matching.yaml", MatchingSettings, problems)
    value_file = folder / "value.yaml"
    value = _settings(value_file, ValueSettings, problems) if value_file.exists() else ValueSettings()
    shares_file = folder / "shares.yaml"
    shares = _settings(shares_file, SharesSettings, problems) if shares_file.exists() else SharesSettings()
    problems.extend(_check_mistakes(folder / "checks"))
    contracts, are_all_read = _contracts(folder / "contracts", problems)
    problems.extend(check_fills(contracts, entities))
    if matching is not None and are_all_read:  # a contract that cannot be read may be of any system
        known = [contract.system for contract in contracts]
        problems.extend(_unknown_systems(folder / "matching.yaml", matching.systems(), known))
        if value is not None and value_file.exists():
            problems.extend(_unknown_systems(value_file, value.systems(), known))
        if shares is not None and settings is not None and shares_file.exists():
            problems.extend(_share_mistakes(shares_file, shares, known, settings.consent.purposes))
    if problems or settings is None or matching is None or value is None or shares is None:
        raise BankError(problems)
    return Bank(folder, settings, tuple(contracts), matching, value, shares)


def _check_mistakes(folder: Path) -> Iterator[Problem]:
    """What is wrong with the bank's own checks."""
    try:
        handwritten_suites(folder)
    except CheckFileError as error:
        yield from (Problem(str(folder), 0, "", mistake) for mistake in str(error).splitlines())
    for path in sorted(folder.glob("*.sql")):
        if (CHECKS / path.name).exists():
            yield Problem(str(path), 0, "", "a check of this name is there already (rename the file)")


def _share_mistakes(
    path: Path, shares: SharesSettings, systems: list[str], purposes: tuple[str, ...]
) -> Iterator[Problem]:
    """What the shares grant that the table definitions do not know or forbid."""
    document = Document.read(path.read_text(encoding="utf-8"), str(path))
    if isinstance(document, Document):
        for one in mistakes(shares, load_tables(), systems, purposes):
            meant = hint(one.name, one.allowed) if one.name else ""
            yield document.problem(one.where, f"{one.message}{meant}")


def _unknown_systems(path: Path, named: Iterable[NamedSystem], systems: list[str]) -> Iterator[Problem]:
    """Systems that the settings name, each with where, and no contract describes."""
    document = Document.read(path.read_text(encoding="utf-8"), str(path))
    if isinstance(document, Document):
        for where, system in named:
            if system not in systems:
                yield document.problem(where, f"no contract describes {system!r}{hint(system, systems)}")


def _contracts(folder: Path, problems: list[Problem]) -> tuple[list[Contract], bool]:
    """The contracts that could be read, and whether that is all of them, of which there is at least one."""
    contracts: list[Contract] = []
    paths = sorted(folder.glob("*.odcs.yaml"))
    if not paths:
        problems.append(Problem(str(folder), 0, "", "no contract (*.odcs.yaml) here; write one for each system"))
    for path in paths:
        contract, found = parse_contract(path.read_text(encoding="utf-8"), path)
        problems.extend(found)
        if contract and contract.system in {other.system for other in contracts}:
            problems.append(Problem(str(path), 0, "system", f"{contract.system!r} is the system of another contract"))
        if contract:
            contracts.append(contract)
    return contracts, 0 < len(paths) == len(contracts)


def _settings(path: Path, model: type[Model], problems: list[Problem]) -> Model | None:
    """Validate one YAML file against a model, adding every mistake with its line."""
    if not path.is_file():
        problems.append(Problem(str(path), 0, "", "the file is missing; 'c360 init DIR' makes an annotated one"))
        return None
    text = path.read_text(encoding="utf-8")
    document = Document.read(text if text.strip() else "{}", str(path))
    if isinstance(document, Problem):
        problems.append(document)
        return None
    problems.extend(document.problems)
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        for mistake in error.errors():
            unknown = mistake["type"] == "extra_forbidden"
            message = mistake["msg"].removeprefix("Value error, ")
            if unknown:
                message = "unknown setting" + hint(str(mistake["loc"][-1]), _siblings(model, mistake["loc"]))
            problems.append(document.problem(mistake["loc"], message))
        return None


def _siblings(model: type[BaseModel], where: tuple[int | str, ...]) -> list[str]:
    """Names allowed beside an unknown setting."""
    for step in where[:-1]:
        field = model.model_fields.get(str(step))
        if field is not None:  # else the key or number of an item: of the same model
            inner = nested_model(field.annotation)
            if inner is None:
                return []
            model = inner
    return list(model.model_fields)
