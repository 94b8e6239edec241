"""What ``value.yaml`` says of contribution: dated parameters, and the same as rows for the tables that publish them.

Every parameter has a first day on which it holds; of several entries the latest one begun is in force, until the next
begins. An entry is whole: nothing is taken over from the one before. Here is no formula: those are SQL
(``value.balance_month``, ``value.product_month``). docs/contribution.md tells the method.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.tables import load_tables

ALL_CODES = "*"
LONGEST_TENOR = 360
_RATE_STEP = Decimal("0.000001")

Fraction = Annotated[Decimal, Field(ge=0, le=1, max_digits=9, decimal_places=6)]
Rate = Annotated[Decimal, Field(gt=-1, lt=10, max_digits=9, decimal_places=6)]
Cost = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=4)]
Tenor = Annotated[int, Field(ge=0, le=LONGEST_TENOR)]
RiskWeight = Annotated[Decimal, Field(ge=0, le=13, max_digits=9, decimal_places=6)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Dated(_Section):
    valid_from: dt.date


Entry = TypeVar("Entry", bound=_Dated)


class TransactionCosts(_Section):
    """What one transaction costs the bank by channel, in the bank's currency; ``other`` is an unknown channel's."""

    mobile: Cost = Decimal(0)
    online: Cost = Decimal(0)
    atm: Cost = Decimal(0)
    point_of_sale: Cost = Decimal(0)
    counter: Cost = Decimal(0)
    batch: Cost = Decimal(0)
    other: Cost = Decimal(0)


class BankParameters(_Dated):
    """What holds for the whole bank.

    Attributes:
        capital_ratio: Capital held for each unit of risk-weighted assets.
        cost_of_capital: Return a year that the owners ask of that capital (hurdle rate).
        tax_rate: Income tax on profit.
        transaction_costs: Costs of a transaction by channel.
    """

    capital_ratio: Fraction
    cost_of_capital: Fraction
    tax_rate: Fraction
    transaction_costs: TransactionCosts = TransactionCosts()


class TransferCurve(_Dated):
    """A currency's transfer prices.

    Attributes:
        days_in_year: Day-count basis of interest in this currency.
        rates: Rate a year by tenor in months. Between two tenors the rate lies on the straight line, before the
            first and after the last it is theirs.
    """

    days_in_year: Literal[360, 365]
    rates: dict[Tenor, Rate] = Field(min_length=1)

    def rate(self, tenor: int) -> Decimal:
        """Rate at a tenor in months, to six places, half up."""
        known = sorted(self.rates)
        below = max((t for t in known if t <= tenor), default=known[0])
        above = min((t for t in known if t >= tenor), default=known[-1])
        low, high = self.rates[below], self.rates[above]
        share = Decimal(tenor - below) / (above - below) if above > below else Decimal(0)
        return (low + (high - low) * share).quantize(_RATE_STEP, ROUND_HALF_UP)


class ProductTerms(_Section):
    """What holds for products of a family, or for one product code of it.

    Attributes:
        side: What its balance is to the bank: a liability (deposits), an asset (lending), managed for the customer
            (investments, insurance), or none (debit cards).
        tenor_months: Tenor at which the balance is priced: the behavioural one of balances without a term.
        priced_by_own_term: Whether a term that the product itself names takes the place of ``tenor_months``; not where
            the rate is set anew within the term, as a mortgage's each year.
        interest: Whether the customer's interest is accrued on the average balance at the product's rate, or is what
            the source booked as interest.
        interest_rate: Rate a year where the source gives none.
        interest_bearing_share: Share of the average balance that bears interest; below 1 for cards whose holders
            repay within the free period.
        interchange_rate: Income from purchases, of their amount.
        management_fee_rate: Fee a year on the average balance.
        monthly_cost: Cost a month of an open product, in the bank's currency.
        default_pd: Probability of default within a year of customers without a score.
        loss_given_default: Share of the exposure that is lost in default.
        credit_conversion_factor: Share of the undrawn limit that counts as exposure.
        risk_weight: Risk-weighted assets for each unit of exposure.
    """

    side: Literal["liability", "asset", "managed", "none"]
    tenor_months: Tenor = 0
    priced_by_own_term: bool = True
    interest: Literal["accrued", "booked"] = "accrued"
    interest_rate: Rate = Decimal(0)
    interest_bearing_share: Fraction = Decimal(1)
    interchange_rate: Fraction = Decimal(0)
    management_fee_rate: Fraction = Decimal(0)
    monthly_cost: Cost = Decimal(0)
    default_pd: Fraction = Decimal(0)
    loss_given_default: Fraction = Decimal(0)
    credit_conversion_factor: Fraction = Decimal(0)
    risk_weight: RiskWeight = Decimal(0)


class CodeTerms(_Section):
    """What is other for one product code; what is not said is the family's."""

    tenor_months: Tenor | None = None
    interest_rate: Rate | None = None
    interest_bearing_share: Fraction | None = None
    interchange_rate: Fraction | None = None
    management_fee_rate: Fraction | None = None
    monthly_cost: Cost | None = None
    default_pd: Fraction | None = None
    loss_given_default: Fraction | None = None
    credit_conversion_factor: Fraction | None = None
    risk_weight: RiskWeight | None = None


