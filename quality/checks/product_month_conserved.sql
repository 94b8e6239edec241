-- table: value.product_month
-- severity: block
-- message: every account, card and loan with a balance is valued in the present month, with that balance
with held as (
    select
        'account' as product_type,
        system,
        account_id as product_id,
        balance_amount
    from customer.account
    union all
    select
        'card',
        system,
        card_id,
        balance_amount
    from customer.card
    union all
    select
        'loan',
        system,
        loan_id,
        outstanding_amount
    from customer.loan
),

present as (
    select max(month) as month from value.balance_month
),

valued as (
    select
        product_type,
        system,
        product_id,
        closing_balance_amount
    from value.product_month
    where month = (select present.month from present)
)

select held.product_type
from held
left join valued using (product_type, system, product_id)
where
    held.balance_amount <> 0
    and valued.closing_balance_amount is distinct from held.balance_amount
    -- a bank that has no parameters yet values nothing
    and exists (
        select 1 from value.bank_parameter as bank
        where bank.valid_from <= (select present.month from present)
    )
