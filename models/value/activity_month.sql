-- What moved on each product in each month: the one pass over transactions that everything of value is
-- made from. A movement is weighed by the days for which its month's balance was without it: over a month of
-- n whole days the sum of end-of-day balances is n x closing balance - weighted_net_amount. One month at a
-- time: the groups of all months together would not fit the processor's caches, nor always memory.
-- Grain: month, system, product_type, product_id, currency_code.
with transaction as (
    select
        *,
        cast($month as date) as month,
        if(direction = 'credit', amount, -amount) as signed_amount,
        coalesce(channel, '') <> 'batch' as is_initiated
    from staging.transaction
    where booked_date between $month and least(last_day($month), $business_date)
)

select
    system,
    product_type,
    product_id,
    currency_code,
    month,
    coalesce(sum(amount) filter (where direction = 'credit'), 0) as credit_amount,
    coalesce(sum(amount) filter (where direction = 'debit'), 0) as debit_amount,
    sum(signed_amount) as net_amount,
    sum(signed_amount * (date_part('day', booked_date) - 1)) as weighted_net_amount,
    count(*) as transaction_count,
    count(*) filter (where is_initiated) as initiated_count,
    count(*) filter (where channel = 'mobile') as mobile_count,
    count(*) filter (where channel = 'online') as online_count,
    count(*) filter (where channel = 'atm') as atm_count,
    count(*) filter (where channel = 'point_of_sale') as point_of_sale_count,
    count(*) filter (where channel = 'counter') as counter_count,
    count(*) filter (where channel = 'batch') as batch_count,
    count(*) filter (
        where channel is null
        or channel not in ('mobile', 'online', 'atm', 'point_of_sale', 'counter', 'batch')
    ) as other_channel_count,
    coalesce(
        sum(amount) filter (where transaction_kind = 'salary' and direction = 'credit'), 0
    ) as salary_amount,
    coalesce(sum(signed_amount) filter (where transaction_kind = 'purchase'), 0) as purchase_amount,
    coalesce(sum(signed_amount) filter (where transaction_kind = 'fee'), 0) as fee_amount,
    coalesce(sum(signed_amount) filter (where transaction_kind = 'interest'), 0) as interest_amount,
    coalesce(sum(signed_amount) filter (where transaction_kind = 'cash'), 0) as cash_amount,
    coalesce(sum(signed_amount) filter (where transaction_kind = 'repayment'), 0) as repayment_amount,
    -- the line decides between movements of one day, as the source wrote them
    arg_max(
        balance_after_amount, (booked_date - date '1970-01-01') * 4294967296 + source_line
    ) as last_balance_amount,
    max(booked_date) filter (where is_initiated) as last_initiated_date
from transaction
group by all
