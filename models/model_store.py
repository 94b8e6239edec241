"""Which trained model a night may use: the one approved by name, or the first that the home trained and pinned.

Here lives where models of any kind lie and which of them is in force. What a model says and how it is read belongs to
its kind (``models.identity.matching_model``, ``models.value.fitted_model``), and so does how one is made.

``auto`` is for a home that has none yet: its first night (of value's models: the first with enough history) trains one
and pins it. From then on the pin stands, whatever is trained later; ``<name>-<version>`` in the bank's settings is the
only way to another one. ``none`` is for a bank that wants no model of the kind.
"""

import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

AUTO = "auto"
NONE = "none"
PIN = "pinned.json"


class Artefact(Protocol):
    """A trained model as a file that is named after what it holds."""

    @property
    def id(self) -> str:
        """``<name>-<version>``, the version the first 16 hexadecimal digits of the content's SHA-256."""
        ...


Model = TypeVar("Model", bound=Artefact)


def is_model_id(text: str) -> bool:
    """Whether the text has the shape ``<name>-<version>``."""
    return re.fullmatch(r"[a-z0-9_-]+-[0-9a-f]{16}", text) is not None


class ModelError(ValueError):
    """The model in force is missing or not what its name says; tells where it was looked for and what to do."""


@dataclass(frozen=True)
class Pin:
    """The model that a home's first night trained, and that night's business date."""

    model: str
    business_date: dt.date


@dataclass(frozen=True)
class ModelStore(Generic[Model]):
    """Trained models of one kind, of one bank and one home.

    Attributes:
        approved: What the bank's settings say: ``<name>-<version>``, ``auto``, or ``none``.
        bank: Folder of the models that the bank ships, ``<bank>/models``.
        home: Folder of the models that this home trained, ``<home>/models/<kind>``.
        read: Reads the file of a model; ValueError, with the path, if it is none or was changed by hand.
        settings: File in which the bank approves models of the kind, for what errors say.
    """

    approved: str
    bank: Path
    home: Path
    read: Callable[[Path], Model]
    settings: str

    def find(self, name: str) -> Path:
        """Path of the model ``<name>-<version>``: the bank's, else the home's.

        Raises:
            ModelError: there is no such file in either folder.
        """
        for folder in (self.bank, self.home):
            if (path := folder / f"{name}.json").is_file():
                return path
        raise ModelError(
            f"the model {name} is neither in {self.bank} nor in {self.home}; restore it from a backup, or name another "
            f"in {self.settings}"
        )

    def load(self, name: str) -> Model:
        """Read the model ``<name>-<version>``.

        Raises:
            ModelError: it is missing, was changed by hand, or is another than its file's name says.
        """
        path = self.find(name)
        try:
            model = self.read(path)
        except ValueError as error:
            raise ModelError(str(error)) from None
        if model.id != name:
            raise ModelError(f"{path} holds the model {model.id}; give the file that name, or name that model")
        return model

    def in_force(self, released: str | None) -> Model | None:
        """The model that tonight uses; None where the bank wants none, or the home's first night is to train one.

        Args:
            released: Model of the current release, which a home without a pin goes on with.

        Raises:
            ModelError: as for ``load``; or the pin cannot be read.
        """
        if self.approved == NONE:
            return None
        if self.approved != AUTO:
            return self.load(self.approved)
        pin = self.pin()
        name = pin.model if pin else released
        return self.load(name) if name else None

    def pin(self) -> Pin | None:
        """What the home's first night pinned; None before.

        Raises:
            ModelError: the file is not a pin.
        """
        path = self.home / PIN
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            return Pin(str(said["model"]), dt.date.fromisoformat(said["business_date"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise ModelError(
                f"{path} cannot be read; restore it from a backup, or name the approved model in {self.settings}"
            ) from None

    def set_pin(self, model: Model, business_date: dt.date) -> None:
        """Record the model that the night of the date trained as the one in force."""
        temporary = self.home / f".{PIN}.tmp"
        text = json.dumps({"model": model.id, "business_date": business_date.isoformat()})
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(self.home / PIN)
