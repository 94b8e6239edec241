-- The contribution curve (whale curve): customers in the order of their contribution of the last twelve whole
-- months, the best first, in a hundred equal steps, and what the customers up to each step have brought
-- together. It rises above the bank's total where the customers beyond the peak cost more than they bring.
-- Grain: customer_percentile.
with customer as (
    select customer_id from customer.customer
),

contribution as (
    select * from mart.customer_annual_contribution
),

ranked as (
    select
        customer.customer_id,
        coalesce(contribution.contribution_amount, 0) as contribution_amount,
        row_number() over (
            order by coalesce(contribution.contribution_amount, 0) desc, customer.customer_id asc
        ) as customer_rank,
        count(*) over () as customers
    from customer
    left join contribution using (customer_id)
),

step as (
    select
        -- the hundredth that the customer falls into; fewer than a hundred customers fill fewer
        cast((customer_rank * 100 + customers - 1) // customers as integer) as customer_percentile,
        count(*) as customer_count,
        sum(contribution_amount) as contribution_amount
    from ranked
    group by all
)

select
    customer_percentile,
    customer_count,
    contribution_amount,
    sum(contribution_amount) over (order by customer_percentile) as cumulative_contribution_amount,
    round(
        sum(contribution_amount) over (order by customer_percentile)
        / nullif(sum(contribution_amount) over (), 0),
        6
    ) as cumulative_share
from step
