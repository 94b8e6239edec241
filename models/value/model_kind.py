"""What each kind of fitted model of value brings, so that training, comparing, pinning and its card are made once.

A kind gathers observations of past month ends with what came of them, fits a model on the earlier ones and validates
it on the later ones, and predicts. Here is only that shape; kinds are ``default_model`` and others beside it.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from models.value.fitted_model import FittedModel
from models.value.observations import Numbers, Observations
from models.value.settings import ValueSettings


class ThinHistoryError(ValueError):
    """There is too little history to fit a model; says what there is and what is needed."""


@dataclass(frozen=True)
class CardSection:
    """A section of the model card that only this kind has: a heading, a sentence, and a table if there is one."""

    heading: str
    text: str
    head: tuple[str, ...] = ()
    rows: Sequence[tuple[str | int, ...]] = ()


@dataclass(frozen=True)
class ModelKind:
    """One kind.

    Attributes:
        name: Name in ``value.yaml``, of the folder of the home's models, and in ``c360 train``.
        title: What it predicts, for the card.
        method: How, one paragraph for the card.
        limits: What it must not be used for, and what is known to be weak, one sentence each.
        feature_table: Table of the characteristics, whose SQL ``observe`` runs for past month ends.
        inputs: Relations that ``observe`` reads beside those of that table.
        observe: Observations of the month ends whose outcome is known on a business date, outcome included; raises
            ``ThinHistoryError`` if there is none.
        fit: A model under a name from observations, with ``data`` and ``validation`` filled; raises
            ``ThinHistoryError``.
        predict: Probabilities of observations.
        sections: What the card says of this kind alone.
        holdout_months: How many of the latest month ends of ``observe`` validate, and compare models, by the settings.
    """

    name: str
    title: str
    method: str
    limits: tuple[str, ...]
    feature_table: str
    inputs: tuple[str, ...]
    observe: Callable[[duckdb.DuckDBPyConnection, ValueSettings, dt.date], Observations]
    fit: Callable[[Observations, ValueSettings, str], FittedModel]
    predict: Callable[[FittedModel, Observations], Numbers]
    sections: Callable[[FittedModel], list[CardSection]]
    holdout_months: Callable[[ValueSettings], int]
