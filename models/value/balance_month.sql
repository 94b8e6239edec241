-- What each product was in each month that is valued: days open, balances, what was bought with it, charged
-- and paid, what its transactions cost. Accounts and cards: tonight's balance, rolled back by the movements
-- since; loans: the month ends that the loan system kept. What has a balance is open, whatever its status
-- says. Balances as the source writes them: what is owed on cards and loans is positive.
-- Grain: month, system, product_type, product_id.
with account as (
    select * from customer.account
),

card as (
    select * from customer.card
),

loan as (
    select * from customer.loan
),

ended_loan as (
    select * from customer.ended_loan
),

activity as not materialized (
    select * from value.activity_month
),

performance as (
    select * from staging.loan_performance
),

rate as (
    select * from staging.exchange_rate
),

bank as (
    select * from value.bank_parameter
),

-- one month more than is valued: the balance with which loans entered the first
period as (
    select
        cast(first_day as date) as month,
        least(last_day(first_day), $business_date) as period_end,
        first_day >= $contribution_from as is_valued
    from
        unnest(
            generate_series($contribution_from - interval 1 month, $business_date, interval 1 month)
        ) as calendar (first_day)
    where exists (select 1 from bank)
),

-- holder_sign turns what the source writes into what the holder has
known as (
    select
        'account' as product_type,
        system,
        account_id as product_id,
        customer_id,
        product_code,
        product_family,
        currency_code,
        1 as holder_sign,
        balance_amount,
        cast(null as decimal(18, 2)) as credit_limit_amount,
        interest_rate,
        cast(null as integer) as term_months,
        opened_date as first_date,
        closed_date as end_date
    from account
    union all
    select
        'card',
        system,
        card_id,
        customer_id,
        product_code,
        product_family,
        currency_code,
        -1,
        balance_amount,
        credit_limit_amount,
        null,
        null,
        issued_date,
        expiry_date + 1
    from card
    union all
    select
        'loan',
        system,
        loan_id,
        customer_id,
        product_code,
        product_family,
        currency_code,
        -1,
        outstanding_amount,
        null,
        interest_rate,
        coalesce(term_months, date_diff('month', start_date, maturity_date)),
        start_date,
        maturity_date + 1
    from loan
    union all
    select
        'loan',
        system,
        loan_id,
        customer_id,
        product_code,
        product_family,
        currency_code,
        -1,
        0.00,
        null,
        interest_rate,
        term_months,
        start_date,
        null
    from ended_loan
),

-- where the source keeps no balance, the one after the latest movement
last_balance as (
    select
        activity.system,
        activity.product_type,
        activity.product_id,
        activity.currency_code,
        arg_max(activity.last_balance_amount * known.holder_sign, activity.month) as balance_amount
    from activity
    inner join known using (system, product_type, product_id, currency_code)
    where known.balance_amount is null and activity.last_balance_amount is not null
    group by all
),

-- products on which something was booked in another currency than their own
exchanged as (
    select distinct
        activity.system,
        activity.product_type,
        activity.product_id
    from activity
    inner join known using (system, product_type, product_id)
    where activity.currency_code is distinct from known.currency_code
),

-- a number instead of the key keeps the long joins narrow
product as materialized (
    select
        known.*,
        rate.exchange_rate,
        coalesce(known.balance_amount, last_balance.balance_amount) as tonight_amount,
        least(coalesce(known.first_date, date '1900-01-01'), $business_date) as open_from,
        case
            when coalesce(known.balance_amount, last_balance.balance_amount) is null then known.end_date
            when known.balance_amount = 0 and known.product_type <> 'loan' then known.end_date
        end as open_until,
        exchanged.product_id is not null as is_exchanged,
        row_number() over () as product_no
    from known
    left join exchanged using (system, product_type, product_id)
    left join last_balance using (system, product_type, product_id, currency_code)
    left join rate using (currency_code)
),

moved as not materialized (
    select
        product.product_no,
        product.is_exchanged,
        product.exchange_rate,
        activity.month,
        activity.currency_code,
        activity.net_amount * product.holder_sign as net_amount,
        activity.weighted_net_amount * product.holder_sign as weighted_net_amount,
        activity.purchase_amount,
        activity.fee_amount,
        activity.interest_amount,
        -- narrow before it is rounded
        cast(
            activity.mobile_count * bank.mobile_cost
            + activity.online_count * bank.online_cost
            + activity.atm_count * bank.atm_cost
            + activity.point_of_sale_count * bank.point_of_sale_cost
            + activity.counter_count * bank.counter_cost
            + activity.batch_count * bank.batch_cost
            + activity.other_channel_count * bank.other_cost as decimal(18, 4)
        ) as transaction_cost
    from activity
    inner join period using (month)
    inner join product using (system, product_type, product_id)
    left join bank
        on
            period.period_end >= bank.valid_from
            and (bank.valid_to is null or period.period_end < bank.valid_to)
),

-- what was booked in another currency than the product's counts at tonight's rates
exchanging as (
    select
        moved.*,
        -- wide: DuckDB would keep the product of two narrow decimals narrow, and overflow
        cast(rate.exchange_rate / moved.exchange_rate as decimal(38, 8)) as cross_rate
    from moved
    inner join rate using (currency_code)
    where moved.is_exchanged
),

