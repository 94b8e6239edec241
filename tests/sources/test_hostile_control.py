"""Hostile control files and manifests: each bad one refused, saying what is wrong, before anything lands."""

import json

import pytest
from conftest import DATE, Desk
from hostile import NAMES, SECRET, TEXTS, nothing_elsewhere

from sources.delivery import DeliveryError

pytestmark = pytest.mark.hostile
FIELDS = {"id": {"primaryKey": True}, "amount": {"type": "number"}}
DATA = b"id,amount\n1,0.5\n2,1.5\n"
KEYS = {"rows": "ROWS", "totals": {"amount": "SUM"}, "business_date": {"key": "DATE", "format": "%Y-%m-%d"}}
CONTROLS = {
    "key_value": KEYS | {"pattern": "C.ctl", "format": "key_value"},
    "json": KEYS | {"pattern": "C.ctl", "format": "json"},
    "csv": KEYS | {"pattern": "C.ctl", "format": "csv", "match": {"FILE": "{file}"}},
}
AGREED = {"ROWS": "2", "SUM": "2.0", "DATE": str(DATE)}

NO_COUNTS = (
    "", "-", "two", "NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1e61", "1e999999999", "-1e999999999", "1e-999999999", "0x2",
    "2.5", "3", "0", "-2", "1e5", "2 2", "2;3", "²", "二", "9" * 61, "9" * 5_000, "9" * 1_000_000, "true", "null", "[]", "=1+1",
    "2'; drop table x; --", "2\0", "../2", "1e309", "2e0e0", "--2", "2-", "½", "0.2e-400", "1" + "0" * 60 + ".1",
)  # fmt: skip
NO_DATES = (
    "", "0000-00-00", "0000-01-01", "0001-01-01", "9999-12-31", "2026-02-31", "2026-13-01", "10000-01-01", "-2026-01-31", "tomorrow",
    "20260131", "2026-01-30", "2026-01-31T00:00", "NaN", "1e308", "2026-01-31\0", "2026-1-32", "'", "%Y", "2026-01-31; x", "9" * 5_000,
)  # fmt: skip
PATHS = (b"../CUST.csv", b"/etc/passwd", b"core/CUST.csv", b"CUST.csv/", b"./CUST.csv", b"cust.csv", b"CUST.csv.bak")
COUNTS_TAKEN = ("2.0", "+2", "2e0", "0,002", "２", "00000000002")


def written(form: str, figures: dict[str, str]) -> bytes:
    if form == "key_value":
        return "".join(f"{key}={value}\n" for key, value in figures.items()).encode()
    if form == "json":
        return json.dumps(figures).encode()
    quoted = ",".join('"' + value.replace('"', '""') + '"' for value in ("CUST.csv", *figures.values()))
    return f"FILE,{','.join(figures)}\n{quoted}\n".encode()


BAD = [
    *((form, f"rows {value[:30]}", written(form, AGREED | {"ROWS": value})) for form in ("json", "key_value") for value in NO_COUNTS),
    *(("json", f"sum {value[:30]}", written("json", AGREED | {"SUM": value})) for value in NO_COUNTS),
    *((form, f"date {value[:30]}", written(form, AGREED | {"DATE": value})) for form in ("json", "key_value") for value in NO_DATES),
    *(("csv", f"file {name[:30]}", written("csv", AGREED).replace(b"CUST.csv", name.replace('"', '""').encode())) for name in NAMES),
    *(("csv", f"file {path}", written("csv", AGREED).replace(b"CUST.csv", path)) for path in PATHS),
    *((form, "nothing", b"") for form in CONTROLS),
    *((form, "zeros", b"\0" * 100) for form in CONTROLS),
    *((form, "0xff", b"\xff" * 100) for form in CONTROLS),
    *((form, "utf-16", written(form, AGREED).decode().encode("utf-16")) for form in CONTROLS),
    *((form, "binary", bytes(range(256))) for form in CONTROLS),
    *((form, "large", b"x" * ((16 << 20) + 1)) for form in CONTROLS),
    *((form, "one line", b"x" * (1 << 20)) for form in CONTROLS),
    ("json", "deep array", b"[" * 200_000 + b"]" * 200_000),
    ("json", "deep object", b'{"a":' * 200_000 + b"1" + b"}" * 200_000),
    ("json", "deep, cut off", b"[" * 200_000),
    ("json", "array", b"[1,2]"),
    ("json", "null", b"null"),
    ("json", "text", b'"x"'),
    ("json", "cut off", written("json", AGREED)[:-1]),
    ("json", "lone surrogate", json.dumps(AGREED | {"ROWS": "\ud800"}).encode()),
    ("json", "number without end", b'{"ROWS":' + b"9" * 10_000 + b',"SUM":2,"DATE":"2026-01-31"}'),
    ("json", "nested figure", b'{"ROWS":{"n":2},"SUM":2,"DATE":"2026-01-31"}'),
    ("csv", "long field", written("csv", AGREED | {"ROWS": "9" * 200_000})),
    ("csv", "open quote", b'FILE,ROWS,SUM,DATE\n"CUST.csv,2,2,2026-01-31\n'),
    ("csv", "twice", written("csv", AGREED) + written("csv", AGREED).split(b"\n")[1] + b"\n"),
    ("csv", "columns without end", written("csv", AGREED)[:4] + b"," * 100_000),
    ("key_value", "no separator", b"ROWS\nSUM\nDATE\n"),
    ("key_value", "twice", b"ROWS=2\nSUM=2\nDATE=2026-01-31\nROWS=9\n"),
]  # fmt: skip
TAKEN = [
    *((form, value, AGREED | {"ROWS": value}) for form in CONTROLS for value in COUNTS_TAKEN),
    *((form, "strange keys and values", dict(zip(NAMES[:30], TEXTS, strict=False)) | AGREED) for form in ("json",)),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("control"))
    desk.put("CUST.csv", DATA)
    return desk


@pytest.mark.parametrize(("form", "name", "content"), BAD, ids=[f"{form}, {name}" for form, name, _ in BAD])
def test_bad(bench: Desk, form: str, name: str, content: bytes) -> None:
    bench.put("C.ctl", content)
    before = set(bench.lake.rglob("*.parquet"))
    contract = bench.contract(FIELDS, pattern="CUST.csv", control=CONTROLS[form])
    with pytest.raises(DeliveryError) as error:
        bench.land(contract)
    message = str(error.value)
    assert "C.ctl" in message and SECRET not in message and len(message) < 2_000
    nothing_elsewhere(bench)
    assert set(bench.lake.rglob("*.parquet")) == before


@pytest.mark.parametrize(("form", "name", "figures"), TAKEN, ids=[f"{form}, {name}" for form, name, _ in TAKEN])
def test_taken(bench: Desk, form: str, name: str, figures: dict[str, str]) -> None:
    bench.put("C.ctl", written(form, figures))
    assert bench.land(bench.contract(FIELDS, pattern="CUST.csv", control=CONTROLS[form])).control_rows == 2


def test_there_are_200() -> None:
    assert len({(form, content) for form, _, content in BAD}) >= 200
