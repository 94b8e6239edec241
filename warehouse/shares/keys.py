"""The shares' secrets: token keys by key id, and encryption keys; a file that its owner alone can read.

    # <home>/secrets/shares.yaml, or the file that C360_SHARE_SECRETS names
    marketing:
      token_key: k2                     # the key that makes tokens now
      token_keys: {k1: ..., k2: ...}    # 64 hexadecimal digits each; former ones stay, to recompute old tokens
      encryption_key: ...               # of an encrypted share

An environment variable stands above the file: ``C360_SHARE_TOKEN_KEY_MARKETING=k2:<64 hexadecimal digits>`` and
``C360_SHARE_ENCRYPTION_KEY_MARKETING``. No key is ever shown, logged or put into an error.
"""

import base64
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

FILE_VARIABLE = "C360_SHARE_SECRETS"
TOKEN_VARIABLE = "C360_SHARE_TOKEN_KEY_"  # noqa: S105 - a variable's name
ENCRYPTION_VARIABLE = "C360_SHARE_ENCRYPTION_KEY_"

_KEY_ID = re.compile(r"[a-z0-9]{1,16}")
_TOKEN_KEY = re.compile(r"[0-9a-fA-F]{64}")
_LEAST_ENCRYPTION_KEY = 16
_HEADING = "# Keys of the shares, made by 'c360 shares keys'. Whoever has a token key can recompute every token.\n"


class ShareKeyError(RuntimeError):
    """A key is missing, malformed, or readable by others; the message says which, where, and what to do."""


@dataclass(frozen=True)
class ShareKeys:
    """The keys of one share as a night uses them.

    Attributes:
        key_id: prefix of every token: which key made it.
        token_key: 32 bytes.
        encryption_key: what opens the file; None for one that is not encrypted.
    """

    key_id: str
    token_key: bytes = field(repr=False)
    encryption_key: str | None = field(default=None, repr=False)