-- where all was booked in the product's own currency a month is one row already, with nothing to round
movement as (
    select
        moved.product_no,
        moved.month,
        cast(moved.net_amount as decimal(18, 2)) as net_amount,
        cast(moved.weighted_net_amount as decimal(20, 2)) as weighted_net_amount,
        moved.purchase_amount,
        moved.fee_amount,
        moved.interest_amount,
        cast(moved.transaction_cost as decimal(18, 2)) as transaction_cost_amount
    from moved
    semi join rate on moved.currency_code = rate.currency_code
    where not moved.is_exchanged
    union all
    select
        product_no,
        month,
        cast(sum(net_amount * cross_rate) as decimal(18, 2)),
        cast(sum(weighted_net_amount * cross_rate) as decimal(20, 2)),
        cast(sum(purchase_amount * cross_rate) as decimal(18, 2)),
        cast(sum(fee_amount * cross_rate) as decimal(18, 2)),
        cast(sum(interest_amount * cross_rate) as decimal(18, 2)),
        cast(sum(transaction_cost) as decimal(18, 2))
    from exchanging
    group by product_no, month
),

-- what was owed on loans at the end of each month, as far as it was kept
statement as (
    select
        product.product_no,
        cast(date_trunc('month', performance.as_of_date) as date) as month,
        arg_max(performance.outstanding_amount, performance.as_of_date) as outstanding_amount
    from performance
    inner join product
        on
            performance.system = product.system
            and performance.loan_id = product.product_id
            and product.product_type = 'loan'
    where performance.as_of_date < date_trunc('month', $business_date)
    group by all
    union all
    select
        product_no,
        cast(date_trunc('month', $business_date) as date),
        tonight_amount
    from product
    where product_type = 'loan'
),

-- accounts and cards: tonight's balance less what was moved after the month; what lies before the opening
-- moves no later balance
rolled_back as (
    select
        product.product_no,
        period.month,
        period.period_end,
        movement.* exclude (product_no, month),
        product.tonight_amount - coalesce(
            sum(movement.net_amount) over (
                partition by product.product_no order by period.month
                rows between 1 following and unbounded following
            ),
            0
        ) as closing_amount,
        cast(null as decimal(18, 2)) as loan_opening_amount
    from product
    inner join period on product.open_from <= period.period_end and period.is_valued
    left join movement using (product_no, month)
    where product.product_type <> 'loan'
),

-- loans: a month without a statement takes the next one's
stated as (
    select
        product.product_no,
        period.month,
        period.period_end,
        movement.* exclude (product_no, month),
        first_value(statement.outstanding_amount ignore nulls) over (
            partition by product.product_no order by period.month
            rows between current row and unbounded following
        ) as closing_amount,
        first_value(statement.outstanding_amount ignore nulls) over (
            partition by product.product_no order by period.month
            rows between 1 preceding and unbounded following
        ) as loan_opening_amount
    from product
    cross join period
    left join movement using (product_no, month)
    left join statement using (product_no, month)
    where product.product_type = 'loan'
),

balance as (
    select * from rolled_back
    union all
    select * from stated
),

opened as (
    select
        product.*,
        balance.* exclude (product_no, closing_amount, net_amount, weighted_net_amount),
        cast(balance.closing_amount as decimal(18, 2)) as closing_amount,
        coalesce(balance.net_amount, 0) as net_amount,
        coalesce(balance.weighted_net_amount, 0) as weighted_net_amount,
        date_diff('day', balance.month, balance.period_end) + 1 as period_days,
        greatest(date_diff('day', balance.month, product.open_from), 0) as days_before,
        greatest(date_diff('day', product.open_until, balance.period_end) + 1, 0) as days_after
    from balance
    inner join product using (product_no)
),

-- the sum of end-of-day balances, less those of days on which it was not open, by the days on which it was:
-- a double, for DuckDB divides decimals as doubles, and rounds wide ones slowly
averaged as (
    select
        *,
        cast(
            cast(
                period_days * closing_amount
                - weighted_net_amount
                - days_before * (closing_amount - net_amount)
                - days_after * closing_amount as decimal(18, 2)
            ) as double
        ) / nullif(period_days - days_before - days_after, 0) as average_amount
    from opened
)

select
    system,
    product_type,
    product_id,
    month,
    customer_id,
    product_family,
    product_code,
    currency_code,
    exchange_rate,
    period_days - days_before - days_after as open_days,
    closing_amount as closing_balance_amount,
    case
        when product_type = 'loan'
            then round(cast((loan_opening_amount + closing_amount) / 2 as decimal(28, 8)), 2)
        -- half up to the cent, of eight places: half of the eighth makes up for what a double lacks
        else cast(average_amount + 5e-9 * sign(average_amount) as decimal(18, 2))
    end as average_balance_amount,
    credit_limit_amount,
    interest_rate,
    term_months,
    coalesce(purchase_amount, 0) as purchase_amount,
    coalesce(fee_amount, 0) as fee_amount,
    coalesce(interest_amount, 0) as interest_amount,
    coalesce(transaction_cost_amount, 0) as transaction_cost_amount
from averaged
where
    month >= $contribution_from
    and period_days > days_before + days_after
    and (product_type <> 'loan' or closing_amount is null or closing_amount <> 0 or loan_opening_amount <> 0)
