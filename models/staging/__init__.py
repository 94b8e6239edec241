"""Canonical entities: what the contracts' mappings are gathered into, and how repeated rows are settled.

The mapping itself is compiled from the contracts (sources.mapping); this module only knows the entities.
"""

from models.tables import Table

# Entities that a source may legitimately describe several times (a borrower inside each of his loans): the
# last description wins. For products and transactions a repeated key is an error that the gate reports.
DESCRIBED_REPEATEDLY = frozenset({"party", "branch", "manager", "product"})


def conform(entity: Table, mapped: str) -> str:
    """Turn the union of all mappings of an entity into its final select.

    Args:
        entity: definition of ``staging.<entity>``.
        mapped: a select with the entity's columns, one row per mapping and source row.

    Returns:
        A select of the entity's grain: for entities described repeatedly one row per key, the most recently
        updated description; for lists (names, contacts, roles) without exact repetitions; else as mapped.
    """
    if entity.name in DESCRIBED_REPEATEDLY:
        key = ", ".join(entity.key)
        recency = "updated_at desc nulls last, " if _has(entity, "updated_at") else ""
        return (
            f"select * from (\n{mapped}\n)\n"
            f"qualify row_number() over (partition by {key} order by {recency}source_object, source_line desc) = 1"
        )
    if "source_line" in entity.key or entity.name == "party_role":
        return f"select distinct * from (\n{mapped}\n)"
    return mapped


def _has(entity: Table, column: str) -> bool:
    return any(c.name == column for c in entity.columns)
