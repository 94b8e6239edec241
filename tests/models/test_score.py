"""Training and scoring: what weights rest on, and what pairs get."""

import dataclasses
import datetime as dt
import math

import duckdb
import numpy as np
import pytest

from models.identity.collapse import collapse
from models.identity.matching_model import WORD, Frequencies, ModelArtefact, PartyModel, prior_comparisons
from models.identity.score import score
from models.identity.settings import MatchingSettings
from models.identity.training import train
from tests.models.synthetic_parties import Parties, generate

SETTINGS = MatchingSettings.model_validate({"review_threshold_bits": -100, "training": {"random_pairs": 20_000}})
BORN = dt.date(1980, 5, 17)
NAME = {"name": "王小明", "latin": "WANG XIAOMING", "surname": "王", "given_name": "小明"}


def _plain(party_type: str) -> PartyModel:
    """The expected shares as a model, without frequencies."""
    comparisons = tuple(
        dataclasses.replace(c, levels=tuple(dataclasses.replace(level, frequency=None) for level in c.levels))
        for c in prior_comparisons(SETTINGS, party_type)
    )
    return PartyModel(1e-4, comparisons, {}, {})


MODEL = ModelArtefact("test", {name: _plain(name) for name in ("person", "organisation")})


def _nodes(con: duckdb.DuckDBPyConnection) -> None:
    collapse(con, SETTINGS)
    con.execute("create or replace view identity.party_node as from res.party_node")


def _pairs(
    parties: Parties, settings: MatchingSettings = SETTINGS, model: ModelArtefact = MODEL
) -> dict[frozenset[str], tuple[float, str, dict[str, str]]]:
    """Weight, rule and levels of each pair, by record ids."""
    con = parties.connect()
    _nodes(con)
    score(con, settings, model)
    rows = con.execute(
        """
        select l.record_id, r.record_id, match_weight, blocking_rule, comparison_levels
        from res.node_pair
        inner join res.party_node as l on l.node_id = node_id_l
        inner join res.party_node as r on r.node_id = node_id_r
        """
    ).fetchall()
    return {
        frozenset((a, b)): (weight, rule, dict(part.split(": ") for part in levels.split("; ") if part))
        for a, b, weight, rule, levels in rows
    }


def _two(first: dict[str, object], second: dict[str, object]) -> tuple[float, str, dict[str, str]]:
    parties = Parties()
    parties.add("a", **first)  # type: ignore[arg-type]
    parties.add("b", **second)  # type: ignore[arg-type]
    return _pairs(parties)[frozenset("ab")]


def test_a_weight_is_the_sum_of_its_levels_and_the_prior() -> None:
    weight, rule, levels = _two(
        {**NAME, "birth_date": BORN, "sex": "male", "mobile": "+8613700000001"},
        {**NAME, "birth_date": BORN, "sex": "female", "mobile": "+8613700000002"},
    )
    assert levels == {"name": "equal", "birth_date": "equal", "sex": "different", "mobile": "different"}
    assert rule == "name + birth_date"
    shares = {c.name: {lv.name: (lv.m, lv.u) for lv in c.levels} for c in MODEL.parties["person"].comparisons}
    expected = math.log2(1e-4 / (1 - 1e-4)) + sum(
        math.log2(shares[comparison][level][0] / shares[comparison][level][1]) for comparison, level in levels.items()
    )
    assert weight == pytest.approx(expected)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("resident_id", "110101198005170011", True), ("resident_id", "110101198005170012", False), "one_off"),
        (("resident_id", "110101198005170011", True), ("resident_id", "110101198005170101", False), "one_off"),
        (("resident_id", "110101198005170011", True), ("resident_id", "110101********0011", False), "mask_fits"),
        (("resident_id", "110101198005170011", True), ("resident_id", "110101********0012", False), "mask_differs"),
        (("resident_id", "110101198005170011", True), ("resident_id", "990101198005170099", False), "different"),
        (("resident_id", "110101198005170011", True), ("resident_id", "110101198005170038", True), "different_valid"),
        (("passport", "CN:E12345678", True), ("passport", "E12345678", False), "equal"),
        (("passport", "CN:E12345678", True), ("resident_id", "110101198005170011", True), None),
    ],
)
def test_levels_of_documents(first: tuple[str, str, bool], second: tuple[str, str, bool], expected: str | None) -> None:
    same = {**NAME, "birth_date": BORN}
    _, _, levels = _two({**same, "documents": (first,)}, {**same, "documents": (second,)})
    assert levels.get("document") == expected


