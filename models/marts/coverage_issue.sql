-- What is wrong with the coverage of customers: overlaps between departments, gaps, split households,
-- managers without room; graver ones first, then those with more money at stake. A customer may have several
-- issues: add up money by customer, never by issue.
-- Grain: customer_id, issue_code.
with coverage as (
    select * from mart.coverage
),

claim as (
    select * from value.coverage_claim
),

naming as (
    select * from value.coverage_naming
),

tier as (
    select * from value.coverage_tier
),

mart as (
    select * from mart.customer_360
),

manager as (
    select
        *,
        coalesce(manager_name || ' (' || manager_id || ')', manager_id) as label
    from customer.manager
),

named as (
    select
        claim.customer_id,
        unnest(claim.named_managers, recursive := true),
        generate_subscripts(claim.named_managers, 1) as place
    from claim
    where len(claim.named_managers) > 0
),

named_labelled as (
    select
        named.*,
        manager.label,
        manager.team_name,
        manager.branch_id
    from named
    inner join manager on named.manager_system = manager.system and named.manager_id = manager.manager_id
),

overlap as (
    select
        customer_id,
        'overlap' as issue_code,
        if(count(distinct coalesce(team_name, '')) > 1, 'high', 'medium') as issue_severity,
        arg_min(manager_system, place) as manager_system,
        arg_min(manager_id, place) as manager_id,
        string_agg(
            named_by_system || ' names ' || label || coalesce(' of ' || team_name, ''), '; ' order by place
        ) as finding
    from named_labelled
    group by customer_id
    having count(*) > 1
),

-- tier, room and branch: at most one row of each kind a customer
state as (
    select
        coverage.*,
        tier.served_by,
        tier.manager_capacity,
        coalesce(coverage.service_tier, 'none') as tier_label,
        coalesce(manager.label, coverage.team_name) as responsible_label,
        manager.branch_id as manager_branch_id,
        claim.branch_id as known_branch_id,
        claim.branch_system as known_branch_system,
        claim.household_id,
        first_named.label as named_label,
        first_named.named_by_system
    from coverage
    inner join claim using (customer_id)
    inner join tier on claim.policy_tier = tier.service_tier
    left join manager on coverage.manager_system = manager.system and coverage.manager_id = manager.manager_id
    left join named_labelled as first_named
        on coverage.customer_id = first_named.customer_id and first_named.place = 1
),

manager_left as (
    select
        customer_id,
        'manager_left' as issue_code,
        if(manager_id is null and served_by = 'manager', 'high', 'medium') as issue_severity,
        previous_manager_system as manager_system,
        previous_manager_id as manager_id,
        change_reason || ' ' || responsible_label || ' is responsible instead.' as finding
    from state
    where change_code = 'manager_left' and (manager_id is null or changed_on_date = $business_date)
),

manager_missing as (
    select
        customer_id,
        'manager_missing' as issue_code,
        'high' as issue_severity,
        null as manager_system,
        null as manager_id,
        why as finding
    from state
    where served_by = 'manager' and manager_id is null
),

nobody_named as (
    select
        customer_id,
        'nobody_named' as issue_code,
        'low' as issue_severity,
        manager_system,
        manager_id,
        'No system names a manager; ' || responsible_label || ' is responsible by rule.' as finding
    from state
    where served_by = 'manager' and manager_id is not null and named_manager_id is null
),

over_capacity as (
    select
        customer_id,
        'over_capacity' as issue_code,
        if(served_by = 'manager', 'high', 'medium') as issue_severity,
        named_manager_system as manager_system,
        named_manager_id as manager_id,
        named_by_system || ' names ' || named_label || ', who had no room in tier ' || tier_label || ' ('
        || manager_capacity || '); ' || responsible_label || ' is responsible.' as finding
    from state
    where
        served_by <> 'team'
        and named_manager_id is not null
        and manager_capacity is not null
        and responsible_code <> 'manager:' || named_manager_system || ':' || named_manager_id
),

