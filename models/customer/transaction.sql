-- Transactions with the customer whose account, card or loan they moved.
-- Grain: system, transaction_id.
with transaction as (
    select * from staging.transaction
),

holder as (
    select * from customer.product_holder
)

select
    holder.customer_id,
    transaction.system,
    transaction.transaction_id,
    transaction.product_type,
    transaction.product_id,
    transaction.booked_date,
    transaction.direction,
    transaction.amount,
    transaction.currency_code,
    transaction.balance_after_amount,
    transaction.transaction_type,
    transaction.transaction_kind,
    transaction.channel,
    transaction.counterparty_account,
    transaction.counterparty_name,
    transaction.purpose_code
from transaction
left join holder
    on
        transaction.product_type = holder.product_type
        and transaction.system = holder.product_system
        and transaction.product_id = holder.product_id
