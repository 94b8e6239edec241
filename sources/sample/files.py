"""One business date's files of the three systems, and the truth about their party records."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from sources.sample.accounts import account_columns, account_numbers, product_columns, transaction_columns
from sources.sample.bank import entity_ids
from sources.sample.card_ledger import CARD_TRANSACTION_FIELDS, card_transaction_columns
from sources.sample.consents import consent_columns
from sources.sample.exports import Field, by_slices, spans, write_control, write_csv, write_fixed, write_lines
from sources.sample.founding import Sample
from sources.sample.lending import CREDIT, GUARANTOR, LOAN_PRODUCTS, card_numbers
from sources.sample.past import Past, card_transactions, performance, transactions
from sources.sample.text import Numbers, Text, choose, constant, date_text, join, money, pick, serial

HOLDER_FIELDS = (
    Field("CH_NO", 12),
    Field("NAME", 60),
    Field("EMBOSSED", 26),
    Field("ID_TYPE", 1),
    Field("ID_NO", 36),
    Field("BIRTH", 16),
    Field("SEX", 2),
    Field("MOBILE", 22),
    Field("PHONE", 18),
    Field("ADDRESS", 120),
    Field("POSTCODE", 6),
    Field("TOTAL_LIMIT", 14, number=True),
    Field("OPENED", 8),
    Field("STATUS", 1),
    Field("UPDATED", 14),
)
CARD_FIELDS = (
    Field("CARD_NO", 19),
    Field("CH_NO", 12),
    Field("KIND", 1),
    Field("PROD_CODE", 4),
    Field("ACCT_NO", 19),
    Field("CCY", 3),
    Field("CREDIT_LIMIT", 14, number=True),
    Field("OWED", 14, number=True),
    Field("ISSUED", 8),
    Field("EXPIRY", 8),
    Field("STATUS", 1),
)
SYSTEMS = ("core", "cards", "loans")

_LOAN_LINES = """
with person_beside as (
    select
        loan,
        role,
        list(
            case
                when number is not null then json_object('cust_no', number)
                else json_object('type', type, 'name', name, 'id_type', id_type, 'id_no', id_no, 'mobile', mobile)
            end
            order by position
        ) as listed
    from beside
    group by loan, role
)

select
    to_json({
        op: loan.op,
        loan_no: loan.loan_no,
        product: loan.product,
        currency: 'CNY',
        principal: loan.principal,
        outstanding: loan.outstanding,
        overdue: loan.overdue,
        days_past_due: loan.days_past_due,
        rate: loan.rate,
        start_date: loan.start_date,
        maturity_date: loan.maturity_date,
        term_months: loan.term_months,
        status: loan.status,
        branch_no: loan.branch_no,
        officer_no: loan.officer_no,
        updated_at: loan.updated_at,
        borrower: {
            cust_no: loan.cust_no,
            type: loan.type,
            name: loan.name,
            id_type: loan.id_type,
            id_no: loan.id_no,
            birth: loan.birth,
            sex: loan.sex,
            contact: {mobile: loan.mobile, phone: loan.phone, email: loan.email},
            address: case
                when loan.address_text is not null then to_json(loan.address_text)
                when loan.detail is not null then to_json({
                    province: loan.province,
                    city: loan.city,
                    district: loan.district,
                    detail: loan.detail,
                    postcode: loan.postcode
                })
            end,
            since: loan.since
        },
        co_borrowers: coalesce(co_borrower.listed, []),
        guarantors: coalesce(guarantor.listed, [])
    }) as line
from loan
left join person_beside as co_borrower on loan.position = co_borrower.loan and co_borrower.role = 0
left join person_beside as guarantor on loan.position = guarantor.loan and guarantor.role = 1
order by loan.position
"""


def write_day(sample: Sample, past: Past, out: Path, broken: int) -> dict[str, int]:
    """Write the day's files below ``out``; returns the rows of each, by path relative to ``out``."""
    day = _day(sample.day)
    for system in SYSTEMS:
        (out / system).mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {}

    def csv(name: str, slices: Iterable[Mapping[str, Text]], damaged: int = 0, amount: str | None = None) -> None:
        path = out / f"{name}_{day}.csv"
        rows[path.relative_to(out).as_posix()] = write_csv(path, slices, damaged, amount)

    csv("core/BRANCH", [sample.outlets.branches])
    csv("core/MANAGER", [sample.outlets.managers])
    csv("core/PRODUCT", [product_columns()])
    csv("core/CONSENT", by_slices(consent_columns(sample)))
    csv("core/CUST", by_slices(sample.core.columns), broken)
    csv("core/TRAN", _transaction_slices(sample, past), broken, "AMOUNT")
    csv("core/ACCT", _account_slices(sample), broken, "BALANCE")  # after the transactions that move the balances
    csv("loans/OFFICER", [sample.outlets.officers()])
    csv("loans/PERF", performance(past, sample), broken, "outstanding")
    limits, moved = [int(sample.cards.limit.sum())], list[int]()
    for name, fields, slices, amount, totals in (
        ("CARDHOLDER", HOLDER_FIELDS, by_slices(sample.holders.columns), "TOTAL_LIMIT", limits),
        ("CARD", CARD_FIELDS, by_slices(_card_columns(sample)), "CREDIT_LIMIT", limits),
        (
            "CARDTRAN",
            CARD_TRANSACTION_FIELDS,
            card_transaction_columns(sample.cards, card_transactions(past, sample), day, moved),
            "AMOUNT",
            moved,
        ),
    ):
        path = out / "cards" / f"{name}_{day}.dat"
        count = write_fixed(path, fields, slices, broken, amount)
        total = "TOTAL_AMOUNT" if totals is moved else "TOTAL_LIMIT"
        write_control(path.with_suffix(".ctl"), path, count, (total, sum(totals)), day)
        rows[path.relative_to(out).as_posix()] = count
    path = out / "loans" / f"LOAN_{day}.jsonl.gz"
    rows[path.relative_to(out).as_posix()] = write_lines(path, _loan_lines(sample), broken)
    return rows


