-- table: identity.decision
-- severity: block
-- message: every decision of a steward that binds holds: the same is one customer, the different are two
with decision as (
    select * from identity.decision
    where standing = 'binding'
),

record as (
    select * from customer.customer_record
)

select decision.decision_id
from decision
left join record as l on decision.system_l = l.system and decision.record_id_l = l.record_id
left join record as r on decision.system_r = r.system and decision.record_id_r = r.record_id
where coalesce((l.customer_id = r.customer_id) <> (decision.verdict = 'same'), true)
