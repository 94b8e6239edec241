"""Place of birth, occupation and postcode of a party record, standardised."""

from tests.models.standardise_staging import Staging


def test_texts_lose_case_accents_and_punctuation_and_placeholders_vanish() -> None:
    staging = Staging()
    staging.party("1", "Ann Lee", birth_place=" Saint-Étienne ", occupation="chess  player")
    staging.party("2", "Bob Lee", birth_place="unknown", occupation="-")
    staging.party("3", "张伟", occupation="教師")
    done = staging.standardised()
    found = [(done.party(r)["birth_place"], done.party(r)["occupation"]) for r in "123"]
    assert found == [("SAINT ETIENNE", "CHESS PLAYER"), (None, None), (None, "教师")]


def test_the_postcode_is_that_of_the_best_address_in_letters_and_digits() -> None:
    staging = Staging()
    for record_id in "123":
        staging.party(record_id, "Ann Lee")
    staging.address("1", None, kind="work", postcode="EC1A 1BB")
    staging.address("1", None, kind="home", postcode="so19 7bu")
    staging.address("2", None, postcode="000000")
    done = staging.standardised()
    assert [done.party(record_id)["postcode"] for record_id in "123"] == ["SO197BU", None, None]
