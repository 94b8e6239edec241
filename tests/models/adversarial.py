"""Parties that are easily taken for one another, or for two: what is planted for ``test_adversarial.py``.

Every scenario says in words who its records are and what must become of them, before anything is run. Names are
of nobody; numbers are made here, with the check characters that their standards demand. How they are put among a
bank's parties and resolved is ``adversarial_bank``'s.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from stdnum.cn import uscc


def resident_id(district: int, born: str, sequence: int) -> str:
    """An 18-digit resident id after GB 11643-1999; an odd sequence number is a man's."""
    body = f"{district}{born.replace('-', '')}{sequence:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(w * int(c) for w, c in zip(weights, body, strict=True)) % 11]


def old_form(number: str) -> str:
    """The 15-digit form that was issued before 1999: no century, no check character."""
    return number[:6] + number[8:17]


def credit_code(district: int, organisation: str, kind: int = 1) -> str:
    """A unified social credit code (GB 32100-2015) around eight characters of an organisation code (GB 11714).

    ``kind`` is 1 for an enterprise, 2 for a sole trader.
    """
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    values = [int(c, 36) for c in organisation]
    check = "0123456789X0"[11 - sum(w * v for w, v in zip(weights, values, strict=True)) % 11]
    body = f"9{kind}{district}{organisation}{check}"
    return body + uscc.calc_check_digit(body)


@dataclass(frozen=True)
class Record:
    """A party record as a system delivers it; ``documents`` are (type, number), dates are ISO."""

    name: str
    system: str = "core"
    party_type: str = "person"
    born: str | None = None
    sex: str | None = None
    documents: tuple[tuple[str, str], ...] = ()
    mobile: str | None = None
    phone: str | None = None
    address: str | None = None
    embossed: str | None = None
    nationality: str | None = None
    since: str | None = None
    updated: str = "2024-06-01"


def _id(number: str) -> tuple[tuple[str, str], ...]:
    return (("resident_id", number),)


def _code(number: str) -> tuple[tuple[str, str], ...]:
    return (("uscc", number),)


@dataclass(frozen=True)
class Scenario:
    """Records by label, and what is expected of them.

    Attributes:
        expected: The expectation, in words.
        records: What the systems delivered.
        customers: The customers, each by the labels of its records; together they are all records.
        for_review: Pairs that a steward must be shown: refused merges, or scored between review and merge.
    """

    expected: str
    records: dict[str, Record]
    customers: tuple[tuple[str, ...], ...]
    for_review: tuple[tuple[str, str], ...] = ()


_TWIN_BORN, _TWIN_HOME = "2001-04-17", "江苏省南京市鼓楼区中山北路312号翠屏花园6号楼2单元1103室"
_TWIN = {
    "born": _TWIN_BORN, "sex": "female", "mobile": "13951760418", "address": _TWIN_HOME,
}  # fmt: skip

