"""Card numbers never reach the lake: tokens in the field, masks everywhere else."""

import hmac
from typing import Any

import pytest
from conftest import Desk

from sources.protect import CardTokens, mask_cards, passes_luhn

KEY = b"0123456789abcdef0123456789abcdef"
CARD, OTHER = "6222021234567894", "4111111111111111"


def token(number: str) -> str:
    return f"{number[:6]}-{hmac.new(KEY, number.encode(), 'sha256').hexdigest()[:16]}-{number[-4:]}"


def test_card_numbers_never_reach_the_lake(desk: Desk) -> None:
    fields: dict[str, dict[str, Any]] = {"card": {"tokenise": "card", "primaryKey": True}, "n": {"type": "number"}}
    rows = "".join(f"{int(CARD) + n * 10**5},{n}\n" for n in range(400))
    desk.put(
        "c.csv", f"card,n\n{CARD[:4]} {CARD[4:8]}-{CARD[8:]},1\n{OTHER},bad\nnot a card,3\n,4\n{OTHER},5,6\n{rows}"
    )
    contract = desk.contract(fields)
    with pytest.raises(ValueError, match=r"core.customer: the contract tokenises a field; a token key is needed"):
        desk.land(contract)
    desk.land(contract, key=KEY)
    landed = [row["card"] for row in desk.rows()]
    assert landed[0] == token(CARD)
    assert landed[1].startswith("other-") and "card" not in landed[1]
    found = [(q["source_line"], q["rule"], q["raw"]) for q in desk.quarantine()]
    assert found == [
        (3, "logicalType", b"411111******1111,bad"),
        (5, "primaryKey", b",4"),
        (6, "columns", b"411111******1111,5,6"),
        (7, "primaryKey", f"{CARD[:6]}******{CARD[-4:]},0".encode()),
    ]
    for path in desk.lake.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert CARD.encode() not in content and OTHER.encode() not in content


def test_card_numbers_in_fixed_width_bytes_are_masked_in_their_field(desk: Desk) -> None:
    fields: dict[str, dict[str, Any]] = {
        "n": {"width": 6, "type": "number"},
        "card": {"width": 16, "tokenise": "card"},
        "m": {"width": 8},
    }
    unlucky = "6222021234567890"
    assert not passes_luhn(unlucky.encode())
    desk.put("c.dat", f"000001{CARD}12345678\nx00002{unlucky}12345678\n")
    desk.land(desk.contract(fields, format="fixed"), key=KEY)
    (row,) = desk.quarantine()
    assert row["raw"] == b"x00002622202******789012345678"
    assert desk.rows()[0]["card"] == token(CARD)


@pytest.mark.parametrize(
    ("raw", "masked"),
    [
        ("a 4111111111111111 b", "a 411111******1111 b"),
        ("4111 1111-1111 1111", "4111 11**-**** 1111"),
        ("4111111111111112", "4111111111111112"),
        ("411111111111", "411111111111"),
        ("00000000004111111111111111", None),
    ],
)
def test_masks(raw: str, masked: str | None) -> None:
    for codec in ("utf-8", "gb18030", "utf-16-le", "cp037"):
        found = mask_cards(raw.encode(codec), (), codec).decode(codec)
        assert len(found) == len(raw)
        assert found == masked if masked else "4111111111111111" not in found


def test_tokens_need_a_key_worth_the_name() -> None:
    with pytest.raises(ValueError, match="shorter than 16 bytes"):
        CardTokens(b"short")
    assert CardTokens(KEY).token("６２２２０２１２３４５６７８９４") == token(CARD)
