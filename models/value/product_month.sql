-- What the bank earns from each product in each month, component by component, in its currency. Components
-- are rounded to the cent here and nowhere later: every other table of contribution is a sum of this one.
-- Parameters are those in force at the month's end, or tonight in the present month. Formulas:
-- docs/contribution.md. One month at a time, so that a month's rows are all that is in memory.
-- Grain: month, system, product_type, product_id.
with balance as (
    select * from value.balance_month
    where month = $month
),

bank_parameter as (
    select * from value.bank_parameter
),

product_parameter as (
    select * from value.product_parameter
),

transfer_price as (
    select * from value.transfer_price
),

score as (
    select
        customer_id,
        as_of_date,
        probability_of_default
    from value.risk_score
),

period as (
    select
        cast($month as date) as month,
        least(last_day($month), $business_date) as period_end
),

bank as (
    select
        period.month,
        date_diff('day', period.month, period.period_end) + 1 as period_days,
        date_diff('day', period.month, last_day(period.month)) + 1 as month_days,
        -- customers are scored at month ends
        if(period.period_end = last_day(period.month), period.period_end, period.month - 1) as score_date,
        bank_parameter.capital_ratio,
        bank_parameter.cost_of_capital,
        bank_parameter.tax_rate
    from period
    inner join bank_parameter
        on
            period.period_end >= bank_parameter.valid_from
            and (bank_parameter.valid_to is null or period.period_end < bank_parameter.valid_to)
),

terms as (
    select
        period.month,
        product_parameter.*
    from period
    inner join product_parameter
        on
            period.period_end >= product_parameter.valid_from
            and (product_parameter.valid_to is null or period.period_end < product_parameter.valid_to)
),

curve as (
    select
        period.month,
        transfer_price.*
    from period
    inner join transfer_price
        on
            period.period_end >= transfer_price.valid_from
            and (transfer_price.valid_to is null or period.period_end < transfer_price.valid_to)
),

-- product codes with terms of their own
own_terms as (
    select
        month,
        product_family,
        product_code
    from terms
    where product_code <> '*'
),

-- amounts are made wide: DuckDB would keep products of two narrow decimals narrow, and overflow
termed as (
    select
        balance.* exclude (
            interest_rate,
            average_balance_amount,
            credit_limit_amount,
            purchase_amount,
            fee_amount,
            interest_amount
        ),
        cast(balance.purchase_amount as decimal(38, 2)) as purchase_amount,
        cast(balance.fee_amount as decimal(38, 2)) as fee_amount,
        cast(balance.interest_amount as decimal(38, 2)) as interest_amount,
        cast(coalesce(balance.average_balance_amount, 0) as decimal(38, 2)) as average_balance_amount,
        cast(coalesce(balance.credit_limit_amount, 0) as decimal(38, 2)) as credit_limit_amount,
        bank.* exclude (month),
        terms.balance_side,
        terms.interest_method,
        terms.interest_bearing_share,
        terms.interchange_rate,
        terms.management_fee_rate,
        terms.monthly_cost,
        terms.default_pd,
        terms.loss_given_default,
        terms.credit_conversion_factor,
        terms.risk_weight,
        balance.average_balance_amount as known_average_amount,
        coalesce(balance.interest_rate, terms.interest_rate, 0) as interest_rate,
        case terms.balance_side when 'asset' then 1 when 'liability' then -1 else 0 end as bank_sign,
        -- least() passes over nulls: without terms there is no tenor, and the product is not valued
        if(
            terms.tenor_months is null,
            null,
            least(
                if(
                    terms.is_priced_by_own_term,
                    coalesce(balance.term_months, terms.tenor_months),
                    terms.tenor_months
                ),
                360
            )
        ) as tenor_months
    from balance
    inner join bank using (month)
    left join own_terms using (month, product_family, product_code)
    left join terms
        on
            balance.month = terms.month
            and balance.product_family = terms.product_family
            and terms.product_code = coalesce(own_terms.product_code, '*')
),

