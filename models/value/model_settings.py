"""Which models of value a bank approves: the section ``models`` of ``value.yaml``."""

from pydantic import BaseModel, ConfigDict, field_validator

from models.model_store import AUTO, NONE, is_model_id


class ModelSettings(BaseModel):
    """The approved model of each kind.

    ``none``, ``auto`` (the home's first night with enough history fits and pins one), or ``<name>-<version>``.

    Attributes:
        pd: Probability of default.
        churn: Probability of leaving.
        next_product: Product family that a customer takes next.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pd: str = NONE
    churn: str = NONE
    next_product: str = NONE

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """All kinds."""
        return tuple(cls.model_fields)

    def approved(self, kind: str) -> str:
        """What is approved for a kind."""
        return str(getattr(self, kind))

    @field_validator("pd", "churn", "next_product")
    @classmethod
    def _versioned(cls, value: str) -> str:
        if value not in (AUTO, NONE) and not is_model_id(value):
            raise ValueError(f"{value!r} is neither auto, none nor <name>-<version>, as c360 train prints it")
        return value