@pytest.mark.parametrize("masked", ["110101198005170***", "***********5170011", "310***********0011"])
def test_a_masked_document_is_blocked_by_what_it_shows(masked: str) -> None:
    keys = ("document_head", "document_tail", "document_end")
    parties = Parties()
    parties.add("a", documents=(("resident_id", "110101198005170011", True),))
    parties.add("b", documents=(("resident_id", masked, False),))
    rules = {"person": {"blocking": [[key] for key in keys]}}
    settings = MatchingSettings.model_validate({"review_threshold_bits": -100, **rules})
    assert frozenset("ab") in _pairs(parties, settings)


def test_names_that_another_romanisation_spells_alike_do_not_sound_alike() -> None:
    parties = Parties()
    for record_id, name, latin in (("a", "陈大文", "CHEN DAWEN"), ("b", "陈泰民", "CHEN TAIMIN")):
        parties.add(record_id, name=name, latin=latin, birth_date=BORN)
        parties.party_name.append({**parties.party_name[-1], "name_type": "romanised", "name_standard": "CHAN TAIMAN"})
        parties.party_name[-1]["name_latin"] = "CHAN TAIMAN"
    parties.add("c", name="CHAN TAIMAN", latin="CHAN TAIMAN", birth_date=BORN)
    pairs = _pairs(parties)
    assert pairs[frozenset("ab")][2]["name"] != "same_sound"
    assert pairs[frozenset("ac")][2]["latin"] == "equal"


@pytest.mark.parametrize(
    ("other", "comparison", "level"),
    [
        ({"name": "王晓明", "latin": "WANG XIAOMING", "given_name": "晓明"}, "name", "same_sound"),
        ({"name": "王大明", "latin": "WANG DAMING", "given_name": "大明"}, "name", "one_character"),
        ({"name": "明小王", "latin": "MING XIAOWANG", "surname": "明", "given_name": "小王"}, "name", "swapped"),
        ({"name": "李小明", "latin": "LI XIAOMING", "surname": "李"}, "name", "one_character"),
        ({"name": "王建国", "latin": "WANG JIANGUO", "given_name": "建国"}, "name", "surname"),
        ({"name": "李建国", "latin": "LI JIANGUO", "surname": "李", "given_name": "建国"}, "name", "different"),
        ({"name": "WANG XIAOMING"}, "latin", "equal"),
        ({"name": "MING XIAOWANG", "latin": "MING XIAOWANG"}, "latin", "reordered"),
        ({"name": "WANG XIAOMIN", "latin": "WANG XIAOMIN"}, "latin", "word_and_like_word"),
        ({"name": "WANGXIAOMIN", "latin": "WANGXIAOMIN"}, "latin", "one_typo"),
        ({"name": "DA WANG XIAOMING", "latin": "DA WANG XIAOMING"}, "latin", "rare_words"),
        ({"name": "LI XIAOMING", "latin": "LI XIAOMING"}, "latin", "rare_word"),
    ],
)
def test_levels_of_names(other: dict[str, object], comparison: str, level: str) -> None:
    same = {"birth_date": BORN, "mobile": "+8613700000001"}
    _, _, levels = _two({**NAME, **same}, {**NAME, **same, **other})
    assert levels[comparison] == level
    assert ("name" in levels) != ("latin" in levels), "a name is compared in one writing only"