class _Secrets(BaseModel):
    """The file's section of one share."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    token_key: str | None = None
    token_keys: dict[str, SecretStr] = Field(default_factory=dict)
    encryption_key: SecretStr | None = None

    @field_validator("token_keys")
    @classmethod
    def _well_formed(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for key_id, key in value.items():
            if not _KEY_ID.fullmatch(key_id):
                raise ValueError(f"{key_id!r} is no key id: up to 16 small letters and digits")
            if not _TOKEN_KEY.fullmatch(key.get_secret_value()):
                raise ValueError(f"{key_id} is not 64 hexadecimal digits")
        return value

    @field_validator("encryption_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _LEAST_ENCRYPTION_KEY:
            raise ValueError(f"shorter than {_LEAST_ENCRYPTION_KEY} characters")
        return value

    @model_validator(mode="after")
    def _current_is_there(self) -> "_Secrets":
        if self.token_key is not None and self.token_key not in self.token_keys:
            raise ValueError(f"token_key is {self.token_key!r}, which token_keys does not have")
        return self


class KeyFile:
    """The secrets of all shares.

    Args:
        path: the file.
        environment: variables that stand above it.
        is_managed: whether others keep the file (C360_SHARE_SECRETS): then it is never written here.
    """

    def __init__(self, path: Path, environment: Mapping[str, str], is_managed: bool = False) -> None:
        self.path = path
        self.is_managed = is_managed
        self._environment = environment

    @classmethod
    def of_home(cls, home: Path, environment: Mapping[str, str]) -> "KeyFile":
        """The file that C360_SHARE_SECRETS names, or the home's own."""
        named = environment.get(FILE_VARIABLE)
        return cls(Path(named) if named else home / "secrets" / "shares.yaml", environment, bool(named))

    def keys(self, share: str, token_share: str, encrypted: bool) -> ShareKeys:
        """The keys that a share is written with.

        Args:
            share: whose file.
            token_share: whose key makes the tokens.
            encrypted: whether an encryption key is needed.

        Raises:
            ShareKeyError: one is missing or malformed, or others can read the file.
        """
        key_id, token_key = self._token_key(token_share)
        return ShareKeys(key_id, token_key, self.encryption_key(share) if encrypted else None)

    def encryption_key(self, share: str) -> str:
        """The key that opens a share's file.

        Raises:
            ShareKeyError: there is none, or others can read the file.
        """
        if given := self._environment.get(ENCRYPTION_VARIABLE + share.upper()):
            if len(given) < _LEAST_ENCRYPTION_KEY:
                variable = ENCRYPTION_VARIABLE + share.upper()
                raise ShareKeyError(f"{variable} is shorter than {_LEAST_ENCRYPTION_KEY} characters")
            return given
        section = self._read().get(share)
        if section is None or section.encryption_key is None:
            raise ShareKeyError(self._missing(share, "encryption key", ENCRYPTION_VARIABLE))
        return section.encryption_key.get_secret_value()

    def knows(self, share: str) -> bool:
        """Whether a share has keys here or in the environment."""
        variables = (TOKEN_VARIABLE + share.upper(), ENCRYPTION_VARIABLE + share.upper())
        return share in self._read() or any(variable in self._environment for variable in variables)

    def new(self, share: str, encrypted: bool) -> str:
        """Make the first keys of a share; returns the key id.

        Raises:
            ShareKeyError: it has keys, or the file is not ours to write.
        """
        known = self._read()
        if share in known:
            raise ShareKeyError(
                f"{self.path} has keys of {share}; 'c360 shares keys rotate {share}' makes the next one"
            )
        section = {"token_key": "k1", "token_keys": {"k1": secrets.token_hex(32)}}
        if encrypted:
            section["encryption_key"] = _encryption_key()
        self._write(known, share, section)
        return "k1"

    def rotate(self, share: str, encrypted: bool) -> str:
        """Make the next token key of a share current, and a new encryption key; returns the key id.

        The former token keys stay. The former encryption key does not: versions written with it stay readable to
        whoever kept it.

        Raises:
            ShareKeyError: it has no keys yet, or the file is not ours to write.
        """
        known = self._read()
        if share not in known:
            raise ShareKeyError(f"{self.path} has no keys of {share}; 'c360 shares keys new {share}' makes them")
        former = known[share].token_keys
        numbers = [int(key_id[1:]) for key_id in former if re.fullmatch(r"k\d+", key_id)]
        key_id = f"k{max(numbers, default=0) + 1}"
        keys = {name: key.get_secret_value() for name, key in former.items()}
        section = {"token_key": key_id, "token_keys": {**keys, key_id: secrets.token_hex(32)}}
        if encrypted:
            section["encryption_key"] = _encryption_key()
        self._write(known, share, section)
        return key_id

    def _token_key(self, share: str) -> tuple[str, bytes]:
        variable = TOKEN_VARIABLE + share.upper()
        if given := self._environment.get(variable):
            key_id, _, key = given.partition(":")
            if not (_KEY_ID.fullmatch(key_id) and _TOKEN_KEY.fullmatch(key)):
                raise ShareKeyError(f"{variable} is not KEY_ID:KEY, the key 64 hexadecimal digits")
            return key_id, bytes.fromhex(key)
        section = self._read().get(share)
        if section is None or section.token_key is None:
            raise ShareKeyError(self._missing(share, "token key", TOKEN_VARIABLE))
        return section.token_key, bytes.fromhex(section.token_keys[section.token_key].get_secret_value())

    def _missing(self, share: str, what: str, variable: str) -> str:
        made = "put it there" if self.is_managed else f"restore the file, or make one: 'c360 shares keys new {share}'"
        return f"no {what} of share {share} in {self.path} and no {variable}{share.upper()}; {made}"

    def _read(self) -> dict[str, _Secrets]:
        if not self.path.is_file():
            if self.is_managed:
                raise ShareKeyError(f"{FILE_VARIABLE} names {self.path}, which is not there")
            return {}
        if self.path.stat().st_mode & 0o077:
            raise ShareKeyError(f"{self.path} can be read by others than its owner; run: chmod 600 {self.path}")
        try:
            said = yaml.safe_load(self.path.read_text(encoding="utf-8")) or {}
        except (yaml.YAMLError, UnicodeDecodeError):  # its text would quote the file
            raise ShareKeyError(f"{self.path} is not YAML") from None
        if not isinstance(said, dict):
            raise ShareKeyError(f"{self.path} is not a mapping of share to keys")
        found, wrong = {}, []
        for share, section in said.items():
            try:
                found[str(share)] = _Secrets.model_validate(section)
            except ValidationError as error:
                for mistake in error.errors(include_input=False):
                    place = ".".join([str(share), *map(str, mistake["loc"])])
                    wrong.append(f"{self.path}: {place}: {mistake['msg'].removeprefix('Value error, ')}")
        if wrong:
            raise ShareKeyError("\n".join(wrong))
        return found

    def _write(self, known: Mapping[str, _Secrets], share: str, section: Mapping[str, object]) -> None:
        if self.is_managed:
            raise ShareKeyError(f"{self.path} is kept by others ({FILE_VARIABLE}); put the key there")
        content: dict[str, object] = {name: _plain(one) for name, one in known.items()}
        content[share] = section
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self.path.with_name(f".{self.path.name}.new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(_HEADING + yaml.safe_dump(content, sort_keys=False))
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(self.path)


def _plain(section: _Secrets) -> dict[str, object]:
    plain: dict[str, object] = {
        "token_key": section.token_key,
        "token_keys": {key_id: key.get_secret_value() for key_id, key in section.token_keys.items()},
    }
    if section.encryption_key:
        plain["encryption_key"] = section.encryption_key.get_secret_value()
    return plain


def _encryption_key() -> str:
    """256 random bits as DuckDB takes them."""
    return base64.b64encode(secrets.token_bytes(32)).decode()
