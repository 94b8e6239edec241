"""Names of persons and organisations: expected forms written by hand from Chinese naming practice and passports."""

from standardise_staging import Staging, settings_of

Parts = tuple[str | None, str | None, str | None, str | None]


def persons(*names: str | dict[str, str]) -> list[Parts]:
    """Name, surname, given name and Latin name of each person, given by full name or by fields."""
    staging = Staging()
    for place, name in enumerate(names):
        staging.party(str(place), **({"full_name": name} if isinstance(name, str) else name))
    result = staging.standardised()
    columns = ("name_standard", "surname", "given_name", "name_latin")
    return [tuple(result.party(str(place))[column] for column in columns) for place in range(len(names))]


def organisation(*names: str) -> list[tuple[object, ...]]:
    staging = Staging()
    for place, name in enumerate(names):
        staging.organisation(str(place), name)
    # the places that company names are read with come from the bank's addresses
    for record_id, regions in (("a", ("北京市", "北京市", "朝阳区")), ("b", ("广东省", "深圳市", "南山区"))):
        staging.party(record_id, "张伟")
        staging.party(f"{record_id}2", "张伟")
        staging.address(record_id, None, *regions)
        staging.address(f"{record_id}2", None, *regions)
    result = staging.standardised()
    columns = ("name_core", "legal_form", "branch_suffix")
    return [tuple(result.party(str(place))[column] for column in columns) for place in range(len(names))]


def test_chinese_names() -> None:
    expected = {
        "张伟": ("张伟", "张", "伟", "ZHANG WEI"),
        "張偉": ("张伟", "张", "伟", "ZHANG WEI"),
        "　张\u3000 伟\u200b ": ("张伟", "张", "伟", "ZHANG WEI"),
        "张伟先生": ("张伟", "张", "伟", "ZHANG WEI"),
        "张伟（曾用名：张维）": ("张伟", "张", "伟", "ZHANG WEI"),
        "张伟2": ("张伟", "张", "伟", "ZHANG WEI"),
        "歐陽娜娜": ("欧阳娜娜", "欧阳", "娜娜", "OUYANG NANA"),
        "单雄信": ("单雄信", "单", "雄信", "SHAN XIONGXIN"),
        "曾国藩": ("曾国藩", "曾", "国藩", "ZENG GUOFAN"),
        "仇英": ("仇英", "仇", "英", "QIU YING"),
        "尉迟恭": ("尉迟恭", "尉迟", "恭", "YUCHI GONG"),
        "吕布": ("吕布", "吕", "布", "LU BU"),
        "司马光": ("司马光", "司马", "光", "SIMA GUANG"),
        "陈方安生": ("陈方安生", "陈", "方安生", "CHEN FANGANSHENG"),
        "李长江": ("李长江", "李", "长江", "LI CHANGJIANG"),
        "迪丽热巴·迪力木拉提": ("迪丽热巴迪力木拉提", None, None, "DILIMULATI DILIREBA"),
        "迪丽热巴•迪力木拉提": ("迪丽热巴迪力木拉提", None, None, "DILIMULATI DILIREBA"),
        "迪丽热巴．迪力木拉提": ("迪丽热巴迪力木拉提", None, None, "DILIMULATI DILIREBA"),
        "迪丽热巴⸱迪力木拉提": ("迪丽热巴迪力木拉提", None, None, "DILIMULATI DILIREBA"),
        "迪丽热巴-迪力木拉提": ("迪丽热巴迪力木拉提", None, None, "DILIMULATI DILIREBA"),
        "欧阳·娜娜": ("欧阳娜娜", "欧阳", "娜娜", "OUYANG NANA"),
        "张-伟": ("张伟", "张", "伟", "ZHANG WEI"),
        "张伟/ZHANG WEI": ("张伟", "张", "伟", "ZHANG WEI"),
        "迪丽热巴 迪力木拉提": ("迪丽热巴迪力木拉提", None, None, "DILIMULATI DILIREBA"),
        "迪丽热巴迪力木拉提": ("迪丽热巴迪力木拉提", None, None, "DILIREBADILIMULATI"),
        "欧阳 娜娜": ("欧阳娜娜", "欧阳", "娜娜", "OUYANG NANA"),
    }
    assert dict(zip(expected, persons(*expected), strict=True)) == expected


