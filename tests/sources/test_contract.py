"""Contracts: what a right one becomes, and how every mistake is told with its line and a hint."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.contract import ContractError, Latency, SourceObject, dates_in, file_pattern, load_contract, parse_contract

RIGHT = """\
apiVersion: v3.1.0
kind: DataContract
id: bank-core
name: Core banking
version: 2.1.0
status: active
customProperties:
  - {property: system, value: core}
servers:
  - {server: exports, type: local, path: "core/{date:%Y%m%d}", format: csv}
schema:
  - name: customer
    description: Customers
    customProperties:
      - property: delivery
        value:
          mode: delta
          operation: {field: op, delete: [D]}
          format: csv
          pattern: "CUST_{date:%Y%m%d}.csv.gz"
          encoding: gb18030
          control:
            pattern: "CUST_{date:%Y%m%d}.ctl"
            rows: ROWS
            totals: {income: INCOME_TOTAL}
      - property: fills
        value:
          - entity: party
            when: {from: op, is: [I, U]}
            columns:
              record_id: cust_no
              party_type: {from: kind, codes: {1: person, NO: organisation}}
              full_name: {first_of: [contact.name, "'?'"]}
    properties:
      - {name: op, logicalType: string}
      - {name: cust_no, physicalName: 号, required: true, primaryKey: true, primaryKeyPosition: 1, classification: C1}
      - {name: kind, logicalType: string, enum: [{value: 1}, {value: "NO"}]}
      - {name: income, logicalType: number, customProperties: [{property: decimals, value: 2}]}
      - name: born
        logicalType: date
        logicalTypeOptions: {format: "yyyy/MM/dd"}
        customProperties: [{property: not_future, value: true}]
      - name: contact
        logicalType: object
        properties:
          - {name: name, physicalName: "full name", logicalType: string, classification: C2}
    quality:
      - {name: few, type: sql, query: "select count(*) from {object}", mustBeLessThan: 9, severity: warning}
      - {type: text, description: Only for people}
