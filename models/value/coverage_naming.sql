-- Whom each party record names as manager and branch, and whether there are such. A system that writes
-- another one's codes (coded_as) is read as that one; the order in value.yaml is the rank of a system's word.
-- Grain: system, record_id.
with party as (
    select
        *,
        coalesce(
            cast($coverage_coded_as as varchar[])[list_position(cast($coverage_coded as varchar[]), system)],
            system
        ) as code_system,
        coalesce(
            list_position(cast($coverage_systems as varchar[]), system), len($coverage_systems) + 1
        ) as system_rank
    from staging.party
),

record as (
    select * from customer.customer_record
),

manager as (
    select * from customer.manager
),

branch as (
    select * from customer.branch
)

select
    party.system,
    party.record_id,
    record.customer_id,
    party.system_rank,
    party.updated_at,
    if(party.manager_id is null, null, party.code_system) as manager_system,
    party.manager_id,
    manager.manager_id is not null as is_manager_known,
    if(party.branch_id is null, null, party.code_system) as branch_system,
    party.branch_id,
    branch.branch_id is not null as is_branch_known
from party
inner join record using (system, record_id)
left join manager on party.code_system = manager.system and party.manager_id = manager.manager_id
left join branch on party.code_system = branch.system and party.branch_id = branch.branch_id