def truth(sample: Sample, ever: bool) -> pa.Table:
    """Say which entity each party record is of (system, record_id, entity_id): those held, or all ever delivered.

    Record ids are as the contracts map them: core's described representatives are ``<customer>-L``, parties
    described in a loan ``<loan>-C<place>`` and ``<loan>-G<place>``.
    """
    core, holders, borrowers, beside = sample.core, sample.holders, sample.borrowers, sample.beside
    described = np.flatnonzero(sample.representative >= 0)
    told = np.asarray(beside.columns["name"].is_valid())
    kept = borrowers.held | ever
    told = np.flatnonzero(told & kept[beside.loan])
    lent = np.flatnonzero(kept)
    letter = choose(beside.role[told] == GUARANTOR, "-G", "-C")
    groups: list[tuple[str, Text, Numbers]] = [
        ("core", core.columns["CUST_NO"], core.entity),
        ("core", join(pick(core.columns["CUST_NO"], described), "-L"), sample.representative[described]),
        ("cards", holders.columns["CH_NO"], holders.entity),
        ("loans", pick(borrowers.columns["cust_no"], lent), borrowers.entity[lent]),
        (
            "loans",
            join(pick(borrowers.columns["loan_no"], beside.loan[told]), letter, serial(beside.position[told])),
            beside.entity[told],
        ),
    ]
    return pa.table(
        {
            "system": pa.concat_arrays([constant(system, len(entity)) for system, _, entity in groups]),
            "record_id": pa.concat_arrays([record for _, record, _ in groups]),
            "entity_id": entity_ids(np.concatenate([entity for _, _, entity in groups])),
        }
    )


def _day(day: int) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=int(day))).strftime("%Y%m%d")


def _account_slices(sample: Sample) -> Iterator[dict[str, Text]]:
    for rows in spans(len(sample.accounts)):
        yield account_columns(sample.accounts, sample.core, sample.outlets.outlet_no, rows)


def _transaction_slices(sample: Sample, past: Past) -> Iterator[dict[str, Text]]:
    rng, first = sample.chance(9), 0
    simulated = past.months > 1 and sample.day == sample.first_day
    for booked in transactions(past, sample) if simulated else [sample.booked]:
        for rows in spans(len(booked)):
            yield transaction_columns(rng, sample.bank, sample.accounts, booked, sample.day, rows, first)
        first += len(booked)


def _card_columns(sample: Sample) -> dict[str, Text]:
    cards = sample.cards
    credit = cards.kind == CREDIT
    account = account_numbers(cards.account)
    return {
        "CARD_NO": card_numbers(cards),
        "CH_NO": pick(sample.holders.columns["CH_NO"], cards.holder),
        "KIND": choose(credit, "C", "D"),
        "PROD_CODE": choose(credit, choose(cards.limit >= 5_000_000, "CP01", "CC01"), "DC01"),
        "ACCT_NO": choose(cards.account < 0, None, account),
        "CCY": constant("CNY", len(cards)),
        "CREDIT_LIMIT": serial(cards.limit),
        "OWED": serial(cards.owed),
        "ISSUED": date_text(cards.issued),
        "EXPIRY": date_text(cards.expiry),
        "STATUS": choose(cards.active, "A", "X"),
    }


def _loan_lines(sample: Sample) -> Text:
    """Make the JSON lines of the loans to deliver, with the operation that each is delivered for."""
    borrowers, loans, beside = sample.borrowers, sample.loans, sample.beside
    operation = np.full(len(borrowers), "", dtype="U1")
    for code, rows in sample.operation.items():
        operation[rows] = code
    chosen = np.flatnonzero(operation != "")
    position = pa.array(chosen)
    outlet = sample.outlets.outlet_no
    table = pa.table(
        {name: column.take(position) for name, column in borrowers.columns.items()}
        | {
            "position": position,
            "op": pa.array(operation[chosen].tolist(), pa.string()),
            "product": pick(LOAN_PRODUCTS, loans.product[chosen]),
            "principal": money(loans.principal[chosen]),
            "outstanding": money(loans.outstanding[chosen]),
            "overdue": money(loans.overdue[chosen]),
            "days_past_due": pa.array(loans.days_past_due[chosen]),
            "rate": join("0.", serial(loans.rate[chosen], 5)),
            "start_date": date_text(loans.start[chosen], "-"),
            "maturity_date": date_text(loans.start[chosen] + (loans.term_months[chosen] * 30.4375).astype(int), "-"),
            "term_months": pa.array(loans.term_months[chosen]),
            "status": choose(
                loans.outstanding[chosen] == 0,
                "settled",
                choose(loans.overdue[chosen] > 0, "overdue", "normal"),
            ),
            "branch_no": pick(outlet, loans.outlet[chosen] % len(outlet)),
            "since": date_text(borrowers.opened[chosen], "-"),
            "updated_at": join(date_text(borrowers.updated[chosen], "-"), "T21:00:00"),
        }
    )
    others = pa.table(
        {"loan": pa.array(beside.loan), "role": pa.array(beside.role), "position": pa.array(beside.position)}
        | beside.columns
    )
    con = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    try:
        con.register("loan", table)
        con.register("beside", others)
        return con.execute(_LOAN_LINES).to_arrow_table()["line"].cast(pa.string()).combine_chunks()
    finally:
        con.close()
