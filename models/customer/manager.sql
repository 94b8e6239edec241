-- Relationship managers as each system codes them.
-- Grain: system, manager_id.
select
    system,
    manager_id,
    manager_name,
    branch_id,
    team_name
from staging.manager
