"""Addresses: regions by the bank's own gazetteer, and one key for the spellings of one address."""

from standardise_staging import Staging, settings_of

from models.identity.addresses import in_digits
from models.identity.languages import Lexicon

PLACES = (
    ("北京市", "北京市", "朝阳区"),
    ("上海市", "上海市", "浦东新区"),
    ("广东省", "深圳市", "南山区"),
    ("江苏省", "南京市", "鼓楼区"),
    ("江苏省", "徐州市", "鼓楼区"),
    ("内蒙古自治区", "呼和浩特市", "新城区"),
    ("新疆维吾尔自治区", "伊犁哈萨克自治州", "伊宁县"),
)


def bank(*extra: tuple[str | None, ...]) -> Staging:
    """A bank in which every place is the address of two customers, and the given addresses besides."""
    staging = Staging()
    for place, regions in enumerate(PLACES):
        for number in range(2):
            staging.address(staging.party(f"p{place}-{number}", "张伟"), "解放路1号", *regions)
    for number, (text, *regions) in enumerate(extra):
        staging.address(staging.party(str(number), "张伟"), text, *regions)
    return staging


def read(*addresses: tuple[str | None, ...]) -> list[tuple[str | None, str | None]]:
    result = bank(*addresses).standardised()
    rows = [result.party(str(number)) for number in range(len(addresses))]
    return [(row["address_region"], row["address_key"]) for row in rows]


def test_region_names_lose_their_suffix() -> None:
    result = bank().standardised()
    assert [result.party(f"p{place}-0")["address_region"] for place in range(len(PLACES))] == [
        "北京|北京|朝阳",
        "上海|上海|浦东",
        "广东|深圳|南山",
        "江苏|南京|鼓楼",
        "江苏|徐州|鼓楼",
        "内蒙古|呼和浩特|新城",
        "新疆|伊犁|伊宁",
    ]


def test_spellings_of_one_address() -> None:
    spellings = [
        ("建国路100号5号楼3单元1201室", "北京市", "北京市", "朝阳区"),
        ("建国路100号5号楼3单元1201室", "北京市", "市辖区", "朝阳区"),
        ("建国路100号5号楼3单元1201室", "北京", None, "朝阳"),
        ("北京市朝阳区建国路100号5号楼3单元1201室",),
        ("北京市北京市朝阳区建国路100号5号楼3单元1201室",),
        ("北京市市辖区朝阳区建国路100号5号楼3单元1201室",),
        ("中国 北京市 朝阳区 建国路100号 5栋3单元1201",),
        ("北京朝阳区建国路１００号五幢三单元1201",),
        ("北京市朝阳区建国路100号5-3-1201", "北京市", "北京市", "朝阳区"),
        ("建國路100號5號樓3單元1201室", "北京市", "北京市", "朝陽區"),
    ]
    assert read(*spellings) == [("北京|北京|朝阳", "建国路100-5-3-1201")] * len(spellings)


def test_missing_levels_are_filled_where_the_bank_knows_them() -> None:
    assert (
        read(("科技园", None, "深圳市", "南山区"), ("科技园", None, None, "南山区"), ("科技园", "广东", None, "南山"))
        == [("广东|深圳|南山", "科技园")] * 3
    )
    # there are two districts of that name
    assert read(("科技园", None, None, "鼓楼区"))[0][0] == "江苏||鼓楼"


def test_a_region_in_a_streets_name_is_no_region() -> None:
    assert read(("上海路3号",), ("南京东路8号", "上海市", "上海市", "浦东新区")) == [
        (None, "上海路3"),
        ("上海|上海|浦东", "南京东路8"),
    ]


def test_text_that_contradicts_the_fields_stays() -> None:
    assert read(("上海市解放路1号", "北京市", "北京市", "朝阳区")) == [("北京|北京|朝阳", "上海市解放路1")]


def test_placeholders() -> None:
    nothing = [None, "", "无", "-", "不详", "无地址"]
    assert read(*((text,) for text in nothing)) == [(None, None)] * len(nothing)
    assert read(*((text, "北京市", "北京市", "不详") for text in nothing)) == [("北京|北京|", None)] * len(nothing)


def test_the_best_address_stands_for_the_party() -> None:
    staging = Staging()
    for record_id, party_type in (("1", "person"), ("2", "organisation")):
        staging.party(record_id, "张伟", party_type=party_type)
        staging.address(record_id, "工作路1号", kind="work")
        staging.address(record_id, "居住路2号", kind="home")
        staging.address(record_id, "注册路3号", kind="registered")
    staging.party("3", "张伟")
    staging.address("3", None, kind="home")
    staging.address("3", "工作路1号", kind="work")
    result = staging.standardised()
    assert [result.party(record_id)["address_key"] for record_id in "123"] == ["居住路2", "注册路3", "工作路1"]
    own = settings_of(address_priority={"person": ["work"], "organisation": ["home"]})
    result = staging.standardised(own)
    assert [result.party(record_id)["address_key"] for record_id in "12"] == ["工作路1", "居住路2"]


def test_addresses_in_latin_letters() -> None:
    assert read(("12 King's Road, Apartment 4-B",), ("12 KINGS RD APT 4 B",)) == [(None, "12 KINGS RD APT 4 B")] * 2
    assert read(("Na Příkopě 33", "Hlavní město Praha", "Praha", None)) == [
        ("HLAVNI MESTO PRAHA|PRAHA|", "NA PRIKOPE 33")
    ]


def test_names_with_quotes_and_pattern_characters_are_only_names() -> None:
    staging = bank(
        ("Main Street 1", "Val-d'Oise (95)", "L'Isle+", "a|b"), ("Main Street 1", "Val-d'Oise (95)", "L'Isle+", "a|b")
    )
    assert staging.standardised().party("0")["address_key"] == "MAIN ST 1"


def test_numbers_in_words() -> None:
    texts = ["十二号楼", "二十号", "一百零五室", "三〇二室", "三里屯路二段", "第一路十号"]
    assert in_digits(texts, Lexicon.of(("zh",))) == ["12号楼", "20号", "105室", "302室", "三里屯路二段", "第一路10号"]
