-- What customers did in each month on the accounts and cards they are in charge of, in the bank's currency,
-- and what their accounts held at its end: the last balances that movements told, carried on from month to
-- month. A month without any movement has no row. Nothing of a later month enters a row.
-- Grain: customer_id, month.
with activity as (
    select * from value.activity_month
),

holder as (
    select * from customer.product_holder
),

-- wide: DuckDB would keep the product of two narrow decimals narrow, and overflow
rate as (
    select
        currency_code,
        cast(exchange_rate as decimal(38, 8)) as exchange_rate
    from staging.exchange_rate
),

moved as (
    select
        holder.customer_id,
        activity.month,
        sum(activity.transaction_count) as transaction_count,
        sum(activity.initiated_count) as initiated_count,
        sum(activity.mobile_count) as mobile_count,
        sum(activity.online_count) as online_count,
        sum(activity.atm_count) as atm_count,
        sum(activity.point_of_sale_count) as point_of_sale_count,
        sum(activity.counter_count) as counter_count,
        sum(activity.batch_count) as batch_count,
        sum(activity.other_channel_count) as other_channel_count,
        sum(
            if(
                rate.exchange_rate = 1,
                activity.credit_amount,
                round(activity.credit_amount * rate.exchange_rate, 2)
            )
        ) as base_credit_amount,
        sum(
            if(
                rate.exchange_rate = 1,
                activity.debit_amount,
                round(activity.debit_amount * rate.exchange_rate, 2)
            )
        ) as base_debit_amount,
        sum(
            if(
                rate.exchange_rate = 1,
                activity.salary_amount,
                round(activity.salary_amount * rate.exchange_rate, 2)
            )
        ) as base_salary_amount,
        max(activity.last_initiated_date) as last_initiated_date
    from activity
    inner join holder
        on
            activity.system = holder.product_system
            and activity.product_type = holder.product_type
            and activity.product_id = holder.product_id
    left join rate on activity.currency_code = rate.currency_code
    group by holder.customer_id, activity.month
),

-- what each month adds to an account's balance; the sum of all so far is the balance
added as (
    select
        system,
        product_id,
        currency_code,
        month,
        last_balance_amount - lag(last_balance_amount, 1, 0) over (
            partition by system, product_id, currency_code
            order by month
        ) as added_amount
    from activity
    where product_type = 'account' and last_balance_amount is not null
),

balance as (
    select
        holder.customer_id,
        added.month,
        sum(
            if(
                rate.exchange_rate = 1,
                added.added_amount,
                round(added.added_amount * rate.exchange_rate, 2)
            )
        ) as added_amount
    from added
    inner join holder
        on
            added.system = holder.product_system
            and added.product_id = holder.product_id
            and holder.product_type = 'account'
    left join rate on added.currency_code = rate.currency_code
    group by holder.customer_id, added.month
)

select
    moved.*,
    coalesce(
        sum(balance.added_amount) over (
            partition by moved.customer_id
            order by moved.month
        ),
        0
    ) as known_balance_amount
from moved
left join balance using (customer_id, month)
