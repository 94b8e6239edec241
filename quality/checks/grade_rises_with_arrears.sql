-- table: value.exposure
-- severity: block
-- message: a claim longer past due never has a better grade, and its debtor's other claims never improve it
with ranked as (
    select
        *,
        ['normal', 'special_mention', 'substandard', 'doubtful', 'loss'] as grades,
        list_position(grades, claim_grade) as claim_rank,
        list_position(grades, risk_grade) as risk_rank
    from value.exposure
),

worst_before as (
    select
        *,
        max(claim_rank) over (
            order by days_past_due
            range between unbounded preceding and 1 preceding
        ) as rank_before
    from ranked
)

select product_id
from worst_before
where rank_before > claim_rank or risk_rank < claim_rank
