-- What each debt exposes the bank to at the end of the business date, and its grade of five: loans and credit
-- cards. A claim is at least the grade of its days past due (articles 10 to 13 of the rules for risk
-- classification of financial assets, 2023). Persons' claims are retail and graded one by one; an
-- organisation's are non-retail: where more than a tenth of what it owes is non-performing all of it is
-- (article 14), where any of it is, all of it is at least special mention (article 10).
-- Grain: product_type, system, product_id.
with setting as (
    select unnest($risk)
),

loan as (
    select * from customer.loan
),

card as (
    select * from customer.card
    where product_family = 'credit_card'
),

customer as (
    select * from customer.customer
),

rate as (
    select * from staging.exchange_rate
),

-- the bank's terms of contribution, so that both count the same exposure and the same loss
terms as (
    select * from value.product_parameter
    where valid_from <= $business_date and coalesce(valid_to > $business_date, true)
),

claim as (
    select
        'loan' as product_type,
        system,
        loan_id as product_id,
        customer_id,
        product_family,
        product_code,
        currency_code,
        outstanding_amount as owed_amount,
        0.00 as undrawn_amount,
        -- where the source tells what is overdue but not since when, it is as if since yesterday
        coalesce(days_past_due, if(overdue_amount > 0, 1, 0)) as days_past_due
    from loan
    union all
    select
        'card',
        system,
        card_id,
        customer_id,
        product_family,
        product_code,
        currency_code,
        balance_amount,
        if(
            coalesce(status_code, '') <> 'cancelled' and coalesce(expiry_date >= $business_date, true),
            greatest(credit_limit_amount - greatest(coalesce(balance_amount, 0), 0), 0),
            0
        ),
        0
    from card
),

valued as (
    select
        claim.*,
        coalesce(customer.party_type, '') <> 'organisation' as is_retail,
        coalesce(
            own.credit_conversion_factor, family.credit_conversion_factor, setting.conversion_factor
        ) as credit_conversion_factor,
        coalesce(own.loss_given_default, family.loss_given_default, setting.loss_given_default)
            as loss_given_default,
        coalesce(round(claim.owed_amount * rate.exchange_rate, 2), 0) as base_owed_amount,
        coalesce(round(claim.undrawn_amount * rate.exchange_rate, 2), 0) as base_undrawn_amount,
        case
            when claim.days_past_due > setting.loss_days then 5
            when claim.days_past_due > setting.doubtful_days then 4
            when claim.days_past_due > setting.substandard_days then 3
            when claim.days_past_due > setting.special_mention_days then 2
            else 1
        end as claim_rank
    from claim
    cross join setting
    left join customer on claim.customer_id = customer.customer_id
    left join rate on claim.currency_code = rate.currency_code
    left join terms as own
        on claim.product_family = own.product_family and claim.product_code = own.product_code
    left join terms as family on claim.product_family = family.product_family and family.product_code = '*'
),

debtor as (
    select
        customer_id,
        sum(greatest(base_owed_amount, 0)) as debt_amount,
        sum(greatest(base_owed_amount, 0)) filter (where claim_rank > 2) as non_performing_amount,
        max(claim_rank) as worst_rank
    from valued
    where not is_retail
    group by customer_id
),

graded as (
    select
        valued.*,
        greatest(
            valued.claim_rank,
            case
                when debtor.non_performing_amount > setting.non_performing_share * debtor.debt_amount then 3
                when debtor.worst_rank > 2 then 2
                else 1
            end
        ) as debtor_rank
    from valued
    cross join setting
    left join debtor on valued.customer_id = debtor.customer_id and not valued.is_retail
)

select
    graded.product_type,
    graded.system,
    graded.product_id,
    graded.customer_id,
    graded.product_family,
    graded.currency_code,
    graded.is_retail,
    coalesce(graded.owed_amount, 0) as owed_amount,
    graded.base_owed_amount,
    graded.base_undrawn_amount,
    round(
        greatest(graded.base_owed_amount, 0) + graded.base_undrawn_amount * graded.credit_conversion_factor, 2
    ) as exposure_amount,
    graded.loss_given_default,
    graded.days_past_due,
    list_extract(
        ['normal', 'special_mention', 'substandard', 'doubtful', 'loss'], graded.claim_rank
    ) as claim_grade,
    list_extract(
        ['normal', 'special_mention', 'substandard', 'doubtful', 'loss'], graded.debtor_rank
    ) as risk_grade
from graded