def test_hidden_characters_stay_as_stars_and_prove_nothing() -> None:
    expected = {
        "张*": ("张*", "张", None, None),
        "张＊＊": ("张**", "张", None, None),
        "张××": ("张**", "张", None, None),
        "张某某": ("张**", "张", None, None),
        "王小姐": ("王*", "王", None, None),
        "李医生": ("李*", "李", None, None),
        "欧阳先生": ("欧阳*", "欧阳", None, None),
        "张·某": ("张*", "张", None, None),
        "李?明": ("李*明", "李", None, None),
        "*伟": ("*伟", None, None, None),
        "张": ("张*", "张", None, None),
    }
    assert dict(zip(expected, persons(*expected), strict=True)) == expected


def test_every_spelling_of_a_name_has_one_latin_form() -> None:
    names = [
        ("张伟", "張偉", "ZHANG WEI", "Wei Zhang", "ZHANG, WEI", "Zhang-Wei", "ZHANGWEI", "MR. ZHANG WEI"),
        ("张小明", "ZHANG XIAOMING", "Xiaoming Zhang", "ZHANG XIAO MING", "Zhang Xiao-Ming"),
        ("周丽", "ZHOU LI", "LI ZHOU", "Zhou, Li"),
        ("吕军", "LV JUN", "LYU JUN", "LÜ JUN", "LU JUN"),
        ("欧阳娜娜", "OUYANG NANA", "OU YANG NA NA", "Nana Ouyang"),
        ("李安", "LI AN", "AN LI"),
    ]
    for spellings in names:
        assert len({latin for _, _, _, latin in persons(*spellings)}) == 1, spellings


def test_latin_names() -> None:
    expected = {
        "Mr. John O'Neil-Smith Jr.": ("JOHN ONEILSMITH", "ONEILSMITH", "JOHN", "JOHN ONEILSMITH"),
        "John Smith III": ("JOHN SMITH", "SMITH", "JOHN", "JOHN SMITH"),
        "John Smith, 2nd": ("JOHN SMITH", "SMITH", "JOHN", "JOHN SMITH"),
        "J.R. Smith": ("J R SMITH", "SMITH", "J R", "J R SMITH"),
        "Jan van der Berg": ("BERG DER JAN VAN", "VAN DER BERG", "JAN", "BERG DER JAN VAN"),
        "van der Berg, Jan": ("BERG DER JAN VAN", "VAN DER BERG", "JAN", "BERG DER JAN VAN"),
        "Juan de la Cruz": ("CRUZ DE JUAN LA", "DE LA CRUZ", "JUAN", "CRUZ DE JUAN LA"),
        "Ahmad bin Abdullah": ("ABDULLAH AHMAD BIN", "BIN ABDULLAH", "AHMAD", "ABDULLAH AHMAD BIN"),
        "Mohammed Al-Hussein": ("ALHUSSEIN MOHAMMED", "ALHUSSEIN", "MOHAMMED", "ALHUSSEIN MOHAMMED"),
        "Smith, John": ("JOHN SMITH", "SMITH", "JOHN", "JOHN SMITH"),
        "Jürgen Großmann": ("GROSSMANN JURGEN", "GROSSMANN", "JURGEN", "GROSSMANN JURGEN"),
        "Łukasz Żółć": ("LUKASZ ZOLC", "ZOLC", "LUKASZ", "LUKASZ ZOLC"),
        "John Smith 先生": ("JOHN SMITH", "SMITH", "JOHN", "JOHN SMITH"),
        "ＺＨＡＮＧ　ＷＥＩ": ("ZHANG WEI", "ZHANG", "WEI", "ZHANG WEI"),
        "Иван Петров": ("ИВАН ПЕТРОВ", None, None, None),
        "ZH**G WEI": ("ZH**G WEI", None, None, None),
    }
    assert dict(zip(expected, persons(*expected), strict=True)) == expected


def test_placeholders_are_no_names() -> None:
    nothing = ["无", "暂无", "未知", "未知先生", "N/A", "null", "-", "***", "12345", "测试客户", "X", "（无）", "先生"]
    assert persons(*nothing) == [(None, None, None, None)] * len(nothing)


def test_own_placeholders_and_titles() -> None:
    staging = Staging()
    staging.party("1", "柜台客户")
    staging.party("2", "张伟行长")
    result = staging.standardised(settings_of(placeholders={"words": ["柜台客户"]}, titles=["行长"]))
    assert result.party("1")["name_standard"] is None
    assert result.party("2")["name_standard"] == "张伟"


def test_fields_for_surname_and_given_name() -> None:
    assert persons(
        {"family_name": "张", "given_name": "伟"},
        {"family_name": "neumann", "given_name": "michaela"},
        {"full_name": "纳兰性德", "family_name": "纳兰"},  # a compound surname that no list holds
    ) == [
        ("张伟", "张", "伟", "ZHANG WEI"),
        ("MICHAELA NEUMANN", "NEUMANN", "MICHAELA", "MICHAELA NEUMANN"),
        ("纳兰性德", "纳兰", "性德", "NALAN XINGDE"),
    ]


