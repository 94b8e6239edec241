-- Standing orders with the customer whose account they charge.
-- Grain: system, order_id.
with standing_order as (
    select * from staging.standing_order
),

holder as (
    select * from customer.product_holder
    where product_type = 'account'
)

select
    holder.customer_id,
    standing_order.system,
    standing_order.order_id,
    standing_order.account_id,
    standing_order.amount,
    standing_order.currency_code,
    standing_order.counterparty_bank,
    standing_order.counterparty_account,
    standing_order.purpose_code
from standing_order
left join holder
    on standing_order.system = holder.product_system and standing_order.account_id = holder.product_id
