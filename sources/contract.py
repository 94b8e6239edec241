"""Contracts: what a source system delivers, read from ODCS v3.1 documents and checked as a whole.

The door to this part of the room: the two functions that read a contract, and the shapes that the rest of the
project works with. How a document is checked lies in ``contract_check``, what the fills mean in SQL in
``mapping``; nothing here opens a delivery.
"""

from pathlib import Path

from sources.contract_check import check_contract
from sources.contract_shapes import (
    Checksum,
    Contract,
    Control,
    ControlDate,
    Delivery,
    Field,
    Latency,
    Operation,
    QualityCheck,
    Server,
    SourceObject,
)
from sources.file_pattern import dates_in, file_pattern
from sources.problems import Problem

__all__ = [
    "Checksum",
    "Contract",
    "ContractError",
    "Control",
    "ControlDate",
    "Delivery",
    "Field",
    "Latency",
    "Operation",
    "Problem",
    "QualityCheck",
    "Server",
    "SourceObject",
    "dates_in",
    "file_pattern",
    "load_contract",
    "parse_contract",
]


class ContractError(ValueError):
    """A contract has mistakes; ``problems`` lists every one."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load_contract(path: Path) -> Contract:
    """Read a contract that must be right.

    Raises:
        ContractError: it has mistakes; every one is listed with file and line.
        OSError: the file cannot be read.
    """
    contract, problems = parse_contract(path.read_text(encoding="utf-8"), path)
    if problems or contract is None:
        raise ContractError(problems)
    return contract


def parse_contract(text: str, path: Path | str) -> tuple[Contract | None, list[Problem]]:
    """Read a contract from its text; ``path`` is only named in problems.

    Returns:
        The contract, as far as it can be understood (None: not at all), so that its fills can be checked in the
        same pass; and every mistake found. Use the contract only if there is none.
    """
    return check_contract(text, str(path))
