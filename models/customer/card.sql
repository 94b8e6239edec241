-- Cards with the customer that holds them; a product of several customers is listed once, under the first
-- in charge (owner, cardholder, borrower before joint roles); customer.party_role names them all.
-- Grain: system, card_id.
with card as (
    select * from staging.card
),

holder as (
    select * from customer.product_holder
    where product_type = 'card'
)

select
    holder.customer_id,
    card.system,
    card.card_id,
    card.account_id,
    card.card_type,
    card.product_code,
    card.product_family,
    card.currency_code,
    card.credit_limit_amount,
    card.balance_amount,
    card.issued_date,
    card.expiry_date,
    card.status_code
from card
left join holder on card.system = holder.product_system and card.card_id = holder.product_id