branch_mismatch as (
    select
        customer_id,
        'branch_mismatch' as issue_code,
        'low' as issue_severity,
        manager_system,
        manager_id,
        responsible_label || ' is of branch ' || manager_branch_id || ', the customer of branch '
        || known_branch_id || '.' as finding
    from state
    where manager_system || ':' || manager_branch_id <> known_branch_system || ':' || known_branch_id
),

no_branch as (
    select
        customer_id,
        'no_branch' as issue_code,
        'medium' as issue_severity,
        manager_system,
        manager_id,
        'No system names a branch that there is; ' || responsible_label || ' is responsible.' as finding
    from state
    where known_branch_id is null
),

household_split as (
    select
        customer_id,
        'household_split' as issue_code,
        'medium' as issue_severity,
        manager_system,
        manager_id,
        'Members of the household have ' || household_manager_count || ' managers; this one has '
        || responsible_label || '.' as finding
    from (
        select
            *,
            count(distinct responsible_code) over (partition by household_id) as household_manager_count
        from state
        where household_id is not null and manager_id is not null
    ) as member
    where household_manager_count > 1
),

unknown_manager as (
    select
        customer_id,
        'unknown_manager' as issue_code,
        'medium' as issue_severity,
        arg_min(manager_system, (system_rank, system, record_id)) as manager_system,
        arg_min(manager_id, (system_rank, system, record_id)) as manager_id,
        string_agg(
            distinct system || ' names ' || manager_id, '; ' order by system || ' names ' || manager_id
        )
        || ': not in tonight''s list of managers.' as finding
    from naming
    where manager_id is not null and not is_manager_known
    group by customer_id
),

unknown_branch as (
    select
        customer_id,
        'unknown_branch' as issue_code,
        'low' as issue_severity,
        null as manager_system,
        null as manager_id,
        string_agg(distinct system || ' names ' || branch_id, '; ' order by system || ' names ' || branch_id)
        || ': not in tonight''s list of branches.' as finding
    from naming
    where branch_id is not null and not is_branch_known
    group by customer_id
),

issue as (
    from overlap
    union all by name
    from manager_left
    union all by name
    from manager_missing
    union all by name
    from nobody_named
    union all by name
    from over_capacity
    union all by name
    from branch_mismatch
    union all by name
    from no_branch
    union all by name
    from household_split
    union all by name
    from unknown_manager
    union all by name
    from unknown_branch
)

select
    issue.customer_id,
    issue.issue_code,
    issue.issue_severity,
    row_number() over (
        order by
            list_position(['high', 'medium', 'low'], issue.issue_severity) asc,
            coverage.assets_amount + mart.total_debt_amount desc,
            issue.customer_id asc,
            issue.issue_code asc
    ) as issue_rank,
    issue.manager_system,
    issue.manager_id,
    coverage.responsible_code,
    coverage.branch_system,
    coverage.branch_id,
    coverage.service_tier,
    coverage.assets_amount + mart.total_debt_amount as at_stake_amount,
    issue.finding,
    case issue.issue_code
        when 'overlap' then 'Agree on one manager and enter that one in every system.'
        when 'manager_left' then 'Name a successor in the system that named the manager who left.'
        when 'manager_missing' then 'Name a manager with room, or staff the branch.'
        when 'nobody_named' then 'Enter the manager in the system, or name another.'
        when 'over_capacity' then 'Name a manager with room, or raise the capacity of the tier in value.yaml.'
        when 'branch_mismatch'
            then 'Move the customer to the branch of the manager, or name a manager of the branch.'
        when 'no_branch' then 'Enter the branch in charge.'
        when 'household_split'
            then 'Agree on one manager for the household, or leave it if the members want it so.'
        when 'unknown_manager'
            then 'Correct the code, or add the manager to the list that the system delivers.'
        when 'unknown_branch' then 'Correct the code: the branch is closed, or there never was one.'
    end as remedy
from issue
inner join coverage using (customer_id)
inner join mart using (customer_id)
