-- table: value.product_month
-- severity: block
-- message: components add up to profit, contribution and economic value added, to the cent
select product_type
from value.product_month
where
    net_interest_amount <> interest_income_amount + funding_amount
    or profit_amount <> net_interest_amount + interchange_amount + fee_income_amount + management_fee_amount
    - cost_amount - expected_loss_amount
    or contribution_amount <> profit_amount - tax_amount
    or eva_amount <> contribution_amount - capital_charge_amount
