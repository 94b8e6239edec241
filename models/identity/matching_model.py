"""The trained model: weights of every level of agreement and frequencies of names, as one JSON document.

A model is made rarely, reviewed and pinned; a night reads it and never changes it. Its version is the hash of
its content. Here lives the artefact and its translation into Splink's settings; estimation lives in training.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.identity.comparisons import CATALOGUE, ELSE, Comparison, Level
from models.identity.settings import MatchingSettings

_FORMAT = 1
WORD = "word"
"""Name among the frequencies of those of the words of names."""
_RARE = 1e-4


@dataclass(frozen=True)
class Frequencies:
    """How frequent the values of a column are among nodes; ``rare`` stands for every value not listed."""

    rare: float
    values: dict[str, float]


@dataclass(frozen=True)
class PartyModel:
    """Weights for parties of one type.

    Attributes:
        prior: Probability that two random nodes belong to one party.
        comparisons: Comparisons in use, their levels with the estimated m and u.
        frequencies: By column of the node.
        seen: What the estimate rests on: counts by name.
    """

    prior: float
    comparisons: tuple[Comparison, ...]
    frequencies: dict[str, Frequencies]
    seen: dict[str, int]

    @property
    def words(self) -> Frequencies:
        """Frequencies of the words of names; of a model that knows none every word counts as rare."""
        return self.frequencies.get(WORD, Frequencies(_RARE, {}))

    @property
    def columns(self) -> list[str]:
        """Columns of the node whose values' frequencies the model knows."""
        return [column for column in self.frequencies if column != WORD]


@dataclass(frozen=True)
class ModelArtefact:
    """A model for persons and organisations under one name."""

    name: str
    parties: dict[str, PartyModel]

    @property
    def version(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the content."""
        return hashlib.sha256(self._content().encode()).hexdigest()[:16]

    @property
    def id(self) -> str:
        """``<name>-<version>``: what ``matching.yaml`` approves, and the name of the file."""
        return f"{self.name}-{self.version}"

    def to_json(self) -> str:
        """The document, version included; equal models give equal text."""
        document = {"version": self.version, **json.loads(self._content())}
        return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ModelArtefact":
        """Read a document.

        Raises:
            ValueError: not a model, of another format, or changed by hand (the version does not fit).
        """
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            raise ValueError(f"not a matching model of format {_FORMAT}: train one with this release")
        try:
            model = cls(document["name"], {name: _party(party) for name, party in document["parties"].items()})
        except (KeyError, TypeError, AttributeError):
            raise ValueError("the matching model lacks a part: train it anew or restore it") from None
        if document.get("version") != model.version:
            raise ValueError(
                f"the matching model {model.name} says version {document.get('version')} but its content is "
                f"{model.version}: it was changed by hand; train it anew or restore it"
            )
        return model

    def save(self, folder: Path) -> Path:
        """Write ``<folder>/<name>-<version>.json``, never touching another version; returns the path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.id}.json"
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_text(self.to_json(), encoding="utf-8")
        temporary.replace(path)
        return path

    @classmethod
    def load(cls, path: Path) -> "ModelArtefact":
        """Read a file written by ``save``; raises ValueError as ``from_json``, with the file's name."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def _content(self) -> str:
        document = {
            "format": _FORMAT,
            "name": self.name,
            "parties": {name: dataclasses.asdict(party) for name, party in self.parties.items()},
        }
        return json.dumps(document, ensure_ascii=False, sort_keys=True)


def _party(document: Mapping[str, Any]) -> PartyModel:
    return PartyModel(
        prior=document["prior"],
        comparisons=tuple(
            Comparison(c["name"], c["missing"], tuple(Level(**level) for level in c["levels"]))
            for c in document["comparisons"]
        ),
        frequencies={column: Frequencies(**f) for column, f in document["frequencies"].items()},
        seen=dict(document["seen"]),
    )


def prior_comparisons(settings: MatchingSettings, party_type: str) -> tuple[Comparison, ...]:
    """Comparisons in use with the shares that the bank or the catalogue expects."""
    found = []
    changes = settings.party(party_type).comparisons
    for comparison in CATALOGUE[party_type]:
        change = changes.get(comparison.name)
        if change is None:
            found.append(_fixed(comparison))
        elif change.use:
            left_over = 1 - sum(change.prior_m.values())
            others = sum(level.m for level in comparison.levels if level.name not in change.prior_m)
            levels = tuple(
                dataclasses.replace(
                    level,
                    m=change.prior_m.get(level.name, level.m * left_over / others if others else level.m),
                    bits=change.bits.get(level.name, level.bits),
                )
                for level in comparison.levels
            )
            found.append(_fixed(dataclasses.replace(comparison, levels=levels)))
    return tuple(found)


def _fixed(comparison: Comparison) -> Comparison:
    """Give levels of fixed weight shares with that ratio."""
    return dataclasses.replace(comparison, levels=tuple(with_bits(level) for level in comparison.levels))


def with_bits(level: Level) -> Level:
    """The level with m and u in the ratio of its fixed weight, if it has one: the larger share stays."""
    if level.bits is None:
        return level
    if level.bits < 0:
        return dataclasses.replace(level, m=level.u * 2.0**level.bits)
    return dataclasses.replace(level, u=level.m * 2.0**-level.bits)


def rounded(value: float) -> float:
    """Five significant digits: sums of floating-point numbers may differ in the last ones from run to run."""
    return float(f"{value:.5g}")


def splink_settings(
    comparisons: tuple[Comparison, ...], prior: float, trainable: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Splink's settings for the comparisons.

    Args:
        comparisons: Comparisons with m and u of every level.
        prior: Probability that two random nodes match.
        trainable: Comparisons whose m may change; everything else is fixed.
    """
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "node_id",
        "probability_two_random_records_match": prior,
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": True,
        "comparisons": [
            {
                "output_column_name": comparison.name,
                "comparison_levels": [
                    {"sql_condition": comparison.missing, "label_for_charts": "missing", "is_null_level": True},
                    *(_splink_level(level, comparison.name in trainable) for level in comparison.levels),
                ],
            }
            for comparison in comparisons
        ],
    }


def _splink_level(level: Level, trainable: bool) -> dict[str, Any]:
    fixed = not trainable or level.bits is not None
    found: dict[str, Any] = {
        "sql_condition": "ELSE" if level.condition == ELSE else level.condition,
        "label_for_charts": level.name,
        "m_probability": level.m,
        "u_probability": level.u,
        "fix_m_probability": fixed,
        "fix_u_probability": fixed,
    }
    if level.frequency is not None:
        found |= {"tf_adjustment_column": level.frequency, "disable_tf_exact_match_detection": True}
    return found