def test_every_name_of_a_record_is_kept() -> None:
    staging = Staging()
    staging.party("1", "张伟")
    staging.name("1", "ZHANG WEI")
    staging.name("1", "张维", "former")
    staging.name("1", "无", "alias")
    staging.name("gone", "李四")
    result = staging.standardised()
    assert sorted(result.of("party_name", "1", "name_type", "name_standard", "name_latin")) == [
        ("embossed", "ZHANG WEI", "ZHANG WEI"),
        ("former", "张维", "ZHANG WEI"),
        ("legal", "张伟", "ZHANG WEI"),
    ]
    assert result.of("party_name", "gone", "name_standard") == []


def test_another_name_stands_in_for_a_missing_one() -> None:
    staging = Staging()
    staging.party("1", "无")
    staging.name("1", "张维", "former")
    staging.name("1", "ZHANG WEI", "embossed")
    staging.party("2", "张**")
    staging.name("2", "ZHANG WEI", "embossed")
    result = staging.standardised()
    assert result.party("1")["name_standard"] == "ZHANG WEI"
    assert (result.party("2")["name_standard"], result.party("2")["name_latin"]) == ("张**", "ZHANG WEI")


def test_organisations_in_parts() -> None:
    assert organisation(
        "上海海豚科技有限公司",
        "上海海豚科技有限责任公司",
        "上海海豚科技股份有限公司北京分公司",
        "招商银行北京分行",
        "招商银行北京市分行",
        "招商银行深圳市南山区支行",
        "中国移动通信集团北京有限公司朝阳分公司",
        "腾讯科技（深圳）有限公司",
        "深圳市海豚科技有限公司",
        "深圳海豚科技有限公司",
        "海豚（有限合伙）",
        "个体户周进军",
        "个体工商户周进军",
        "有限公司",
    ) == [
        ("上海海豚科技", "有限公司", None),
        ("上海海豚科技", "有限公司", None),
        ("上海海豚科技", "股份有限公司", "北京分公司"),
        ("招商银行", None, "北京分行"),
        ("招商银行", None, "北京分行"),
        ("招商银行", None, "深圳南山支行"),
        ("中国移动通信集团北京", "有限公司", "朝阳分公司"),
        ("腾讯科技深圳", "有限公司", None),
        ("深圳海豚科技", "有限公司", None),
        ("深圳海豚科技", "有限公司", None),
        ("海豚", "合伙企业", None),
        ("周进军", "个体工商户", None),
        ("周进军", "个体工商户", None),
        ("有限公司", None, None),
    ]


def test_organisations_with_latin_names() -> None:
    assert organisation(
        "Acme Trading Co., Ltd.",
        "ACME TRADING LIMITED",
        "Smith Co Trading Limited",
        "Acme Ltd. Shanghai Branch",
        "Acme",
    ) == [
        ("ACME TRADING", "LTD", None),
        ("ACME TRADING", "LTD", None),
        ("SMITH CO TRADING", "LTD", None),
        ("ACME", "LTD", "SHANGHAI BRANCH"),
        ("ACME", None, None),
    ]


def test_organisation_names_have_no_surname_and_keep_their_legal_form() -> None:
    staging = Staging()
    staging.organisation("1", "騰訊科技（深圳）有限公司")
    row = staging.standardised().party("1")
    assert row["name_standard"] == "腾讯科技深圳有限公司"
    assert row["name_latin"] == "TENGXUNKEJISHENZHEN"
    assert row["surname"] is None and row["given_name"] is None


def test_a_bank_without_chinese() -> None:
    staging = Staging()
    staging.party("1", "Ing. Jana Nováková, CSc.")
    staging.party("2", "张伟")
    staging.organisation("3", "Řeznictví Novák s.r.o.")
    staging.organisation("4", "Reznictvi Novak, spol. s r.o.")
    result = staging.standardised(settings_of(languages=["cs"], phone_region="CZ", documents={}))
    assert result.party("1")["name_latin"] == "JANA NOVAKOVA"
    assert (result.party("2")["name_standard"], result.party("2")["name_latin"]) == ("张伟", None)
    assert [result.party(i)["name_core"] for i in ("3", "4")] == ["REZNICTVI NOVAK"] * 2
    assert [result.party(i)["legal_form"] for i in ("3", "4")] == ["SRO"] * 2
