-- table: identity.decision
-- severity: warn
-- message: every decision in force binds ('c360 decisions' shows which do not and why)
select decision_id
from identity.decision
where standing <> 'binding'
