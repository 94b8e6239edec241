"""The audit log: who did what in this home, as a chain of lines that is only ever added to.

Here a line is written, lines are read, and the chain is verified. What is worth a line, and that it holds no personal
data, is the caller's matter (``pipelines.auditing``).

    <folder>/audit.jsonl    one JSON object a line: sequence, at, who, action, subject, details, previous_hash, hash
    <folder>/head.json      number and hash of the last line, written after it: shows lines cut off the end

Each line's hash is the SHA-256 of the line without it, and so of all lines before it. That shows any change to a line
that is not carried through to the end of the chain. Whoever can write both files can write a whole chain anew: only a
head that was noted elsewhere (``Head``; every release holds one) shows that.
"""

import datetime as dt
import getpass
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

WAIT_SECONDS = 30.0
"""How long a writer waits for another to finish."""

Detail = str | int | bool | None

_FIRST = "0" * 64


class AuditError(RuntimeError):
    """The log cannot be written or read; says where and what to do. Nothing that must be recorded is done without."""


@dataclass(frozen=True)
class Head:
    """The end of the log at some time: how many lines it had, and the hash of the last."""

    sequence: int
    hash: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Read ``SEQUENCE:HASH``.

        Raises:
            ValueError: it has another form.
        """
        sequence, _, digest = text.strip().partition(":")
        if not sequence.isdecimal() or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise ValueError(f"{text!r} is no head of an audit log; write it as it was told: SEQUENCE:HASH")
        return cls(int(sequence), digest)


@dataclass(frozen=True)
class Entry:
    """One line of the log.

    Attributes:
        sequence: Its number, from 1, without gaps.
        at: When it was written, UTC.
        who: Who did it: C360_USER, or the login name.
        action: What was done, in the past tense: ``published``, ``queried`` ...
        subject: To what: a release, a model, a decision. Never a person.
        details: What else is worth knowing, by name; no personal data.
        previous_hash: Hash of the line before; 64 zeros in the first.
        hash: SHA-256 of this line without its hash, hexadecimal.
    """

    sequence: int
    at: str
    who: str
    action: str
    subject: str
    details: Mapping[str, Detail]
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Verdict:
    """What verifying found.

    Attributes:
        head: The end of the chain as far as it holds.
        faults: What does not fit, the first in the chain first; empty where everything does.
    """

    head: Head
    faults: tuple[str, ...]


def login_name() -> str:
    """Who is recorded: C360_USER where it is set (a service account acting for somebody), else the login name."""
    return os.environ.get("C360_USER", "").strip() or getpass.getuser()


class AuditLog:
    """The audit log below one folder.

    Args:
        folder: ``<home>/audit``; made on the first write, for its owner alone.
        clock: Gives the time, with time zone.
    """

    def __init__(self, folder: Path, clock: Callable[[], dt.datetime] | None = None) -> None:
        self.path = folder / "audit.jsonl"
        self._head = folder / "head.json"
        self._clock = clock or (lambda: dt.datetime.now(dt.UTC))

    def append(self, action: str, subject: str, details: Mapping[str, Detail] | None = None, who: str = "") -> Entry:
        """Add one line; it is on disk when this returns. Writers take turns, across processes.

        Args:
            action: What was done.
            subject: To what.
            details: What else is worth knowing; no personal data.
            who: Who did it; without it ``login_name``.

        Raises:
            AuditError: the folder cannot be written, the end of the log is not a line of it, or lines are missing.
        """
        with self._turn():
            self._drop_unfinished()
            head = self._end()
            content = {
                "sequence": head.sequence + 1,
                "at": self._clock().astimezone(dt.UTC).isoformat(timespec="microseconds"),
                "who": who or login_name(),
                "action": action,
                "subject": subject,
                "details": dict(details or {}),
                "previous_hash": head.hash,
            }
            entry = Entry(**content, hash=_hash(content))  # type: ignore[arg-type]
            self._write(json.dumps(asdict(entry), ensure_ascii=False, separators=(",", ":")) + "\n")
            self._note(Head(entry.sequence, entry.hash))
        return entry

    def head(self) -> Head | None:
        """The end of the log as last noted; None before the first line.

        Raises:
            AuditError: the note cannot be read.
        """
        try:
            said = json.loads(self._head.read_text(encoding="utf-8"))
            return Head.parse(f"{said['sequence']}:{said['hash']}")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            raise AuditError(f"{self._head} cannot be read; find out why: 'c360 audit verify'") from None

    def entries(self) -> Iterator[Entry]:
        """All lines, oldest first, without verifying them; an unfinished last one is left out.

        Raises:
            AuditError: a line is none of the log's.
        """
        for number, line in enumerate(self._lines(), start=1):
            entry = _parse(line)
            if entry is None:
                raise AuditError(f"line {number} of {self.path} cannot be read; find out why: 'c360 audit verify'")
            yield entry

    def verify(self, noted: Mapping[str, Head] | None = None) -> Verdict:
        """Whether every line is as it was written and none is missing, as far as heads can tell.

        Args:
            noted: Heads that were noted elsewhere, by who noted them (a release, an auditor).

        Returns:
            The verdict; the chain is followed up to the first line that does not fit, which is named.
        """
        faults: list[str] = []
        hashes: list[str] = []
        for number, line in enumerate(self._lines(), start=1):
            fault = _fault(line, number, hashes[-1] if hashes else _FIRST)
            if fault:
                faults.append(f"line {number}: {fault}")
                break
            hashes.append(json.loads(line)["hash"])
        head = Head(len(hashes), hashes[-1] if hashes else _FIRST)
        known = dict(noted or {})
        try:
            own = self.head()
        except AuditError as error:
            faults.append(str(error))
        else:
            if own:
                known = {self._head.name: own, **known}
            elif hashes:
                faults.append(f"{self._head.name} is missing: whether lines were cut off the end cannot be told")
        for source, one in known.items():
            if one.sequence > head.sequence:
                faults.append(f"{source} knows {one.sequence} lines, {head.sequence} hold")
            elif one.sequence and hashes[one.sequence - 1] != one.hash:
                faults.append(f"line {one.sequence} is another than the one that {source} knows")
        return Verdict(head, tuple(faults))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self.path.with_suffix(".lock"), timeout=WAIT_SECONDS):
                yield
        except Timeout:
            raise AuditError(f"{self.path} is locked by another process for {WAIT_SECONDS:.0f} s; try again") from None
        except OSError as error:
            raise AuditError(
                f"{self.path} cannot be written ({error.strerror}); nothing is done that cannot be recorded"
            ) from None

    def _lines(self) -> Iterator[bytes]:
        """Finished lines, without their end."""
        try:
            with self.path.open("rb") as handle:
                for line in handle:
                    if line.endswith(b"\n"):
                        yield line[:-1]
        except FileNotFoundError:
            return

    def _end(self) -> Head:
        """Where the next line follows on; refuses to write over a gap."""
        last = self._last_line()
        entry = _parse(last) if last else None
        if last and entry is None:
            raise AuditError(f"the last line of {self.path} is none of the log's: 'c360 audit verify'")
        end = Head(entry.sequence, entry.hash) if entry else Head(0, _FIRST)
        noted = self.head()
        if noted and noted.sequence > end.sequence:
            raise AuditError(
                f"{self.path} ends at line {end.sequence}, {self._head.name} knows {noted.sequence}: "
                "lines are missing; keep both files for the auditor and restore them from a backup"
            )
        return end

    def _last_line(self) -> bytes:
        try:
            with self.path.open("rb") as handle:
                size = handle.seek(0, os.SEEK_END)
                step = 4096
                while True:
                    handle.seek(max(size - step, 0))
                    text = handle.read().rstrip(b"\n")
                    if b"\n" in text or step >= size:
                        return text.rpartition(b"\n")[2]
                    step *= 4
        except FileNotFoundError:
            return b""

    def _drop_unfinished(self) -> None:
        """Cut off what a process that died while writing left: it was never acknowledged, so no head knows it."""
        whole = sum(len(line) + 1 for line in self._lines()) if _unfinished(self.path) else None
        if whole is not None:
            os.truncate(self.path, whole)

    def _write(self, line: str) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            rest = memoryview(line.encode("utf-8"))
            while rest:  # an almost full disk takes a part of it
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _note(self, head: Head) -> None:
        temporary = self._head.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(json.dumps(asdict(head)) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(self._head)


def select(entries: Iterator[Entry], since: dt.datetime | None, action: str | None, who: str | None) -> Sequence[Entry]:
    """The entries that were written at or after a time, of one action, by one person."""
    return [
        entry
        for entry in entries
        if (since is None or dt.datetime.fromisoformat(entry.at) >= since)
        and action in (None, entry.action)
        and who in (None, entry.who)
    ]


def _unfinished(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as handle:
        handle.seek(-1, os.SEEK_END)
        return handle.read() != b"\n"


def _hash(content: Mapping[str, object]) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _parse(line: bytes) -> Entry | None:
    try:
        entry = Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None
    return entry if isinstance(entry.sequence, int) and isinstance(entry.hash, str) else None


def _fault(line: bytes, number: int, previous_hash: str) -> str | None:
    """Why a line does not follow on the one before; None if it does."""
    entry = _parse(line)
    if entry is None:
        return "is none of the log's"
    content = asdict(entry)
    if content.pop("hash") != _hash(content):
        return "was changed after it was written"
    if entry.sequence != number or entry.previous_hash != previous_hash:
        return f"does not follow on line {number - 1}: lines were removed, added or moved"
    if line != json.dumps(asdict(entry), ensure_ascii=False, separators=(",", ":")).encode("utf-8"):
        return "is not written as the log writes"
    return None