class FamilyTerms(ProductTerms, _Dated):
    """A product family's parameters from a day on, with what is other for some of its product codes."""

    codes: dict[str, CodeTerms] = Field(default_factory=dict)

    def by_code(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Terms of the family (code ``*``) and of each product code named."""
        family = self.model_dump(exclude={"valid_from", "codes"})
        for code, terms in {ALL_CODES: CodeTerms(), **self.codes}.items():
            yield code, family | terms.model_dump(exclude_none=True)


class ContributionSettings(_Section):
    """Section ``contribution``; without ``bank`` nothing is valued.

    Attributes:
        months: Whole months before the business date's own that are valued.
        bank: Parameters of the whole bank.
        transfer_prices: Curves by currency.
        products: Parameters by product family.
    """

    months: int = Field(12, ge=1, le=60)
    bank: tuple[BankParameters, ...] = ()
    transfer_prices: dict[Currency, tuple[TransferCurve, ...]] = Field(default_factory=dict)
    products: dict[str, tuple[FamilyTerms, ...]] = Field(default_factory=dict)

    @field_validator("bank")
    @classmethod
    def _bank_in_order(cls, value: tuple[BankParameters, ...]) -> tuple[BankParameters, ...]:
        return _in_order(value)

    @field_validator("transfer_prices")
    @classmethod
    def _curves_in_order(cls, value: dict[str, tuple[TransferCurve, ...]]) -> dict[str, tuple[TransferCurve, ...]]:
        return {currency: _in_order(curves) for currency, curves in value.items()}

    @field_validator("products")
    @classmethod
    def _known_families(cls, value: dict[str, tuple[FamilyTerms, ...]]) -> dict[str, tuple[FamilyTerms, ...]]:
        known = load_tables()["staging.account"].column("product_family").values
        unknown = sorted(set(value) - set(known))
        if unknown:
            raise ValueError(f"no product family {', '.join(map(repr, unknown))}; there are {', '.join(known)}")
        return {family: _in_order(entries) for family, entries in value.items()}

    def transfer_price_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of ``value.transfer_price``: every tenor in months of every curve."""
        for currency, curves in self.transfer_prices.items():
            for curve, valid_to in _until_next(curves):
                for tenor in range(LONGEST_TENOR + 1):
                    yield {
                        "currency_code": currency,
                        "valid_from": curve.valid_from,
                        "valid_to": valid_to,
                        "tenor_months": tenor,
                        "transfer_rate": curve.rate(tenor),
                        "is_quoted": tenor in curve.rates,
                        "days_in_year": curve.days_in_year,
                    }

    def product_parameter_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of ``value.product_parameter``: the families' terms under code ``*``, and those of single codes."""
        for family, entries in self.products.items():
            for entry, valid_to in _until_next(entries):
                for code, terms in entry.by_code():
                    yield {
                        "product_family": family,
                        "product_code": code,
                        "valid_from": entry.valid_from,
                        "valid_to": valid_to,
                        "balance_side": terms.pop("side"),
                        "interest_method": terms.pop("interest"),
                        "is_priced_by_own_term": terms.pop("priced_by_own_term"),
                        **terms,
                    }

    def bank_parameter_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of ``value.bank_parameter``."""
        for entry, valid_to in _until_next(self.bank):
            costs = entry.transaction_costs.model_dump()
            yield {
                "valid_from": entry.valid_from,
                "valid_to": valid_to,
                "capital_ratio": entry.capital_ratio,
                "cost_of_capital": entry.cost_of_capital,
                "tax_rate": entry.tax_rate,
                **{f"{channel}_cost": cost for channel, cost in costs.items()},
            }


def _in_order(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    days = [entry.valid_from for entry in entries]
    twice = sorted({str(day) for day in days if days.count(day) > 1})
    if twice:
        raise ValueError(f"two entries begin on {', '.join(twice)}; an entry holds until the next begins")
    return tuple(sorted(entries, key=lambda entry: entry.valid_from))


def _until_next(entries: Sequence[Entry]) -> Iterator[tuple[Entry, dt.date | None]]:
    """Each entry with the first day on which it no longer holds."""
    for number, entry in enumerate(entries, start=1):
        yield entry, entries[number].valid_from if number < len(entries) else None
