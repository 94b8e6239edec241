"""What ``value.yaml`` says of the next product: the horizon, the years fitted on, and when a model is worth its name.

Here are parameters and their limits. The model is ``models.value.next_product_model``, the method is in
docs/behaviour.md.
"""

from pydantic import BaseModel, ConfigDict, Field


class NextProductSettings(BaseModel):
    """Section ``next_product``.

    Attributes:
        horizon_months: Within which the first product of a family is opened; observations lie this far apart, so that
            no outcome reaches into the next one's.
        fitted_dates: Month ends to fit on, before the one that chooses the method and the one that validates.
        minimum_openings: Fewest openings at them; below it no model is fitted.
        minimum_family_openings: Fewest openings of a family by a party type for weights of its own; below it every
            customer has the same propensity to it.
        margin: Hit rate at 1 by which the regression must beat popularity to be chosen.
        listed: Most families told of a customer.
        maximum_observations: Most observations (customers x month ends x families) that are fitted and validated on;
            of more customers a fixed sample is taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizon_months: int = Field(12, ge=1, le=24)
    fitted_dates: int = Field(1, ge=1, le=10)
    minimum_openings: int = Field(200, ge=20)
    minimum_family_openings: int = Field(30, ge=10)
    margin: float = Field(0.02, ge=0, le=1)
    listed: int = Field(3, ge=1, le=10)
    maximum_observations: int = Field(2_000_000, ge=1000)