@pytest.mark.parametrize(
    ("born", "level"),
    [
        (BORN, "equal"),
        (dt.date(1980, 5, 18), "near"),
        (dt.date(1981, 5, 17), "near"),
        (dt.date(1980, 11, 30), "part"),
        (dt.date(1965, 5, 17), "part"),
        (dt.date(1991, 11, 30), "different"),
    ],
)
def test_levels_of_birth_dates(born: dt.date, level: str) -> None:
    same = {**NAME, "mobile": "+8613700000001"}
    assert _two({**same, "birth_date": BORN}, {**same, "birth_date": born})[2]["birth_date"] == level


def test_day_and_month_swapped_is_near() -> None:
    same = {**NAME, "mobile": "+8613700000001"}
    pair = _two({**same, "birth_date": dt.date(1980, 3, 11)}, {**same, "birth_date": dt.date(1980, 11, 3)})
    assert pair[2]["birth_date"] == "near"


def test_relatives_of_one_household_stay_below_the_threshold() -> None:
    home = {"mobile": "+8613700000001", "address_region": "R", "address_key": "K", "sex": "male"}
    father = {**NAME, **home, "birth_date": BORN}
    son = {"name": "王建国", "latin": "WANG JIANGUO", "surname": "王", "given_name": "建国", **home}
    weight, _, levels = _two(father, son)
    assert levels["household"] == "other_name"
    assert weight < MatchingSettings().merge_threshold_bits
    assert _two(father, {**NAME, **home})[0] > MatchingSettings().merge_threshold_bits


def test_a_contact_that_identifies_nobody_is_weightless() -> None:
    parties = Parties()
    for record_id in "ab":
        parties.add(record_id, **NAME, birth_date=BORN, mobile="+8613700000001")  # type: ignore[arg-type]
    for row in parties.party_contact:
        row["is_identifying"] = False
    assert "mobile" not in _pairs(parties)[frozenset("ab")][2]


def test_a_person_is_never_compared_with_an_organisation() -> None:
    parties = Parties()
    same = {"name": "王小明", "latin": "WANG XIAOMING", "mobile": "+8613700000001", "email": "a@b.cn"}
    parties.add("a", **same)  # type: ignore[arg-type]
    parties.add("b", party_type="organisation", name_core="王小明", **same)  # type: ignore[arg-type]
    assert _pairs(parties) == {}


def test_a_branch_is_not_its_head_office() -> None:
    parties = Parties()
    same = {"party_type": "organisation", "name_core": "华夏科技", "mobile": "+861012345678"}
    parties.add("a", name="华夏科技有限公司", **same)  # type: ignore[arg-type]
    parties.add("b", name="华夏科技有限公司上海分公司", branch_suffix="上海", **same)  # type: ignore[arg-type]
    weight, _, levels = _pairs(parties)[frozenset("ab")]
    assert levels["branch"] == "different"
    assert weight < MatchingSettings().merge_threshold_bits


def test_all_evidence_of_a_node_counts() -> None:
    parties = Parties()
    document = (("resident_id", "110101198005170011", True),)
    parties.add("a1", **NAME, documents=document, mobile="+8613700000001")  # type: ignore[arg-type]
    parties.add("a2", name="WANG XIAOMING", latin="WANG XIAOMING", documents=document, mobile="+8613700000002")
    parties.add("b", name="WANG XIAOMING", latin="WANG XIAOMING", mobile="+8613700000001")
    (pair,) = {levels["mobile"] for _, _, levels in _pairs(parties).values()}
    assert pair == "equal"