SCENARIOS: dict[str, Scenario] = {
    "twins": Scenario(
        "Twin sisters share surname, birth date, address and the mother's mobile, have neighbouring ids and alike "
        "names: two customers, each with her own card, which carries no id.",
        {
            "elder": Record("殷若曦", documents=_id(resident_id(320106, _TWIN_BORN, 262)), **_TWIN),
            "younger": Record("殷若晴", documents=_id(resident_id(320106, _TWIN_BORN, 264)), **_TWIN),
            "elder card": Record("殷若曦", "cards", **_TWIN),
            "younger card": Record("殷若晴", "cards", **_TWIN),
        },
        (("elder", "elder card"), ("younger", "younger card")),
    ),
    "twins without ids": Scenario(
        "Twin brothers of whom no system has an id: two customers by their names alone.",
        {
            label: Record(
                name, system, born="1998-02-21", sex="male", mobile="13705814471",
                address="浙江省杭州市上城区延安路130号湖滨花园2号楼1单元801室",
            )
            for label, name, system in (
                ("elder", "卞景行", "core"), ("younger", "卞致远", "core"), ("elder card", "卞景行", "cards"),
            )
        },
        (("elder", "elder card"), ("younger",)),
    ),
    "twins of alike names without ids": Scenario(
        "The same where the names share a character and the other ones neither sound nor look alike: no typing error "
        "makes one of the other, two customers.",
        {
            label: Record(
                name, system, born="1996-09-02", sex="male", mobile="13705813362",
                address="浙江省杭州市西湖区文三路88号玉泉新村3号楼1单元402室",
            )
            for label, name, system in (
                ("elder", "邬承泽", "core"), ("younger", "邬承勇", "core"), ("elder card", "邬承泽", "cards"),
            )
        },
        (("elder", "elder card"), ("younger",)),
    ),
    "a character mistaken for one that sounds the same": Scenario(
        "What twins are not: 晓 typed as 小 in one of two systems, birth date, mobile and address the same, no id: "
        "one customer.",
        {
            label: Record(
                name, system, born="1994-07-14", sex="female", mobile="13588216604",
                address="浙江省宁波市海曙区中山西路160号孝闻公寓7号楼2单元301室",
            )
            for label, name, system in (("right", "鲍晓岚", "core"), ("wrong", "鲍小岚", "cards"))
        },
        (("right", "wrong"),),
    ),
    "father and son of one name": Scenario(
        "Father and son share name, mobile and address. A card with the son's birth date is the son's; a card "
        "without birth date and id fits both and stays alone, for a steward to place.",
        {
            label: Record(
                "戴国栋", system, born=born, sex="male", documents=documents, mobile="13870914423",
                address="江西省南昌市东湖区八一大道215号阳光小区12号楼2单元602室",
            )
            for label, system, born, documents in (
                ("father", "core", "1956-03-11", _id(resident_id(360102, "1956-03-11", 31))),
                ("son", "core", "1983-10-26", _id(resident_id(360102, "1983-10-26", 57))),
                ("son's card", "cards", "1983-10-26", ()),
                ("either's card", "cards", None, ()),
            )
        },
        (("father",), ("son", "son's card"), ("either's card",)),
        (("father", "either's card"), ("son", "either's card")),
    ),
    "father and son of one name without ids": Scenario(
        "The same where no system has an id of either: birth dates 27 years apart are no typing error, two customers.",
        {
            label: Record(
                "糜永福", system, born=born, sex="male", mobile="13507940016",
                address="江西省抚州市临川区赣东大道77号文昌花园9号楼1单元502室",
            )
            for label, system, born in (("father", "core", "1954-12-08"), ("son", "cards", "1981-06-23"))
        },
        (("father",), ("son",)),
    ),
    "mobile re-assigned": Scenario(
        "A mobile given up by one and bought years later by another, of another name and age: two customers.",
        {
            "before": Record(
                "庞文渊", born="1958-06-30", sex="male", documents=_id(resident_id(410105, "1958-06-30", 115)),
                mobile="13613824457", updated="2011-03-08",
            ),
            "after": Record(
                "符佳琪", "cards", born="1999-12-05", sex="female", mobile="13613824457", updated="2025-11-19",
            ),
        },
        (("before",), ("after",)),
    ),
    "mobile re-assigned to a namesake": Scenario(
        "The same where both bear one of the commonest names, without ids, born in different years: two customers.",
        {
            "before": Record(
                "张伟", born="1961-02-14", sex="male", mobile="13513826690", updated="2010-09-01", since="2004-05-05",
                address="河南省郑州市金水区花园路77号金城国际5号楼1单元901室",
            ),
            "after": Record(
                "张伟", "cards", born="1995-08-23", sex="male", mobile="13513826690", updated="2026-02-11",
                since="2025-12-01", address="广东省深圳市南山区科苑路15号科兴公寓2号楼3单元1502室",
            ),
        },
        (("before",), ("after",)),
    ),
    "15 and 18 digits": Scenario(
        "One id in its 15- and its 18-digit form under one name, nothing else known: one customer.",
        {
            "new form": Record("臧玉芬", documents=_id(resident_id(210203, "1968-01-19", 42))),
            "old form": Record("臧玉芬", "cards", documents=_id(old_form(resident_id(210203, "1968-01-19", 42)))),
        },
        (("new form", "old form"),),
    ),
    "transposed digits": Scenario(
        "Two neighbouring digits of the id swapped on the card, name, birth date and mobile the same: the wrong "
        "number fails its check character and contradicts nothing, one customer.",
        {
            "right": Record(
                "阮秋实", born="1979-07-21", sex="male", documents=_id(resident_id(330106, "1979-07-21", 135)),
                mobile="13958142207",
            ),
            "wrong": Record(
                "阮秋实", "cards", born="1979-07-21", sex="male", mobile="13958142207",
                documents=_id(
                    resident_id(330106, "1979-07-21", 135)[:15] + "53" + resident_id(330106, "1979-07-21", 135)[17]
                ),
            ),
        },
        (("right", "wrong"),),
    ),
    "transposed digits, no mobile": Scenario(
        "The same where the mobile is not known: a rare name, the birth date and an id one swap away are enough.",
        {
            "right": Record(
                "蒯思远", born="1985-11-03", sex="male", documents=_id(resident_id(420106, "1985-11-03", 273))
            ),
            "wrong": Record(
                "蒯思远", "cards", born="1985-11-03", sex="male",
                documents=_id(
                    resident_id(420106, "1985-11-03", 273)[:14] + "723" + resident_id(420106, "1985-11-03", 273)[17]
                ),
            ),
        },
        (("right", "wrong"),),
    ),
    "one id on two people": Scenario(
        "A clerk typed one client's valid id on a record of another, of other name, birth date and sex. Nobody is "
        "merged silently: the record joins neither the id's bearer nor its own person, whose id is different, and a "
        "steward is shown both.",
        {
            "bearer": Record(
                "佟志刚", born="1972-05-09", sex="male", documents=_id(resident_id(220104, "1972-05-09", 71)),
                mobile="13604310725",
            ),
            "other": Record(
                "隋雅琴", born="1980-12-24", sex="female", documents=_id(resident_id(220104, "1980-12-24", 188)),
                mobile="13804312216", address="吉林省长春市朝阳区红旗街19号湖畔花园8号楼1单元203室",
            ),
            "other with the bearer's id": Record(
                "隋雅琴", "cards", born="1980-12-24", sex="female", mobile="13804312216",
                documents=_id(resident_id(220104, "1972-05-09", 71)),
                address="吉林省长春市朝阳区红旗街19号湖畔花园8号楼1单元203室",
            ),
        },
        (("bearer",), ("other",), ("other with the bearer's id",)),
        (("bearer", "other with the bearer's id"), ("other", "other with the bearer's id")),
    ),
    "couple with one id": Scenario(
        "A husband's valid id on his wife's card, on which birth date and sex are not told: other name altogether, "
        "two customers and a pair to review.",
        {
            "husband": Record(
                "狄永康", born="1969-08-15", sex="male", documents=_id(resident_id(370102, "1969-08-15", 95)),
                mobile="13506410338",
            ),
            "wife": Record("扈美兰", "cards", documents=_id(resident_id(370102, "1969-08-15", 95)),
                           mobile="13506410338"),
        },
        (("husband",), ("wife",)),
        (("husband", "wife"),),
    ),
    "joint account": Scenario(
        "Husband and wife own an account together, live together and gave one mobile: two customers.",
        {
            label: Record(
                name, born=born, sex=sex, documents=documents, mobile="13708516683",
                address="贵州省贵阳市云岩区北京路66号华府天地1号楼1单元1801室",
            )
            for label, name, born, sex, documents in (
                ("husband", "申屠明", "1977-03-30", "male", _id(resident_id(520103, "1977-03-30", 19))),
                ("wife", "漆雅芝", "1978-11-12", "female", ()),
            )
        },
        (("husband",), ("wife",)),
    ),
    "company with the owner's mobile": Scenario(
        "A man, his sole trade under his own name and his company gave one mobile and one address: three customers, "
        "for a person is no organisation; his card without id is the man's.",
        {
            "owner": Record(
                "郗承志", born="1974-02-27", sex="male", documents=_id(resident_id(440305, "1974-02-27", 217)),
                mobile="13602581190", address="广东省深圳市福田区深南大道2008号华强大厦1305室",
            ),
            "owner's card": Record("郗承志", "cards", born="1974-02-27", sex="male", mobile="13602581190"),
            "sole trader": Record(
                "个体工商户郗承志", party_type="organisation", mobile="13602581190",
                documents=_code(credit_code(440305, "MA5K7T2X", kind=2)),
                address="广东省深圳市福田区深南大道2008号华强大厦1305室",
            ),
            "company": Record(
                "深圳市郗氏电子有限公司", party_type="organisation", mobile="13602581190",
                documents=_code(credit_code(440300, "MA5GX31B")),
                address="广东省深圳市福田区深南大道2008号华强大厦1305室",
            ),
        },
        (("owner", "owner's card"), ("sole trader",), ("company",)),
    ),
    "branch and parent": Scenario(
        "A company and its branch in another city share name core, telephone and legal form, each with a credit "
        "code: two customers. A loan of the branch without code is the branch's, one of the parent the parent's.",
        {
            label: Record(
                name, system, party_type="organisation", documents=documents, phone="021-58231176",
            )
            for label, name, system, documents in (
                ("parent", "上海鼎岳精密机械有限公司", "core", _code(credit_code(310115, "MA1K3F7H"))),
                ("branch", "上海鼎岳精密机械有限公司北京分公司", "core", _code(credit_code(110105, "MA01QW8C"))),
                ("parent's loan", "上海鼎岳精密机械有限公司", "loans", ()),
                ("branch's loan", "上海鼎岳精密机械有限公司北京分公司", "loans", ()),
            )
        },
        (("parent", "parent's loan"), ("branch", "branch's loan")),
    ),
    "sister companies": Scenario(
        "Two companies of one brand, one address and one telephone in different trades, only one of them with its "
        "credit code: two customers.",
        {
            label: Record(
                name, party_type="organisation", documents=documents, phone="0755-26719930",
                address="广东省深圳市宝安区新安街道创业路1号海汇大厦22层",
            )
            for label, name, documents in (
                ("trading", "深圳市海汇瑞丰贸易有限公司", _code(credit_code(440306, "MA5F20NP"))),
                ("logistics", "深圳市海汇瑞丰物流有限公司", ()),
            )
        },
        (("trading",), ("logistics",)),
    ),
    "given name changed": Scenario(
        "A given name changed since, id, birth date and sex the same, mobile and address new: one customer.",
        {
            "before": Record(
                "简招弟", born="1988-06-06", sex="female", documents=_id(resident_id(350203, "1988-06-06", 162)),
                mobile="13606951120", updated="2009-01-20",
            ),
            "after": Record(
                "简语桐", "loans", born="1988-06-06", sex="female", mobile="18559238807", updated="2025-04-02",
                documents=_id(resident_id(350203, "1988-06-06", 162)),
            ),
        },
        (("before", "after"),),
    ),
    "name changed altogether": Scenario(
        "Surname and given name both different, id, birth date, sex and mobile the same: a new name or a wrong id, "
        "which no rule can tell. Not merged silently, shown to a steward.",
        {
            "before": Record(
                "晏金凤", born="1990-01-31", sex="female", documents=_id(resident_id(430102, "1990-01-31", 204)),
                mobile="13607316652",
            ),
            "after": Record(
                "虞思齐", "cards", born="1990-01-31", sex="female", mobile="13607316652",
                documents=_id(resident_id(430102, "1990-01-31", 204)),
            ),
        },
        (("before",), ("after",)),
        (("before", "after"),),
    ),
    "Hong Kong name and permit": Scenario(
        "A Hong Kong resident in traditional characters and, on the card, as romanised there, with one permit whose "
        "issue count differs: one customer.",
        {
            "characters": Record(
                "譚國樑", born="1976-10-18", sex="male", documents=(("hk_macau_permit", "H6120534701"),),
                nationality="HK",
            ),
            "romanised": Record(
                "TAM KWOK LEUNG", "cards", born="1976-10-18", sex="male", nationality="HK",
                documents=(("hk_macau_permit", "H61205347"),),
            ),
        },
        (("characters", "romanised"),),
    ),
    "Hong Kong name without permit": Scenario(
        "The same without a permit on the card: the Cantonese reading, birth date and mobile make one customer.",
        {
            "characters": Record(
                "陈志明", born="1975-08-09", sex="male", documents=(("hk_macau_permit", "H83015526"),),
                mobile="+85291237745", nationality="HK",
            ),
            "romanised": Record(
                "CHAN CHI MING", "cards", born="1975-08-09", sex="male", mobile="+85291237745", nationality="HK",
            ),
        },
        (("characters", "romanised"),),
    ),
    "passport and resident id": Scenario(
        "One person shown by a resident id here and a passport there, with the same name, birth date and mobile: "
        "documents of different types do not contradict each other, one customer.",
        {
            "resident id": Record(
                "路星河", born="1992-04-04", sex="male", documents=_id(resident_id(510107, "1992-04-04", 351)),
                mobile="13880764415",
            ),
            "passport": Record(
                "路星河", "cards", born="1992-04-04", sex="male", mobile="13880764415", nationality="CN",
                documents=(("passport", "E60418832"),),
            ),
        },
        (("resident id", "passport"),),
    ),
    "minor with a parent's document": Scenario(
        "A child's account opened with the father's id, the child's own birth date told: two customers, to review.",
        {
            "father": Record(
                "邝建业", born="1984-09-13", sex="male", documents=_id(resident_id(450103, "1984-09-13", 55)),
                mobile="13607713358", address="广西壮族自治区南宁市青秀区民族大道131号航洋公寓4号楼2单元1604室",
            ),
            "child": Record(
                "邝梓睿", born="2015-05-28", sex="male", documents=_id(resident_id(450103, "1984-09-13", 55)),
                mobile="13607713358", address="广西壮族自治区南宁市青秀区民族大道131号航洋公寓4号楼2单元1604室",
            ),
        },
        (("father",), ("child",)),
        (("father", "child"),),
    ),
    "minor of whom only a parent's document is known": Scenario(
        "The same where the child's record tells neither birth date nor sex: what the father's id says of the father "
        "proves nothing of the child. Two customers, to review.",
        {
            "mother": Record(
                "滕晓燕", born="1987-02-20", sex="female", documents=_id(resident_id(530102, "1987-02-20", 246)),
                mobile="13708842205",
            ),
            "child": Record(
                "滕子涵", "cards", documents=_id(resident_id(530102, "1987-02-20", 246)), mobile="13708842205",
            ),
        },
        (("mother",), ("child",)),
        (("mother", "child"),),
    ),
}  # fmt: skip

AGENT_MOBILE = "13911400400"
AGENT_CLIENTS = 400
_SURNAMES, _GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建"


def agent_clients() -> dict[str, Record]:
    """Clients of an agent who gave his own number for all: common names, some alike, half of them without id."""
    rng = np.random.default_rng(400)
    clients = {}
    for number in range(AGENT_CLIENTS):
        name = str(rng.choice(list(_SURNAMES))) + "".join(rng.choice(list(_GIVEN), size=int(rng.integers(1, 3))))
        # one birth date each: two clients of one name are never born on one day
        born = (dt.date(1948, 1, 5) + dt.timedelta(days=53 * number)).isoformat()
        is_male = bool(rng.integers(0, 2))
        document = resident_id(130102, born, 2 * int(rng.integers(1, 400)) + is_male)
        clients[f"client {number}"] = Record(
            name,
            born=born,
            sex="male" if is_male else "female",
            documents=_id(document) if number % 2 else (),
            mobile=AGENT_MOBILE,
        )
    return clients
