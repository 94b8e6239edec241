"""What is compared between two nodes, and which levels of agreement are told apart.

A comparison is a list of levels over columns of ``work.node`` (``<column>_l``, ``<column>_r``); the first level
that holds applies, a pair where the evidence is missing on either side says nothing. Every level carries the
shares that are expected of it among true matches (m) and among different parties (u): they stand until training
has seen enough. Here live definitions only; what a bank changes lies in its settings, estimation in training.

Lists are compared by equality (a node may have had several names); fuzzy levels look at the main value only.
DuckDB's string distances count bytes, so they are applied to Latin letters and digits alone; a character off in
another script is found by equality of the name with each character left open in turn (``names_open``).
"""

from dataclasses import dataclass

ELSE = "else"


@dataclass(frozen=True)
class Level:
    """One level of agreement.

    Attributes:
        name: Name in results and settings.
        condition: DuckDB condition, or ``else``.
        m: Expected share among matches whose evidence is present on both sides.
        u: Expected share among pairs of different parties.
        frequency: Column whose value's frequency takes the place of u.
        distinct: List column of a contact; u is one over the number of its distinct values, for those who share
            one (relatives, colleagues) agree in more than that.
        bits: Fixed match weight; neither m nor u is trained.
    """

    name: str
    condition: str
    m: float
    u: float
    frequency: str | None = None
    distinct: str | None = None
    bits: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Levels of one kind of evidence, and the condition under which there is none."""

    name: str
    missing: str
    levels: tuple[Level, ...]


def _contact(name: str, column: str, m: float, nodes: float) -> Comparison:
    return Comparison(
        name,
        f"{column}_l is null or {column}_r is null",
        (
            Level("equal", f"list_has_any({column}_l, {column}_r)", m, 1 / nodes, distinct=column),
            Level("different", ELSE, 1 - m, 1 - 1 / nodes),
        ),
    )


_DOCUMENT = Comparison(
    "document",
    "not (list_has_any(ids_l, ids_r) or id_type_l = id_type_r) or id_type_l is null or id_type_r is null",
    (
        Level("equal", "list_has_any(ids_l, ids_r)", 0.02, 1e-6),
        Level("different_valid", "id_is_valid_l and id_is_valid_r", 0.01, 0.55, bits=-16.0),
        Level(
            "one_off",
            "not contains(id_number_l, '*') and not contains(id_number_r, '*')"
            " and damerau_levenshtein(id_number_l, id_number_r) = 1",
            0.45,
            3e-6,
        ),
        Level(
            "mask_fits",
            "(contains(id_number_l, '*') or contains(id_number_r, '*'))"
            " and length(id_number_l) = length(id_number_r)"
            " and (id_number_l like replace(id_number_r, '*', '_')"
            " or id_number_r like replace(id_number_l, '*', '_'))",
            0.40,
            1e-5,
        ),
        Level(
            "mask_differs",
            "contains(id_number_l, '*') or contains(id_number_r, '*')",
            0.04,
            0.25,
        ),
        Level("different", ELSE, 0.08, 0.20),
    ),
)

# A landline or a postcode says where one lives as the address does, so it counts in its place and not on top of it.
_ADDRESS = Comparison(
    "address",
    "(addresses_l is null or addresses_r is null)"
    " and not coalesce(list_has_any(landlines_l, landlines_r), false)"
    " and (postcodes_l is null or postcodes_r is null)"
    " and (address_regions_l is null or address_regions_r is null)",
    (
        Level("equal", "list_has_any(addresses_l, addresses_r)", 0.45, 1e-5),
        Level("same_landline", "list_has_any(landlines_l, landlines_r)", 0.05, 1e-5, distinct="landlines"),
        Level("like", "jaro_winkler_similarity(address_latin_l, address_latin_r) >= 0.92", 0.05, 1e-4),
        Level("like_street", "jaro_winkler_similarity(street_latin_l, street_latin_r) >= 0.92", 0.05, 5e-5),
        Level("same_postcode", "list_has_any(postcodes_l, postcodes_r)", 0.05, 1e-3, frequency="postcode"),
        Level("same_region", "list_has_any(address_regions_l, address_regions_r)", 0.18, 0.01, frequency="region"),
        Level("like_region", "jaro_winkler_similarity(region_latin_l, region_latin_r) >= 0.9", 0.02, 0.005),
        Level("same_area", "list_has_any(postal_areas_l, postal_areas_r)", 0.05, 0.01),
        Level("different", ELSE, 0.15, 0.98),
    ),
)


def _particular(name: str, column: str, m: float, u: float) -> Comparison:
    """A text that supports a match: equal by its frequency, or alike but for the spelling."""
    return Comparison(
        name,
        f"{column}s_l is null or {column}s_r is null",
        (
            Level("equal", f"list_has_any({column}s_l, {column}s_r)", m, u, frequency=column),
            Level("like", f"jaro_winkler_similarity({column}_l, {column}_r) >= 0.92", 0.05, u / 2),
            Level("different", ELSE, 0.95 - m, 1 - 1.5 * u),
        ),
    )


_LATIN_TYPO = (
    "damerau_levenshtein(latin_l, latin_r) <= 1"
    " or (length(latin_l) >= 8 and jaro_winkler_similarity(latin_l, latin_r) >= 0.94)"
)

# One word alone is no whole name: often the rest was lost. Then the word says how rare it is, not the name.
_WHOLE = "(contains(latin_l, ' ') or contains(latin_r, ' '))"

# What the shared words of two names say together, by how rare each is; 0 where none is shared.
_SHARED_BITS = (
    "coalesce(list_sum(list_transform(list_intersect(token_bits_l, token_bits_r), lambda word: word.bits)), 0)"
)
# A word on either side that the other one lacks: one letter off, or a familiar form of the same given name. Who bears
# CLARKE and CLATKE shares one word with CLARKE, not two: a variant of a shared word counts no second time.
_SHARED_WORDS = "list_intersect(tokens_l, tokens_r)"


def _unshared(word: str) -> str:
    return (
        f"length({word}) >= 4 and not list_contains({_SHARED_WORDS}, {word})"
        f" and len(list_filter({_SHARED_WORDS}, lambda shared: damerau_levenshtein(shared, {word}) = 1)) = 0"
    )


_LIKE_WORD = (
    f"(len(list_filter(tokens_l, lambda word: {_unshared('word')}"
    f" and len(list_filter(tokens_r, lambda other: {_unshared('other')}"
    " and damerau_levenshtein(word, other) = 1)) > 0)) > 0"
    " or (coalesce(list_has_any(formal_names_l, formal_names_r), false)"
    " and not list_has_any(given_words_l, given_words_r)))"
)

# Relatives share phones and addresses, and often surname, a character of the given name, or (twins) the birth
# date. Those agreements are not independent of one another as the sum of weights supposes, so what contact and
# address together say too much is taken back here when the names do not agree: among parties of one household
# that their documents tell apart, a name one character off is about 10 bits commoner than among strangers, and
# address given phone is worth 14 bits less than address alone.
_SAME_NAME = (
    "list_has_any(names_l, names_r) or list_has_any(latins_l, latins_r)"
    " or native_sorted_l = native_sorted_r or latin_sorted_l = latin_sorted_r"
)
# Father and son of one name: so far apart a birth date is no typing error, unless a single digit is wrong.
_DECADES_APART = (
    "abs(date_diff('year', birth_date_l, birth_date_r)) >= 15"
    " and not list_has_any(birth_dates_l, birth_dates_r)"
    " and damerau_levenshtein(birth_digits_l, birth_digits_r) > 1"
)
_HOUSEHOLD = Comparison(
    "household",
    "coalesce(list_has_any(ids_l, ids_r), false)"  # whom one number names is not told apart by a household
    " or coalesce(list_has_any(mobiles_l, mobiles_r), false) = false"
    " and coalesce(list_has_any(landlines_l, landlines_r), false) = false"
    " and coalesce(list_has_any(addresses_l, addresses_r), false) = false",
    (
        Level("same_name_decades_apart", f"({_SAME_NAME}) and {_DECADES_APART}", 0.001, 0.001, bits=-32.0),
        Level(
            "same_name",
            _SAME_NAME,
            0.97,
            0.97,
            bits=0.0,
        ),
        Level("no_name", "latin_l is null or latin_r is null", 0.01, 0.01, bits=0.0),
        Level(
            "like_name_one_birth",
            "list_has_any(names_open_l, names_open_r) and list_has_any(birth_dates_l, birth_dates_r)",
            0.01,
            0.01,
            bits=-22.0,
        ),
        Level("like_name", "list_has_any(names_open_l, names_open_r)", 0.01, 0.01, bits=-10.0),
        Level(
            "like_latin",
            f"{_LATIN_TYPO} or list_has_all(latin_tokens_l, latin_tokens_r)"
            " or list_has_all(latin_tokens_r, latin_tokens_l)",
            0.01,
            0.01,
            bits=-4.0,
        ),
        Level("other_name", ELSE, 0.01, 0.01, bits=-14.0),
    ),
)

PERSON: tuple[Comparison, ...] = (
    Comparison(
        "name",
        "native_l is null or native_r is null",
        (
            Level("equal", "list_has_any(names_l, names_r)", 0.90, 2e-4, frequency="native"),
            # In one romanisation: two written names that some other one spells alike do not sound alike.
            Level("same_sound", "list_has_any(sounds_l, sounds_r)", 0.035, 4e-4, frequency="latin"),
            Level("swapped", "native_sorted_l = native_sorted_r", 0.005, 1e-6),
            Level("one_character", "list_has_any(names_open_l, names_open_r)", 0.025, 4e-3),
            Level("given_name", "given_name_l = given_name_r and length(given_name_l) >= 2", 0.01, 2e-3),
            Level("surname", "surname_l = surname_r", 0.015, 0.05),
            Level("different", ELSE, 0.01, 0.94),
        ),
    ),
    Comparison(
        "latin",
        "(native_l is not null and native_r is not null) or latin_l is null or latin_r is null",
        (
            Level("equal", f"{_WHOLE} and list_has_any(latins_l, latins_r)", 0.66, 4e-4, frequency="latin"),
            Level("reordered", f"{_WHOLE} and latin_sorted_l = latin_sorted_r", 0.01, 2e-5),
            Level("rare_words", f"{_SHARED_BITS} >= 18", 0.07, 4e-6),
            Level("word_and_like_word", f"{_SHARED_BITS} > 0 and {_LIKE_WORD}", 0.05, 2e-5),
            Level("one_typo", f"{_WHOLE} and ({_LATIN_TYPO})", 0.04, 3e-4),
            Level("rare_word", f"{_SHARED_BITS} >= 11", 0.06, 1e-3),
            Level(
                "part",
                "list_has_all(latin_tokens_l, latin_tokens_r) or list_has_all(latin_tokens_r, latin_tokens_l)",
                0.03,
                5e-4,
            ),
            Level("word", f"{_SHARED_BITS} >= 7", 0.02, 1e-2),
            Level("common_word", f"{_SHARED_BITS} > 0", 0.03, 0.06),
            Level("like_word", _LIKE_WORD, 0.01, 4e-3),
            Level("different", ELSE, 0.02, 0.92),
        ),
    ),
    Comparison(
        "birth_date",
        "birth_dates_l is null or birth_dates_r is null",
        (
            Level("equal", "list_has_any(birth_dates_l, birth_dates_r)", 0.96, 5e-5, frequency="birth_digits"),
            Level(
                "near",
                "damerau_levenshtein(birth_digits_l, birth_digits_r) = 1"
                " or (birth_digits_l[1:4] = birth_digits_r[1:4]"
                " and birth_digits_l[5:6] = birth_digits_r[7:8]"
                " and birth_digits_l[7:8] = birth_digits_r[5:6])",
                0.02,
                1.2e-3,
            ),
            Level(
                "part",
                "birth_digits_l[1:4] = birth_digits_r[1:4] or birth_digits_l[5:8] = birth_digits_r[5:8]",
                0.01,
                0.025,
            ),
            Level("different", ELSE, 0.01, 0.97),
        ),
    ),
    Comparison(
        "sex",
        "sex_l is null or sex_r is null",
        (Level("equal", "sex_l = sex_r", 0.985, 0.5), Level("different", ELSE, 0.015, 0.5)),
    ),
    _DOCUMENT,
    _contact("mobile", "mobiles", 0.65, 20_000),
    Comparison(
        "email",
        "emails_l is null or emails_r is null",
        (
            Level("equal", "list_has_any(emails_l, emails_r)", 0.70, 5e-5, distinct="emails"),
            Level("same_user", "string_split(email_l, '@')[1] = string_split(email_r, '@')[1]", 0.02, 5e-4),
            Level(
                "like",
                "damerau_levenshtein(email_l, email_r) <= 2 or jaro_winkler_similarity(email_l, email_r) >= 0.95",
                0.03,
                2e-5,
            ),
            Level("different", ELSE, 0.25, 0.999),
        ),
    ),
    _ADDRESS,
    _HOUSEHOLD,
    _particular("birth_place", "birth_place", 0.80, 0.01),
    _particular("occupation", "occupation", 0.70, 0.05),
)

# Sister companies share premises and switchboard, as relatives do a home: phone and address together say too much.
_PREMISES = Comparison(
    "premises",
    "coalesce(list_has_any(phones_l, phones_r), false) = false"
    " or coalesce(list_has_any(addresses_l, addresses_r), false) = false",
    (
        Level(
            "same_name",
            "list_has_any(names_l, names_r) or list_has_any(cores_l, cores_r)"
            " or list_has_any(names_open_l, names_open_r) or list_has_any(latins_l, latins_r)"
            " or contains(core_l, core_r) or contains(core_r, core_l)",
            0.98,
            0.98,
            bits=0.0,
        ),
        Level("no_name", "core_l is null or core_r is null", 0.01, 0.01, bits=0.0),
        Level("other_name", ELSE, 0.01, 0.01, bits=-12.0),
    ),
)

ORGANISATION: tuple[Comparison, ...] = (
    Comparison(
        "name",
        "core_l is null or core_r is null",
        (
            Level("equal", "list_has_any(names_l, names_r)", 0.60, 1e-4, frequency="core"),
            Level("same_core", "list_has_any(cores_l, cores_r)", 0.25, 2e-4, frequency="core"),
            Level("one_character", "list_has_any(names_open_l, names_open_r)", 0.05, 2e-5),
            Level(
                "part",
                "(length(core_l) >= 4 and contains(core_r, core_l))"
                " or (length(core_r) >= 4 and contains(core_l, core_r))",
                0.05,
                1e-4,
            ),
            Level("different", ELSE, 0.05, 0.9995),
        ),
    ),
    Comparison(
        "latin",
        "not (core_l is null or core_r is null) or latin_l is null or latin_r is null",
        (
            Level("equal", "list_has_any(latins_l, latins_r)", 0.85, 1e-4, frequency="latin"),
            Level("one_typo", _LATIN_TYPO, 0.08, 1e-4),
            Level("different", ELSE, 0.07, 0.9998),
        ),
    ),
    Comparison(
        "branch",
        "names_l is null or names_r is null",
        (
            Level("equal", "branch_suffix_l is not distinct from branch_suffix_r", 0.99, 0.9),
            Level("different", ELSE, 0.01, 0.1, bits=-14.0),
        ),
    ),
    Comparison(
        "legal_form",
        "legal_form_l is null or legal_form_r is null",
        (Level("equal", "legal_form_l = legal_form_r", 0.97, 0.5), Level("different", ELSE, 0.03, 0.5)),
    ),
    _DOCUMENT,
    _contact("phone", "phones", 0.60, 5_000),
    _contact("email", "emails", 0.70, 5_000),
    Comparison(
        "address",
        "addresses_l is null or addresses_r is null",
        (
            Level("equal", "list_has_any(addresses_l, addresses_r)", 0.55, 1e-5, distinct="addresses"),
            Level("same_region", "list_has_any(address_regions_l, address_regions_r)", 0.25, 0.01),
            Level("different", ELSE, 0.20, 0.99),
        ),
    ),
    _PREMISES,
)

TAKEN_BACK = frozenset({"household", "premises"})
"""Comparisons that only take back what others said too much: without a level they have nothing to say."""

CATALOGUE: dict[str, tuple[Comparison, ...]] = {"person": PERSON, "organisation": ORGANISATION}

# Columns of ``work.node`` whose values' frequencies count. (Those of the words of names are counted beside them.)
FREQUENCY_COLUMNS: dict[str, tuple[str, ...]] = {
    party_type: tuple(
        sorted({level.frequency for c in comparisons for level in c.levels if level.frequency is not None})
    )
    for party_type, comparisons in CATALOGUE.items()
}
