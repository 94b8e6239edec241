-- Accounts with the customer that owns them; a product of several customers is listed once, under the first
-- in charge (owner, cardholder, borrower before joint roles); customer.party_role names them all.
-- Grain: system, account_id.
with account as (
    select * from staging.account
),

holder as (
    select * from customer.product_holder
    where product_type = 'account'
)

select
    holder.customer_id,
    account.system,
    account.account_id,
    account.product_code,
    account.product_family,
    account.currency_code,
    account.balance_amount,
    account.interest_rate,
    account.opened_date,
    account.closed_date,
    account.status_code,
    account.branch_id
from account
left join holder on account.system = holder.product_system and account.account_id = holder.product_id
