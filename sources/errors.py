"""Errors of deliveries: what arrived, or did not, in words for the person who must act.

Every error carries its problems one by one (``problems``), so that the errors of several objects and systems can
be shown together. A message names system, object, file, line, field, rule and counts; never a field's value.
"""

from collections.abc import Iterable, Sequence


class DeliveryError(Exception):
    """A delivery cannot be used; ``problems`` holds one line for each thing that is wrong."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[type["DeliveryError"], tuple[tuple[str, ...]]]:
        """Pickle by problems: runs may cross processes."""
        return type(self), (self.problems,)


class DeliveryMissing(DeliveryError):  # noqa: N818 - the name says the state, as the operators do
    """A file, a control file or a database is not there (yet), or is still being written."""


class DeliveryRefused(DeliveryError):  # noqa: N818
    """What arrived is complete but wrong: it must be delivered again, or the contract changed."""


def all_of(errors: Iterable[DeliveryError]) -> DeliveryError:
    """One error with the problems of all; refused if any of them is."""
    found = list(errors)
    problems = [problem for error in found for problem in error.problems]
    refused = any(isinstance(error, DeliveryRefused) for error in found)
    return DeliveryRefused(problems) if refused else DeliveryMissing(problems)


def problem_line(system: str, name: str, file: str, message: str, line: int | None = None) -> str:
    """The one way a problem of a delivery is spelt: ``core.customer: CUST.csv line 7: ...``."""
    where = f"{file} line {line}" if line is not None else file
    return f"{system}.{name}: {where}: {message}" if file else f"{system}.{name}: {message}"
