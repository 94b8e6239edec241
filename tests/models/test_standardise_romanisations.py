"""Hong Kong's spelling and Wade-Giles beside pinyin: expected spellings are those that bearers of the names use."""

from standardise_staging import Staging, settings_of

from models.identity.languages import load_language
from models.identity.other_romanisations import romanisations
from models.identity.romanised import Pinyin


def agreeing(*pairs: tuple[str, str], known: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """The pairs of a written and a spelled name whose records share a Latin form, in a bank that knows more names."""
    staging = Staging()
    for place, (written, spelled) in enumerate(pairs):
        staging.party(f"written {place}", written)
        staging.party(f"spelled {place}", spelled)
    for place, name in enumerate(known):
        staging.party(f"known {place}", name)
    result = staging.standardised()
    forms = {
        record: set(result.of("party_name", record, "name_latin"))
        for record in (row["record_id"] for row in result.tables["party_standard"])
    }
    return [pair for place, pair in enumerate(pairs) if forms[f"written {place}"] & forms[f"spelled {place}"]]


SPELLINGS = [
    ("陈大文", "CHAN TAI MAN"),
    ("陳大文", "Chan Tai-man"),
    ("陈大文", "TAI MAN CHAN"),
    ("陈大文", "CHAN, Tai Man Peter"),
    ("陈大文", "Mr. Chan Tai Man"),
    ("黃家明", "WONG KA MING"),
    ("吳志偉", "NG CHI WAI"),
    ("梁振英", "LEUNG CHUN YING"),
    ("張學友", "CHEUNG HOK YAU"),
    ("楊千嬅", "YEUNG CHIN WAH"),
    ("許志安", "HUI CHI ON"),
    ("曾蔭權", "TSANG YAM KUEN"),
    ("李嘉誠", "LI KA SHING"),
    ("李家超", "LEE KA CHIU"),
    ("葉劉淑儀", "IP LAU SUK YEE"),
    ("周潤發", "CHOW YUN FAT"),
    ("歐陽震華", "AU YEUNG CHUN WAH"),
    ("司徒華", "SZETO WAH"),
    ("張惠妹", "CHANG HUI-MEI"),
    ("謝振偉", "HSIEH CHEN-WEI"),
    ("蔡英文", "TSAI YING-WEN"),
    ("蔣經國", "CHIANG CHING-KUO"),
    ("許信良", "HSU HSIN-LIANG"),
    ("呂秀蓮", "LU HSIU-LIEN"),
    ("林怡君", "LIN I-CHUN"),
    ("林怡君", "Yi Chun Lin"),
    ("单雄信", "SHAN HSIUNG-HSIN"),
    ("吳思源", "WU SZU-YUAN"),
]
OTHERS = [
    ("陈大文", "CHAN TAI MING"),
    ("陈大文", "WONG TAI MAN"),
    ("陈大文", "CHAN MAN TAI"),
    ("谢振伟", "HSIEH CHENG-WEI"),
    ("陈大文", "CHAN TA WEN"),  # half Cantonese, half Wade-Giles
    ("李伟", "QIANG WEI LI"),  # WEI LI alone would be 李伟
    ("张伟", "John Smith"),
    ("陈**", "CHAN TAI MAN"),
]


def test_a_written_name_meets_its_other_spellings() -> None:
    assert agreeing(*SPELLINGS) == SPELLINGS


def test_another_name_is_another_name() -> None:
    assert agreeing(*OTHERS) == []


def test_what_pinyin_explains_is_pinyin() -> None:
    """CHANG HUIMEI is 常慧梅 where the bank knows her; without her it may be 张惠妹 in Wade-Giles."""
    pair = ("张惠妹", "CHANG HUIMEI")
    assert agreeing(pair) == [pair]
    assert agreeing(pair, known=("常慧梅",)) == []


def test_nothing_is_added_where_nobody_spells_so() -> None:
    staging = Staging()
    staging.party("1", "陈大文")
    staging.party("2", "ZHANG WEI")
    assert staging.standardised().of("party_name", "1", "name_type") == ["legal"]


def test_a_spelling_is_no_name_of_its_own() -> None:
    staging = Staging()
    staging.party("1", "陈大文")
    staging.party("2", "CHAN TAI MAN")
    result = staging.standardised()
    (latin,) = result.of("party_name", "2", "name_latin")
    assert result.of("party_name", "1", "name_type", "name_standard", "name_latin") == [
        ("legal", "陈大文", "CHEN DAWEN"),
        ("romanised", latin, latin),
    ]
    assert result.party("1")["name_latin"] == "CHEN DAWEN"


def test_a_bank_without_chinese_has_none() -> None:
    staging = Staging()
    staging.party("1", "Jan Novák")
    result = staging.standardised(settings_of(languages=["cs"], phone_region="CZ", documents={}))
    assert result.of("party_name", "1", "name_type") == ["legal"]


def test_the_hundred_commonest_surnames_have_a_spelling() -> None:
    chinese = load_language("zh")
    hong_kong = romanisations(Pinyin(chinese), [])["hong_kong"]
    missing = [surname for surname in chinese.surnames[:100] if not hong_kong.surname(surname)]
    assert missing == []
