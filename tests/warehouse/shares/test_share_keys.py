"""Keys: made, rotated, read from file or environment; and every way in which they are not there."""

from pathlib import Path

import pytest
import yaml

from warehouse.shares.keys import FILE_VARIABLE, KeyFile, ShareKeyError

KEY = "0123456789abcdef" * 4


def secrets(home: Path, content: object, mode: int = 0o600) -> Path:
    path = home / "secrets" / "shares.yaml"
    path.parent.mkdir()
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    path.chmod(mode)
    return path


def refused(home: Path, environment: dict[str, str] | None = None, encrypted: bool = False) -> str:
    with pytest.raises(ShareKeyError) as caught:
        KeyFile.of_home(home, environment or {}).keys("marketing", "marketing", encrypted)
    assert KEY not in str(caught.value)
    return str(caught.value)


def test_new_keys_are_read_by_their_owner_alone_and_differ_between_shares(tmp_path: Path) -> None:
    keys = KeyFile.of_home(tmp_path, {})
    assert keys.new("marketing", encrypted=False) == "k1"
    assert keys.new("risk", encrypted=True) == "k1"
    assert keys.path.stat().st_mode & 0o777 == 0o600
    marketing, risk = keys.keys("marketing", "marketing", False), keys.keys("risk", "risk", True)
    assert len(marketing.token_key) == 32
    assert marketing.token_key != risk.token_key
    assert marketing.encryption_key is None
    assert risk.encryption_key
    with pytest.raises(ShareKeyError, match="rotate marketing"):
        keys.new("marketing", encrypted=False)


def test_a_rotation_makes_the_next_key_and_keeps_the_former(tmp_path: Path) -> None:
    keys = KeyFile.of_home(tmp_path, {})
    keys.new("risk", encrypted=True)
    before = keys.keys("risk", "risk", True)
    assert keys.rotate("risk", encrypted=True) == "k2"
    after = keys.keys("risk", "risk", True)
    assert after.key_id == "k2"
    assert after.token_key != before.token_key
    assert after.encryption_key != before.encryption_key
    kept = yaml.safe_load(keys.path.read_text())["risk"]["token_keys"]
    assert kept["k1"] == before.token_key.hex()
    with pytest.raises(ShareKeyError, match="keys new finance"):
        keys.rotate("finance", encrypted=False)


def test_a_share_may_use_the_token_key_of_another(tmp_path: Path) -> None:
    keys = KeyFile.of_home(tmp_path, {})
    keys.new("risk", encrypted=False)
    assert keys.keys("finance", "risk", False).token_key == keys.keys("risk", "risk", False).token_key


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    keys = KeyFile.of_home(
        tmp_path,
        {"C360_SHARE_TOKEN_KEY_MARKETING": f"v7:{KEY}", "C360_SHARE_ENCRYPTION_KEY_MARKETING": "sixteen letters!"},
    )
    found = keys.keys("marketing", "marketing", True)
    assert (found.key_id, found.token_key.hex(), found.encryption_key) == ("v7", KEY, "sixteen letters!")
    assert keys.knows("marketing")
    assert not keys.knows("risk")


def test_a_key_is_not_in_what_is_printed_of_it(tmp_path: Path) -> None:
    keys = KeyFile.of_home(tmp_path, {"C360_SHARE_TOKEN_KEY_MARKETING": f"k1:{KEY}"})
    assert KEY not in repr(keys.keys("marketing", "marketing", False))
    assert str(bytes.fromhex(KEY)) not in repr(keys.keys("marketing", "marketing", False))


def test_what_is_missing_is_told_with_both_places_and_the_command(tmp_path: Path) -> None:
    told = refused(tmp_path)
    assert "no token key of share marketing" in told
    assert str(tmp_path / "secrets" / "shares.yaml") in told
    assert "C360_SHARE_TOKEN_KEY_MARKETING" in told
    assert "c360 shares keys new marketing" in told


def test_an_encrypted_share_needs_its_encryption_key_too(tmp_path: Path) -> None:
    secrets(tmp_path, {"marketing": {"token_key": "k1", "token_keys": {"k1": KEY}}})
    assert "no encryption key of share marketing" in refused(tmp_path, encrypted=True)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = secrets(tmp_path, {"marketing": {"token_key": "k1", "token_keys": {"k1": KEY}}}, 0o644)
    assert refused(tmp_path) == f"{path} can be read by others than its owner; run: chmod 600 {path}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("marketing: [", "is not YAML"),
        ("- marketing", "is not a mapping of share to keys"),
        (
            {"marketing": {"token_key": "k2", "token_keys": {"k1": KEY}}},
            "marketing: token_key is 'k2', which token_keys",
        ),
        ({"marketing": {"token_keys": {"k1": KEY[:-1]}}}, "marketing.token_keys: k1 is not 64 hexadecimal digits"),
        ({"marketing": {"token_keys": {"K-1": KEY}}}, "'K-1' is no key id"),
        ({"marketing": {"token_kye": "k1"}}, "marketing.token_kye: Extra inputs are not permitted"),
        ({"marketing": {"encryption_key": "short"}}, "marketing.encryption_key: shorter than 16 characters"),
        ({"marketing": KEY}, "marketing: Input should be a valid dictionary"),
    ],
)
def test_a_malformed_file_is_told_without_its_content(tmp_path: Path, content: object, message: str) -> None:
    secrets(tmp_path, content)
    assert message in refused(tmp_path)


def test_malformed_variables_are_told_without_their_content(tmp_path: Path) -> None:
    told = refused(tmp_path, {"C360_SHARE_TOKEN_KEY_MARKETING": KEY})
    assert told == "C360_SHARE_TOKEN_KEY_MARKETING is not KEY_ID:KEY, the key 64 hexadecimal digits"


def test_a_file_that_others_keep_must_be_there_and_is_never_written(tmp_path: Path) -> None:
    elsewhere = tmp_path / "vault.yaml"
    environment = {FILE_VARIABLE: str(elsewhere)}
    assert refused(tmp_path, environment) == f"{FILE_VARIABLE} names {elsewhere}, which is not there"
    elsewhere.write_text("{}")
    elsewhere.chmod(0o600)
    assert refused(tmp_path, environment).endswith("put it there")
    with pytest.raises(ShareKeyError, match="kept by others"):
        KeyFile.of_home(tmp_path, environment).new("marketing", encrypted=False)
    assert elsewhere.read_text() == "{}"
