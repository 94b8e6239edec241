"""Observations: what was known of customers at month ends, and what came of them, as arrays.

The shape that every model of value is fitted on and judged by. How they are gathered is each kind's SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Observations:
    """Rows of one length, sorted by customer and date, so that no figure depends on the order of the input.

    Attributes:
        customer_id: Customers, text.
        as_of_date: Month ends, ``datetime64[D]``.
        features: By name, as float64; what is missing is NaN.
        outcome: Whether it happened within the horizon; None where nobody knows yet.
        groups: Protected attributes by name, text; the model does not see them, the card compares them.
    """

    customer_id: NDArray[Any]
    as_of_date: NDArray[np.datetime64]
    features: Mapping[str, Numbers]
    outcome: Flags | None
    groups: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.customer_id)

    @property
    def happened(self) -> Flags:
        """The outcomes; ValueError where nobody knows them."""
        if self.outcome is None:
            raise ValueError("nobody knows yet what came of these observations")
        return self.outcome

    def where(self, chosen: Flags) -> "Observations":
        """The chosen rows."""
        return Observations(
            self.customer_id[chosen],
            self.as_of_date[chosen],
            {name: values[chosen] for name, values in self.features.items()},
            None if self.outcome is None else self.outcome[chosen],
            {name: values[chosen] for name, values in self.groups.items()},
        )

    def split(self, holdout_months: int) -> tuple["Observations", "Observations"]:
        """Those to fit on, and those of the latest month ends, to validate on."""
        dates = np.unique(self.as_of_date)
        late = self.as_of_date >= dates[-min(holdout_months, len(dates))]
        return self.where(~late), self.where(late)

    def matrix(self, names: tuple[str, ...]) -> Numbers:
        """The features of these names as columns."""
        return np.column_stack([self.features[name] for name in names])
