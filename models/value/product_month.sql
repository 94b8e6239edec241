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
        probability_of_default
    from value.risk_score
    -- customers are scored at month ends
    where as_of_date = if(last_day($month) <= $business_date, last_day($month), cast($month as date) - 1)
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

termed as (
    select
        balance.* exclude (interest_rate, average_balance_amount, credit_limit_amount),
        coalesce(balance.average_balance_amount, 0) as average_balance_amount,
        coalesce(balance.credit_limit_amount, 0) as credit_limit_amount,
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
        coalesce(score.probability_of_default, termed.default_pd) as probability_of_default,
        greatest(termed.bank_sign * termed.average_balance_amount, 0) as drawn_amount,
        -- a year's interest on this is a year's interest for the days open, in the bank's currency
        cast(termed.average_balance_amount as double) * cast(termed.exchange_rate as double)
        * termed.open_days / coalesce(curve.days_in_year, 365) as balance_years,
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
    left join score using (customer_id)
),

-- quotients are doubles: wide decimals take longer to divide and round than all the rest, and a quotient of
-- theirs is a double too; what is no quotient is exact
quotient as (
    select
        *,
        bank_sign * balance_years * cast(interest_rate as double) * cast(interest_bearing_share as double)
            as interest,
        -bank_sign * balance_years * cast(transfer_rate as double) as funding,
        balance_years * cast(management_fee_rate as double) as management_fee,
        cast(monthly_cost as double) * open_days / month_days as cost_share,
        case
            when exchange_rate = 1 and credit_limit_amount <= drawn_amount then drawn_amount
            else coalesce(
                cast(
                    round(
                        (
                            cast(drawn_amount as decimal(38, 2))
                            + credit_conversion_factor * greatest(credit_limit_amount - drawn_amount, 0)
                        ) * exchange_rate,
                        2
                    ) as decimal(18, 2)
                ),
                0
            )
        end as exposure_amount
    from priced
),

-- half up to the cent, of eight places: half of the eighth makes up for what a double lacks
earned as (
    select
        *,
        case
            when not is_valued then 0
            when interest_method = 'booked'
                then cast(
                    round(-cast(interest_amount as decimal(38, 2)) * exchange_rate, 2) as decimal(18, 2)
                )
            else cast(interest + 5e-9 * sign(interest) as decimal(18, 2))
        end as interest_income_amount,
        coalesce(cast(funding + 5e-9 * sign(funding) as decimal(18, 2)), 0) as funding_amount,
        if(
            purchase_amount = 0, 0, coalesce(
                cast(
                    round(-cast(purchase_amount as decimal(38, 2)) * interchange_rate * exchange_rate, 2)
                    as decimal(18, 2)
                ),
                0
            )
        ) as interchange_amount,
        if(
            fee_amount = 0 or exchange_rate = 1,
            -fee_amount,
            cast(round(-cast(fee_amount as decimal(38, 2)) * exchange_rate, 2) as decimal(18, 2))
        ) as fee_income_amount,
        coalesce(cast(management_fee + 5e-9 * sign(management_fee) as decimal(18, 2)), 0)
            as management_fee_amount,
        coalesce(cast(cost_share + 5e-9 * sign(cost_share) as decimal(18, 2)), 0) + transaction_cost_amount
            as cost_amount,
        cast(exposure_amount as double) * probability_of_default * loss_given_default * open_days / 365
            as expected_loss,
        cast(exposure_amount as double) * risk_weight * capital_ratio * open_days / period_days as capital
    from quotient
),

risked as (
    select
        *,
        interest_income_amount + funding_amount as net_interest_amount,
        coalesce(cast(expected_loss + 5e-9 * sign(expected_loss) as decimal(18, 2)), 0)
            as expected_loss_amount,
        coalesce(cast(capital + 5e-9 * sign(capital) as decimal(18, 2)), 0) as capital_amount
    from earned
),

taxable as (
    select
        *,
        net_interest_amount + interchange_amount + fee_income_amount + management_fee_amount
        - cost_amount - expected_loss_amount as profit_amount,
        cast(capital_amount as double) * cost_of_capital * period_days / 365 as capital_charge
    from risked
),

-- a tax that could be too long for a narrow decimal is worked out in a wide one
taxed as (
    select
        *,
        if(
            abs(profit_amount) < 1000000000,
            round(profit_amount * tax_rate, 2),
            cast(round(cast(profit_amount as decimal(38, 2)) * tax_rate, 2) as decimal(18, 2))
        ) as tax_amount,
        cast(capital_charge + 5e-9 * sign(capital_charge) as decimal(18, 2)) as capital_charge_amount
    from taxable
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
    tax_amount,
    profit_amount - tax_amount as contribution_amount,
    capital_amount,
    capital_charge_amount,
    profit_amount - tax_amount - capital_charge_amount as eva_amount
from taxed