def test_pairs_that_share_a_document_are_kept_whatever_they_score() -> None:
    parties = Parties()
    document = (("resident_id", "110101198005170011", True),)
    parties.add("a", **NAME, documents=document, birth_date=BORN, sex="male")  # type: ignore[arg-type]
    parties.add(
        "b", name="李芳", latin="LI FANG", surname="李", given_name="芳", documents=document,
        birth_date=dt.date(1999, 1, 2), sex="female",
    )  # fmt: skip
    pairs = _pairs(parties, SETTINGS.model_copy(update={"review_threshold_bits": 50.0}))
    assert set(pairs) == {frozenset("ab")}


def _crowd(count: int) -> Parties:
    """Parties that all share one mobile, two by two of one name and birth date."""
    parties = Parties()
    for number in range(count):
        twin = number // 2
        name = "王" + chr(0x4E00 + twin) + chr(0x5E00 + twin)
        born = dt.date(1950, 1, 1) + dt.timedelta(days=17 * twin)
        parties.add(f"{number:04d}", name=name, latin=f"WANG N{twin}", birth_date=born, mobile="+8613700000001")
    return parties


def test_a_block_above_the_cap_is_split_and_loses_no_likely_pair() -> None:
    settings = MatchingSettings.model_validate(
        {
            "review_threshold_bits": -100,
            "block_cap": 10,
            "block_window": 3,
            "person": {"blocking": [["mobile"]]},
        }
    )
    count = 200
    pairs = _pairs(_crowd(count), settings)
    expected = {frozenset((f"{n:04d}", f"{n + 1:04d}")) for n in range(0, count, 2)}
    assert expected <= set(pairs)
    assert len(pairs) <= count * (3 + 1), "the cost is that of the window, not of the square"
    assert {record for pair in pairs for record in pair} == {f"{n:04d}" for n in range(count)}, "nobody is dropped"


def test_without_keys_to_split_by_the_window_alone_holds() -> None:
    settings = MatchingSettings.model_validate(
        {"review_threshold_bits": -100, "block_cap": 2, "person": {"blocking": [["mobile"]], "split_by": []}}
    )
    pairs = _pairs(_crowd(30), settings)
    assert {frozenset((f"{n:04d}", f"{n + 1:04d}")) for n in range(0, 30, 2)} <= set(pairs)


def test_training_is_the_same_for_the_same_records_in_any_order() -> None:
    parties = generate(250, seed=5)
    versions = set()
    for order in (None, np.random.default_rng(1)):
        con = parties.connect(order)
        _nodes(con)
        versions.add(train(con, SETTINGS).version)
    assert len(versions) == 1


def test_a_model_survives_its_file_and_a_change_by_hand_is_seen(tmp_path) -> None:
    con = generate(60, seed=5).connect()
    _nodes(con)
    model = train(con, SETTINGS)
    path = model.save(tmp_path)
    assert path.name == f"default-{model.version}.json"
    assert ModelArtefact.load(path) == model
    path.write_text(path.read_text(encoding="utf-8").replace('"prior": ', '"prior": 1'), encoding="utf-8")
    with pytest.raises(ValueError, match="changed by hand"):
        ModelArtefact.load(path)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="not a matching model"):
        ModelArtefact.load(path)


def test_a_model_names_nobody_who_is_not_one_of_many() -> None:
    parties = generate(300, seed=5)
    con = parties.connect()
    _nodes(con)
    model = train(con, SETTINGS)
    listed = {value for party in model.parties.values() for f in party.frequencies.values() for value in f.values}
    bearers: dict[str, set[str]] = {}
    for row, truth in zip(parties.party_standard, parties.truth, strict=True):
        words = str(row["name_latin"]).split()
        born = f"{row['birth_date']:%Y%m%d}" if row["birth_date"] else None
        regions = (row["address_region"], row["postcode"])
        for value in (row["name_standard"], row["name_latin"], row["name_core"], born, *regions, *words):
            bearers.setdefault(str(value), set()).add(truth["entity_id"])
    assert all(len(bearers[value]) >= 5 for value in listed)


