-- table: meta.quarantine
-- severity: block
-- message: every row in quarantine is listed with its reason
with delivery as (
    select * from meta.delivery
),

listed as (
    select
        system,
        object,
        business_date,
        count(*) as listed_rows
    from meta.quarantine
    group by system, object, business_date
)

select
    delivery.system,
    delivery.object
from delivery
left join listed using (system, object, business_date)
where delivery.quarantined_rows <> coalesce(listed.listed_rows, 0)
