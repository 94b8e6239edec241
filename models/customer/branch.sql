-- Branches of the bank as each system codes them.
-- Grain: system, branch_id.
select
    system,
    branch_id,
    branch_name,
    parent_branch_id,
    province,
    city
from staging.branch