def test_m_is_learned_from_known_matches() -> None:
    parties = generate(1500, seed=5, noise=0.3)
    con = parties.connect()
    _nodes(con)
    model = train(con, SETTINGS)
    mobile = next(c for c in model.parties["person"].comparisons if c.name == "mobile")
    # a mobile is another one with probability 0.3 on either side, and two such never agree
    assert mobile.levels[0].m == pytest.approx(0.7 * 0.7, abs=0.05)


@pytest.mark.parametrize("entities", [0, 1, 2])
def test_almost_no_data_leave_the_expected_shares(entities: int) -> None:
    con = generate(entities, seed=1, duplicates=False).connect()
    _nodes(con)
    model = train(con, SETTINGS)
    expected = {c.name: c for c in prior_comparisons(SETTINGS, "person")}
    for comparison in model.parties["person"].comparisons:
        for level, prior in zip(comparison.levels, expected[comparison.name].levels, strict=True):
            assert level.bits is not None or level.m == pytest.approx(prior.m, rel=0.02)
    score(con, SETTINGS, model)


def test_a_bank_may_fix_a_weight_and_drop_a_comparison() -> None:
    settings = MatchingSettings.model_validate(
        {"person": {"comparisons": {"sex": {"bits": {"different": -9}}, "mobile": {"use": False}}}}
    )
    comparisons = {c.name: c for c in prior_comparisons(settings, "person")}
    assert "mobile" not in comparisons
    different = comparisons["sex"].levels[1]
    assert math.log2(different.m / different.u) == pytest.approx(-9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"merge_treshold_bits": 3}, "Extra inputs"),
        ({"person": {"blocking": [["nam"]]}}, "blocking key 'nam' is not one of name, latin"),
        ({"person": {"blocking": [["name", "name"]]}}, "names a key twice"),
        ({"person": {"comparisons": {"nome": {}}}}, "comparison 'nome' is not one of name"),
        (
            {"organisation": {"comparisons": {"name": {"bits": {"eqal": 1}}}}},
            "level 'eqal' of name is not one of equal",
        ),
        ({"person": {"comparisons": {"sex": {"prior_m": {"equal": 0.9, "different": 0.2}}}}}, "more than 1"),
        ({"review_threshold_bits": 9, "merge_threshold_bits": 5}, "no pair would be reviewed"),
    ],
)
def test_wrong_settings_are_said(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MatchingSettings.model_validate(settings)


def _english(first: str, second: str) -> str:
    """Level of two names in Latin letters; SMITH and JOHN are common in the model, every other word is rare."""
    words = Frequencies(2.0**-12, {"SMITH": 2.0**-6, "JOHN": 2.0**-5, "WALKER": 2.0**-8})
    parties = {name: dataclasses.replace(party, frequencies={WORD: words}) for name, party in MODEL.parties.items()}
    found = Parties()
    for record_id, name in (("a", first), ("b", second)):
        found.add(record_id, name=name, latin=name, birth_date=BORN, email="x@mail.example.org")
    return _pairs(found, SETTINGS, dataclasses.replace(MODEL, parties=parties))[frozenset("ab")][2]["latin"]


@pytest.mark.parametrize(
    ("first", "second", "level"),
    [
        ("JOHN SMITH", "JOHN SMITH", "equal"),
        ("ELEAZAR JOHN SMITH", "ELEAZAR BROWN SMITH", "rare_words"),  # 12 + 6 = 18 bits
        ("ELEAZAR JOHN", "ELEAZAR BROWN", "rare_word"),  # 12
        ("SMITH", "BROWN SMITH", "part"),
        ("SMITH", "SMITH", "part"),  # one word is no whole name
        ("ELEAZAR", "ELEAZAR", "rare_word"),
        ("MORRISON", "MORRION", "like_word"),
        ("JOHN WALKER", "BROWN WALKER", "word"),  # 8
        ("JOHN SMITH", "BROWN SMITH", "common_word"),  # 6
        ("JOHN DUNCAN", "BROWN DUNCAM", "like_word"),
        ("ARTIE SMITH", "ARTHUR SMITH", "word_and_like_word"),  # a familiar form
        ("ARTIE SMITH", "BROWN SMITH", "common_word"),
        ("JOHN SMITH", "ELEAZAR BROWN", "different"),
    ],
)
def test_words_of_names_count_by_how_rare_they_are(first: str, second: str, level: str) -> None:
    assert _english(first, second) == level


def test_a_variant_of_a_shared_word_counts_no_second_time() -> None:
    parties = Parties()
    for record_id, latin in (("a", "CLARKE DEVAN"), ("b", "CLARKE RENEE")):
        parties.add(record_id, name=latin, latin=latin, birth_date=BORN, email="x@mail.example.org")
    misspelled = {"name_standard": "CLATKE DEVAN", "name_latin": "CLATKE DEVAN"}
    parties.party_name.append({**parties.party_name[0], **misspelled})
    assert _pairs(parties)[frozenset("ab")][2]["latin"] == "rare_word"


@pytest.mark.parametrize(
    ("region", "street", "level"),
    [
        ("QLD|TOOWOOMBA", "8 LETHBRIDGE ST", "like_street"),
        ("QLD|TOOWOOMBA", "8 LETHBRIDBE ST", "like_street"),
        ("QLD|TOOWOOMBA", "21 BREWSTER PL", "same_postcode"),
        ("QLD|WINSTON HILLS", "8 LETHBRIDBE ST", "like"),
    ],
)
def test_a_street_counts_where_the_place_is_another(region: str, street: str, level: str) -> None:
    home = {"address_region": "QLD|WINSTON HILLS", "address_key": "8 LETHBRIDGE ST", "postcode": "2767"}
    other = {"address_region": region, "address_key": street, "postcode": "2767"}
    _, _, levels = _two({**NAME, "birth_date": BORN, **home}, {**NAME, "birth_date": BORN, **other})
    assert levels["address"] == level


@pytest.mark.parametrize(
    ("name", "born", "level"),
    [
        ({"name": "王大明", "latin": "WANG DAMING", "given_name": "大明"}, BORN, "like_name_one_birth"),
        ({"name": "王大明", "latin": "WANG DAMING", "given_name": "大明"}, BORN.replace(day=3), "like_name"),
        ({}, BORN.replace(year=2008, month=9), "same_name_decades_apart"),
        ({}, BORN.replace(year=1990), "same_name"),  # one digit off: a typing error
        ({}, BORN, "same_name"),
    ],
)
def test_levels_of_a_household_tell_twins_and_father_and_son(
    name: dict[str, object], born: dt.date, level: str
) -> None:
    home = {"mobile": "+8613700000001", "address_region": "R", "address_key": "K", "sex": "male"}
    assert (
        _two({**NAME, **home, "birth_date": BORN}, {**NAME, **home, **name, "birth_date": born})[2]["household"]
        == level
    )


def test_a_household_tells_nobody_apart_whom_one_number_names() -> None:
    same = {"mobile": "+8613700000001", "documents": (("national_id", "5384988", False),)}
    _, _, levels = _two({**NAME, **same, "birth_date": BORN}, {**NAME, **same, "birth_date": BORN.replace(year=2008)})
    assert levels["document"] == "equal"
    assert "household" not in levels


@pytest.mark.parametrize(
    ("core", "level"), [("海纳商贸", "other_name"), ("金鼎科技", "same_name"), ("杭州金鼎科技", "same_name")]
)
def test_premises_tell_sister_companies(core: str, level: str) -> None:
    office = {"party_type": "organisation", "mobile": "+8613700000009", "address_region": "R", "address_key": "K"}
    _, _, levels = _two(
        {**office, "name": "金鼎科技有限公司", "name_core": "金鼎科技"},
        {**office, "name": f"{core}有限公司", "name_core": core},
    )
    assert levels["premises"] == level