"""


def problems_of(old: str, new: str, text: str = RIGHT) -> list[str]:
    """Mistakes, as shown, of the right contract after one replacement."""
    assert text.count(old) >= 1, old
    return [str(problem) for problem in parse_contract(text.replace(old, new, 1), "core.odcs.yaml")[1]]


def customer() -> SourceObject:
    contract, problems = parse_contract(RIGHT, "core.odcs.yaml")
    assert not problems and contract is not None
    found = contract.find("customer")
    assert found is not None
    return found


def test_a_right_contract_is_read_whole() -> None:
    contract, problems = parse_contract(RIGHT, "core.odcs.yaml")
    assert problems == [] and contract is not None
    assert (contract.system, contract.title, contract.version) == ("core", "Core banking", "2.1.0")
    assert contract.server.path == "core/{date:%Y%m%d}"
    source = customer()
    assert (source.table, source.relation, source.primary_key) == (
        "core__customer",
        "staging.core__customer",
        ("cust_no",),
    )
    assert [f.name for f in source.fields] == ["op", "cust_no", "kind", "income", "born", "contact"]
    key = source.find("cust_no")
    assert key is not None and (key.physical_name, key.required, key.classification) == ("号", True, "C1")


def test_fields_have_the_documented_defaults() -> None:
    fields = {field.name: field for field in customer().fields}
    assert fields["op"].classification == "C2", "a field that nobody classified is treated as personal"
    assert (fields["op"].on_invalid, fields["income"].on_invalid) == ("null", "quarantine")
    assert fields["income"].decimals == 2
    assert fields["born"].formats == ("%Y/%m/%d",) and fields["born"].not_future
    assert fields["kind"].enum == ("1", "NO"), "codes are text, and NO is not false"
    nested = fields["contact"].nested("name")
    assert nested is not None and nested.physical_name == "full name"


def test_deliveries_have_the_documented_defaults() -> None:
    delivery = customer().delivery
    assert (delivery.delimiter, delivery.quote, delivery.header, delivery.parts) == (",", '"', True, False)
    assert (delivery.reject_limit, delivery.on_extra_field) == (0.01, "keep")
    assert delivery.refuses_repeat, "the same delta twice would be a mistake"
    assert not delivery.model_copy(update={"mode": "full"}).refuses_repeat
    assert delivery.model_copy(update={"mode": "full", "on_repeat": "refuse"}).refuses_repeat


def test_quality_rules_become_checks_on_the_object() -> None:
    (check,) = customer().quality
    assert check.query == "select count(*) from customer"
    assert (check.name, check.comparison, check.expected, check.severity) == ("few", "mustBeLessThan", 9, "warning")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("status: active", "statsu: active", 6, "unknown key 'statsu' (did you mean 'status'?)"),
        ("kind: DataContract", "kind: Contract", 2, "'Contract' is not one of them"),
        ("apiVersion: v3.1.0", "apiVersion: v2.2.2", 1, "too old"),
        ("version: 2.1.0", "tenant: x", 1, "'version' is missing"),
        ("property: system", "property: sytem", 8, "unknown custom property 'sytem' (did you mean 'system'?)"),
        ("value: core}", "value: co__re}", 8, "'co__re' cannot name a system"),
        ("path: ", "folder: ", 10, "unknown key 'folder'"),
        ("{date:%Y%m%d}\", format", "{date:%Y%Q}\", format", 10, "%Q is unknown in a file pattern"),
        ("mode: delta", "mode: delat", 17, "'delat' is not one of them (did you mean 'delta'?)"),
        ("mode: delta", "mode: full", 18, "'operation' belongs to mode delta"),
        ("{field: op, delete", "{field: opp, delete", 18, "no field 'opp' (did you mean 'op'?)"),
        ("delete: [D]", "delete: []", 18, "must not be empty"),
        ("format: csv\n", "format: sql\n", 19, "does not go with a server of type local"),
        ("          pattern: \"CUST_{date:%Y%m%d}.csv.gz\"\n", "", 16, "'pattern', the file's name, is missing"),
        ("CUST_{date:%Y%m%d}.csv.gz", "CUST_{date:%Y%m}.csv", 20, "names no full date"),
        ("encoding: gb18030", "encoding: gb10830", 21, "'gb10830' is not an encoding (did you mean 'gb18030'?)"),
        ("rows: ROWS", "row: ROWS", 24, "unknown key 'row' (did you mean 'rows'?)"),
        ("{income: INCOME", "{incme: INCOME", 25, "no field 'incme' (did you mean 'income'?)"),
        ("            pattern: \"CUST_{date:%Y%m%d}.ctl\"\n", "", 22, "give either 'pattern'"),
        ("pattern: \"CUST_{date:%Y%m%d}.ctl\"", "trailer: '^T(\\d+)'", 23, "no group (?P<ROWS>...)"),
        ("columns:\n", "colums:\n", 30, "unknown key 'colums' (did you mean 'columns'?)"),
        ("is: [I, U]", "is_: [I, U]", 29, "unknown key 'is_' (did you mean 'is'?)"),
        ("{from: kind, codes", "{form: kind, codes", 32, "unknown key 'form' (did you mean 'from'?)"),
        ("{first_of: [contact.name", "{from: op, first_of: [contact.name", 33, "not from and first_of"),
        ("first_of: [contact.name, \"'?'\"]", "first_of: []", 33, "must not be empty"),
        ("codes: {1: person", "otherwise: x, formats: '%Q', codes: {1: person", 32, "%Q is unknown"),
        ("{name: op, logicalType: string}", "{name: op, logicalType: text}", 35, "'text' is not one of them"),
        ("{name: op, logicalType", "{name: cust_no, logicalType", 36, "field 'cust_no' is there twice"),
        ("{name: op, logicalType", "{name: item, logicalType", 35, "'item' means an array's item"),
        ("{name: op, logicalType", "{name: _op, logicalType", 35, "'_op' cannot name a field"),
        ("primaryKey: true, primaryKeyPosition: 1, ", "", 17, "a delta needs a key"),
        ("classification: C1", "classification: C4", 36, "'C4' is not one of them"),
        ("enum: [{value: 1}", "enum: [1", 37, "an allowed value is written as '- value: CODE'"),
        ("value: 2}]", "value: two}]", 38, "decimals: how many digits"),
        ("property: decimals", "property: decimal", 38, "unknown custom property 'decimal' (did you mean 'decimals'?)"),
        ("yyyy/MM/dd", "yyyy/QQ/dd", 41, "'QQ' is unknown"),
        ("{format: \"yyyy/MM/dd\"}", "{fromat: \"yyyy/MM/dd\"}", 41, "unknown key 'fromat' (did you mean 'format'?)"),
        ("mustBeLessThan: 9", "mustBeLess: 9", 48, "did you mean 'mustBeLessThan'?"),
        ("type: sql, query", "type: library, metric: rowCount, query", 48, "not run"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_a_hint(old: str, new: str, line: int, said: str) -> None:
    shown = problems_of(old, new)
    assert any(problem.startswith(f"core.odcs.yaml:{line}: ") and said in problem for problem in shown), shown


def test_all_mistakes_come_at_once() -> None:
    text = RIGHT.replace("status:", "statsu:").replace("mode: delta", "mode: d").replace("C1}", "C9}")
    contract, problems = parse_contract(text, "x")
    assert {problem.line for problem in problems} >= {6, 17, 36}
    assert contract is not None, "what can be understood is still there for the check of the fills"
    assert [fill.entity for fill in contract.objects[0].fills] == ["party"]


_LATENCY = "slaProperties:\n  - {property: latency, value: 3, unit: d, element: customer.born}\n"


def test_a_service_level_of_latency_belongs_to_its_object() -> None:
    other = "  - {property: retention, value: 10, unit: y}\n"
    contract, problems = parse_contract(RIGHT.replace("schema:\n", _LATENCY + other + "schema:\n"), "core.odcs.yaml")
    assert not problems and contract is not None
    assert contract.objects[0].latencies == (Latency("born", 3),)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("customer.born", "customer.borm", "no field 'customer.borm' (did you mean 'customer.born'?)"),
        ("customer.born", "customer.kind", "customer.kind is no date"),
        ("value: 3", "value: three", "a latency is a whole number of days"),
        ("unit: d", "unit: h", "a latency is a whole number of days"),
    ],
)
def test_a_latency_that_cannot_be_checked_is_told(old: str, new: str, said: str) -> None:
    shown = problems_of("schema:\n", _LATENCY.replace(old, new) + "schema:\n")
    assert len(shown) == 1
    assert shown[0].startswith("core.odcs.yaml:12: ") and said in shown[0]


def test_a_repeated_key_is_not_silently_the_last() -> None:
    assert any("'status' is given twice" in p for p in problems_of("status: active", "status: a\nstatus: b"))


@pytest.mark.parametrize("text", ["a: [", "- a\n", "", "\tx", "a: &a [*a]"])
def test_what_is_not_a_contract_is_a_problem_not_a_crash(text: str) -> None:
    contract, problems = parse_contract(text, "x.yaml")
    assert contract is None and problems


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_crashes_the_checker(text: str) -> None:
    parse_contract(text, "x.yaml")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, RIGHT.count("\n") - 1), st.sampled_from(["", "x", "- x", "  x: 1", "x: [1, {y: 2}]", "null"]))
def test_no_damaged_line_crashes_the_checker(number: int, line: str) -> None:
    lines = RIGHT.splitlines()
    lines[number] = line
    parse_contract("\n".join(lines), "x.yaml")


def test_a_database_is_named_by_its_url() -> None:
    database = RIGHT.replace(
        'type: local, path: "core/{date:%Y%m%d}", format: csv',
        'type: sqlite, customProperties: [{property: url, value: "sqlite:///{exports}/core.db"}]',
    )
    delivery = 'format: csv\n          pattern: "CUST_{date:%Y%m%d}.csv.gz"'
    right = database.replace(delivery, "format: sql\n          table: customer")
    contract, problems = parse_contract(right, "x")
    assert not problems and contract is not None
    assert contract.server.url == "sqlite:///{exports}/core.db"
    assert contract.objects[0].delivery.table == "customer"
    assert any("either 'table' or 'query'" in p for p in problems_of("          table: customer\n", "", right))
    assert any("custom property 'url'" in p for p in problems_of("property: url", "property: uri", right))
    assert any("not a SQLAlchemy URL" in p for p in problems_of("sqlite:///", "file/", right))


def test_custom_properties_of_other_tools_are_theirs() -> None:
    assert problems_of("value: core}\n", "value: core}\n  - {property: owner, value: x, vendor: catalogue}\n") == []


def test_fixed_width_needs_the_width_of_every_field() -> None:
    shown = problems_of("format: csv\n", "format: fixed\n")
    assert sum("has no 'width' in bytes" in problem for problem in shown) == 6


def test_a_field_can_only_be_optional_where_a_header_could_lack_it() -> None:
    optional = "{name: op, logicalType: string, customProperties: [{property: optional, value: true}]}"
    right = RIGHT.replace("{name: op, logicalType: string}", optional)
    contract, problems = parse_contract(right, "x")
    assert not problems and contract is not None
    assert [f.name for f in contract.objects[0].fields if f.optional] == ["op"]
    said = "a required field or a key cannot be left out"
    assert any(said in p for p in problems_of("string, customP", "string, required: true, customP", right))
    said = "field 'op' cannot be optional: the file has no header"
    assert any(said in p for p in problems_of("encoding: gb18030", "header: false", right))


def test_load_contract_raises_with_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "core.odcs.yaml"
    path.write_text(RIGHT.replace("mode: delta", "mode: d").replace("status:", "statsu:"), encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    assert len(caught.value.problems) == 2
    path.write_text(RIGHT, encoding="utf-8")
    assert load_contract(path).system == "core"


def test_file_pattern_puts_the_business_date_in() -> None:
    day = dt.date(2026, 1, 31)
    assert file_pattern("CUST_{date:%Y%m%d}_*.csv", day) == "CUST_20260131_*.csv"
    assert file_pattern("{date}/CUST.{date:%y%j}.txt", day) == "2026-01-31/CUST.26031.txt"
    assert file_pattern("client.asc", day) == "client.asc"


@pytest.mark.parametrize(
    ("pattern", "names", "found"),
    [
        ("CUST_{date:%Y%m%d}.csv", ["CUST_20260201.csv", "CUST_20260131.csv"], ["2026-01-31", "2026-02-01"]),
        ("CUST_{date:%Y%m%d}.csv", ["CUST_20260231.csv", "CUST_202601310.csv"], []),
        ("C_{date:%Y%m%d}_*.csv", ["C_20260131_1.csv", "C_20260131_2.csv"], ["2026-01-31"]),
        ("C[AB]?.{date:%d%m%y}", ["CAx.310126", "CCx.310126", "CA.x310126"], ["2026-01-31"]),
        ("{date:%Y}/{date:%m}/C_{date:%m%d}.csv", ["2026/01/C_0131.csv", "2026/02/C_0131.csv"], ["2026-01-31"]),
        ("a.b_{date}.csv", ["a.b_2026-01-31.csv", "axb_2026-01-31.csv"], ["2026-01-31"]),
        ("*_{date:%Y%m%d}.csv", ["sub/x_20260131.csv"], []),
        ("client.asc", ["client.asc"], []),
    ],
)  # fmt: skip
def test_dates_in_file_names(pattern: str, names: list[str], found: list[str]) -> None:
    assert [date.isoformat() for date in dates_in(pattern, names)] == found


@given(st.dates(dt.date(1970, 1, 1), dt.date(2068, 12, 31)), st.sampled_from(["%Y%m%d", "%y%m%d", "%d.%m.%Y", "%Y%j"]))
def test_every_date_is_found_again(day: dt.date, form: str) -> None:
    pattern = f"a/CUST+({{date:{form}}}).csv"
    assert dates_in(pattern, [file_pattern(pattern, day)]) == (day,)
