"""Survivorship: by which criteria the value of each field of the golden record is chosen, as a bank sets it.

Here live the fields, the criteria, their order where a bank says nothing, and the checks of what it says. How
candidates are ranked by them lives in ``models/customer/customer_field.sql``.
"""

import difflib
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# What makes a candidate better, by name; every one is a number, and the larger wins.
CRITERIA = {
    "validity": "1 where the value can be trusted in itself (checked, unmasked, identifying), else 0",
    "most_frequent": "records of the customer that say the same",
    "trust": "how far the system is believed, halved with every half-life of the value's age",
    "recency": "when the source last changed the value, else the record",
    "completeness": "length of the value, masks not counted",
}
# Who somebody is: what most records agree on. How to reach and serve them: what was said last.
_IDENTITY = ("validity", "most_frequent", "trust", "recency")
_SERVICE = ("validity", "recency", "trust", "most_frequent")
DEFAULTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("full_name", "birth_date", "sex", "nationality", "document", "industry"), _IDENTITY),
    **dict.fromkeys(("occupation", "mobile", "phone", "email", "address", "branch", "manager"), _SERVICE),
}

Trust = Annotated[float, Field(ge=0, le=1)]
HalfLife = Annotated[float, Field(gt=0)]


class FieldSurvivorship(BaseModel):
    """What a bank says about one field; what it does not say is as for all fields.

    Attributes:
        criteria: Names of ``CRITERIA`` in the order in which they decide; ties go to the next.
        trust: How far each system is believed for this field, from 0 to 1.
        half_life_days: Days after which a value is trusted half as far.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    criteria: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    trust: dict[str, Trust] = {}
    half_life_days: HalfLife | None = None


class SurvivorshipSettings(BaseModel):
    """The ``survivorship`` section of a bank's ``matching.yaml``.

    Attributes:
        trust: How far each system is believed, from 0 to 1, whatever the field; instead of the order of systems
            that ``trust`` of ``matching.yaml`` gives. A system that is not named has 0.
        half_life_days: Days after which any value is trusted half as far; None: trust does not fade.
        fields: What differs for a field, by its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trust: dict[str, Trust] = {}
    half_life_days: HalfLife | None = None
    fields: dict[str, FieldSurvivorship] = {}

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        mistakes = []
        for field, said in self.fields.items():
            if field not in DEFAULTS:
                mistakes.append(f"field {field!r} is not in the golden record{_near(field, DEFAULTS)}")
            criteria = said.criteria or ()
            mistakes += [
                f"{field}: criterion {name!r} is unknown{_near(name, CRITERIA)}"
                for name in criteria
                if name not in CRITERIA
            ]
            mistakes += [
                f"{field}: criterion {name!r} is named twice"
                for name in sorted(set(criteria))
                if criteria.count(name) > 1
            ]
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    def systems(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Every system that is named, and where below this section: (path, system)."""
        for system in self.trust:
            yield ("trust", system), system
        for field, said in self.fields.items():
            for system in said.trust:
                yield ("fields", field, "trust", system), system

    def rules(self, order: Iterable[str]) -> list[dict[str, Any]]:
        """One rule a field, as ``$survivorship`` of ``customer_field.sql``.

        Args:
            order: Systems, best first: what they are trusted where ``trust`` names none.

        Returns:
            Dicts of field, criteria, systems and trusts (side by side), half_life_days.
        """
        listed = list(order)
        general = self.trust or {system: 1 - place / (len(listed) + 1) for place, system in enumerate(listed)}
        found = []
        for field, criteria in DEFAULTS.items():
            said = self.fields.get(field, FieldSurvivorship())
            trust = {**general, **said.trust}
            found.append(
                {
                    "field": field,
                    "criteria": list(said.criteria or criteria),
                    "systems": list(trust),
                    "trusts": [float(value) for value in trust.values()],
                    "half_life_days": said.half_life_days or self.half_life_days,
                }
            )
        return found


def _near(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, 1)
    return f" (did you mean {near[0]!r}?)" if near else f" (there are {', '.join(names)})"
