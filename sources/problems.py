"""Mistakes in a YAML document: where they are, what is wrong, what was probably meant.

``Document`` reads YAML and remembers the line of every value, so that whoever finds a mistake (ODCS's schema,
our own models, the mapping) can say file and line. Nothing here knows what a contract is.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Step = str | int
Location = tuple[Step, ...]
_LISTED = 12  # more than this helps nobody


@dataclass(frozen=True)
class Problem:
    """One mistake: file, line (from 1; 0 = the file as a whole), path inside the document, what and what to do."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


def hint(word: str, allowed: Iterable[str]) -> str:
    """Return what was probably meant, or what is allowed, as the end of a message."""
    candidates = sorted(set(allowed))
    near = difflib.get_close_matches(word.lower(), {c.lower(): c for c in candidates}, 1, 0.6)
    if near:
        meant = next(c for c in candidates if c.lower() == near[0])
        return f" (did you mean {meant!r}?)"
    more = ", ..." if len(candidates) > _LISTED else ""
    return f" (allowed: {', '.join(candidates[:_LISTED])}{more})" if candidates else ""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core types only: ``NO`` and ``on`` stay text, dates stay text, ``007`` keeps its zeros."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:0|[1-9][0-9]*)?\.[0-9]+(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


class Document:
    """A YAML document as plain data, with the line of each value."""

    def __init__(self, file: str, root: yaml.Node) -> None:
        self.file = file
        self._root = root
        self.problems: list[Problem] = list(self._repeated_keys(root, ()))
        self.data = self._plain(root)

    @classmethod
    def read(cls, text: str, file: str) -> "Document | Problem":
        """Parse the text; a text that is not one YAML mapping is a Problem."""
        try:
            root = yaml.compose(text, Loader=_Loader)
            if isinstance(root, yaml.MappingNode):
                return cls(file, root)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            return Problem(file, line, "", f"not YAML: {error.problem or error.context}")
        except yaml.YAMLError as error:
            return Problem(file, 0, "", f"not YAML: {str(error).splitlines()[0]}")
        except RecursionError:
            return Problem(file, 0, "", "the document contains itself, or nests too deep")
        return Problem(file, 1, "", "the document is not a mapping (key: value lines)")

    def line(self, location: Iterable[Step]) -> int:
        """Line (from 1) of the value at the location, or of its nearest parent that is there."""
        node: yaml.Node = self._root
        line = 1
        for step in location:
            if isinstance(node, yaml.MappingNode):
                pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
                if pair is None:
                    break
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def problem(self, location: Iterable[Step], message: str) -> Problem:
        """Make the problem at a location; list items that carry a name are called by it."""
        steps = tuple(location)
        return Problem(self.file, self.line(steps), self._spell(steps), message)

    def _spell(self, location: Location) -> str:
        value: Any = self.data
        words = []
        for step in location:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                value = None
            label = value.get("name", value.get("property")) if isinstance(value, dict) else None
            words.append(label if isinstance(step, int) and isinstance(label, str) else str(step))
        return ".".join(words)

    def _plain(self, node: yaml.Node) -> Any:
        """Data of a node: mapping keys always text as written, scalars by YAML 1.2's core types."""
        if isinstance(node, yaml.MappingNode):
            return {str(key.value): self._plain(value) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item) for item in node.value]
        kind = node.tag.rpartition(":")[2]
        text = str(node.value)
        if kind == "bool":
            return text.lower() == "true"
        if kind == "null":
            return None
        if kind == "int":
            return int(text)
        return float(text) if kind == "float" else text

    def _repeated_keys(self, node: yaml.Node, location: Location) -> Iterator[Problem]:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if str(key.value) in seen:
                    path = ".".join(map(str, (*location, key.value)))
                    yield Problem(
                        self.file, key.start_mark.line + 1, path, f"key {key.value!r} is given twice (keep one)"
                    )
                seen.add(str(key.value))
                yield from self._repeated_keys(value, (*location, str(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                yield from self._repeated_keys(item, (*location, number))
