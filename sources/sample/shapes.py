"""Shapes of the sample bank's people and places: parallel arrays, and the numbers that stand for codes."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sources.sample.text import Mask, Numbers

RESIDENT_ID, PASSPORT, HK_MACAU_PERMIT, TAIWAN_PERMIT, FOREIGN_PERMIT, CREDIT_CODE, ORGANISATION_CODE = range(7)
HEAD, SPOUSE, CHILD, SECOND_CHILD, ELDER = range(5)
YEAR = 365.25


@dataclass
class Rows:
    """Parallel arrays, one row a thing."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def extend(self, other: "Rows") -> None:
        """Add the other's rows below."""
        for column in fields(self):
            both = np.concatenate([getattr(self, column.name), getattr(other, column.name)])
            setattr(self, column.name, both)

    def keep(self, rows: Mask | Numbers | slice) -> None:
        """Keep the given rows only."""
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name)[rows])


@dataclass
class Addresses(Rows):
    """Dwellings and premises, as pool indices and numbers."""

    district: Numbers
    road: Numbers
    number: Numbers
    community: Numbers
    building: Numbers
    unit: Numbers
    room: Numbers
    landline: Numbers


@dataclass
class Persons(Rows):
    """Natural persons; dates are days since 1970-01-01, -1 means none.

    ``core``, ``cards`` and ``loans`` count the records that the system is to hold of the person; ``relative`` is
    another person of the household.
    """

    household: Numbers
    role: Numbers
    kind: Numbers
    country: Numbers
    family: Numbers
    given1: Numbers
    given2: Numbers
    old_given1: Numbers
    old_given2: Numbers
    renamed_on: Numbers
    sex: Numbers
    birth: Numbers
    document_type: Numbers
    document: NDArray[np.uint8]
    document_length: Numbers
    mobile: Numbers
    old_mobile: Numbers
    mobile_on: Numbers
    address: Numbers
    old_address: Numbers
    moved_on: Numbers
    relative: Numbers
    occupation: Numbers
    core: Numbers
    cards: Numbers
    loans: Numbers

    def age(self, today: int) -> Numbers:
        """Completed years (rounded down from days) on the day."""
        return ((today - self.birth) / YEAR).astype(np.int64)


@dataclass(frozen=True)
class Members:
    """Members of households before they have names and papers; sorted by household and role.

    ``head`` is the position of the household's head, ``twin`` marks the second of twins.
    """

    household: Numbers
    role: Numbers
    kind: Numbers
    country: Numbers
    sex: Numbers
    birth: Numbers
    head: Numbers
    twin: Mask

    def __len__(self) -> int:
        return len(self.role)

    @property
    def child(self) -> Mask:
        """Who is a child of the household."""
        return np.isin(self.role, (CHILD, SECOND_CHILD))
