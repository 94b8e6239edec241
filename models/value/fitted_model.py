"""A fitted model of value as one JSON document, named after the hash of its content.

Here is the envelope that all kinds share: what was fitted, on what, and how well it held on later time. What a method's
``fitted`` part means belongs to the method (``models.value.scorecard``). The store that says which model is in force is
``models.model_store``.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FORMAT = 1


@dataclass(frozen=True)
class FittedModel:
    """A model of one kind under one name.

    Attributes:
        kind: What it predicts: ``pd``, ``churn`` or ``next_product``.
        name: Name under which it was trained.
        method: How ``fitted`` is read: ``scorecard``, or another kind's own method.
        features: Columns that it reads, in order.
        fitted: What was learned, as JSON values.
        data: What it rests on: counts and dates by name.
        validation: Figures on the later time that it was not fitted on, by name.
    """

    kind: str
    name: str
    method: str
    features: tuple[str, ...]
    fitted: dict[str, Any]
    data: dict[str, Any]
    validation: dict[str, Any]

    @property
    def version(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the content."""
        return hashlib.sha256(self._content().encode()).hexdigest()[:16]

    @property
    def id(self) -> str:
        """``<name>-<version>``: what ``value.yaml`` approves, and the name of the file."""
        return f"{self.name}-{self.version}"

    def to_json(self) -> str:
        """The document, version included; equal models give equal text."""
        document = {"version": self.version, **json.loads(self._content())}
        return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "FittedModel":
        """Read a document.

        Raises:
            ValueError: not a model, of another format, or changed by hand (the version does not fit).
        """
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            raise ValueError(f"not a fitted model of format {_FORMAT}: train one with this release")
        try:
            fields = {field.name: document[field.name] for field in dataclasses.fields(cls)}
            model = cls(**{**fields, "features": tuple(fields["features"])})
        except (KeyError, TypeError):
            raise ValueError("the fitted model lacks a part: train it anew or restore it") from None
        if document.get("version") != model.version:
            raise ValueError(
                f"the fitted model {model.name} says version {document.get('version')} but its content is "
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
    def load(cls, path: Path) -> "FittedModel":
        """Read a file written by ``save``; raises ValueError as ``from_json``, with the file's name."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def _content(self) -> str:
        return json.dumps({"format": _FORMAT, **dataclasses.asdict(self)}, ensure_ascii=False, sort_keys=True)