priced as (
    select
        termed.*,
        curve.transfer_rate,
        coalesce(curve.days_in_year, 365) as days_in_year,
        coalesce(score.probability_of_default, termed.default_pd) as probability_of_default,
        greatest(termed.bank_sign * termed.average_balance_amount, 0) as drawn_amount,
        coalesce(
            termed.balance_side = 'none'
            or (
                termed.known_average_amount is not null
                and (termed.balance_side = 'managed' or curve.transfer_rate is not null)
            ),
            false
        ) as is_valued
    from termed
    left join curve using (month, currency_code, tenor_months)
    left join score on termed.customer_id = score.customer_id and termed.score_date = score.as_of_date
),

-- quotients are kept to eight places, then rounded half up to the cent; where a factor is nothing none is
-- worked out, for wide decimals are slow to divide and round
earned as (
    select
        *,
        case
            when not is_valued then 0
            when interest_method = 'booked' then round(-interest_amount * exchange_rate, 2)
            else
                round(
                    cast(
                        bank_sign * average_balance_amount * interest_rate * interest_bearing_share
                        * open_days * exchange_rate / days_in_year as decimal(28, 8)
                    ),
                    2
                )
        end as interest_income_amount,
        coalesce(
            round(
                cast(
                    -bank_sign * average_balance_amount * transfer_rate * open_days * exchange_rate
                    / days_in_year as decimal(28, 8)
                ),
                2
            ),
            0
        ) as funding_amount,
        if(
            purchase_amount = 0, 0, coalesce(round(-purchase_amount * interchange_rate * exchange_rate, 2), 0)
        ) as interchange_amount,
        if(fee_amount = 0 or exchange_rate = 1, -fee_amount, round(-fee_amount * exchange_rate, 2))
            as fee_income_amount,
        if(coalesce(management_fee_rate, 0) = 0, 0, coalesce(
            round(
                cast(
                    average_balance_amount * management_fee_rate * open_days * exchange_rate
                    / days_in_year as decimal(28, 8)
                ),
                2
            ),
            0
        )) as management_fee_amount,
        coalesce(round(cast(monthly_cost * open_days / month_days as decimal(28, 8)), 2), 0)
        + transaction_cost_amount as cost_amount,
        if(drawn_amount = 0 and credit_limit_amount <= 0, 0, coalesce(
            round(
                (
                    drawn_amount
                    + credit_conversion_factor * greatest(credit_limit_amount - drawn_amount, 0)
                ) * exchange_rate,
                2
            ),
            0
        )) as exposure_amount
    from priced
),

risked as (
    select
        *,
        interest_income_amount + funding_amount as net_interest_amount,
        if(exposure_amount = 0, 0, coalesce(
            round(
                cast(
                    exposure_amount * probability_of_default * loss_given_default * open_days / 365
                    as decimal(28, 8)
                ),
                2
            ),
            0
        )) as expected_loss_amount,
        if(exposure_amount = 0, 0, coalesce(
            round(
                cast(
                    exposure_amount * risk_weight * capital_ratio * open_days / period_days as decimal(28, 8)
                ),
                2
            ),
            0
        )) as capital_amount
    from earned
),

taxed as (
    select
        *,
        net_interest_amount + interchange_amount + fee_income_amount + management_fee_amount
        - cost_amount - expected_loss_amount as profit_amount,
        if(
            capital_amount = 0,
            0,
            round(cast(capital_amount * cost_of_capital * period_days / 365 as decimal(28, 8)), 2)
        ) as capital_charge_amount
    from risked
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
    open_days,
    period_days,
    known_average_amount as average_balance_amount,
    if(exchange_rate = 1, known_average_amount, round(known_average_amount * exchange_rate, 2))
        as base_average_balance_amount,
    closing_balance_amount,
    interest_rate,
    tenor_months,
    transfer_rate,
    exposure_amount,
    probability_of_default,
    is_valued,
    interest_income_amount,
    funding_amount,
    net_interest_amount,
    interchange_amount,
    fee_income_amount,
    management_fee_amount,
    cost_amount,
    expected_loss_amount,
    profit_amount,
    round(profit_amount * tax_rate, 2) as tax_amount,
    profit_amount - round(profit_amount * tax_rate, 2) as contribution_amount,
    capital_amount,
    capital_charge_amount,
    profit_amount - round(profit_amount * tax_rate, 2) - capital_charge_amount as eva_amount
from taxed
