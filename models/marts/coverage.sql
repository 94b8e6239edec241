-- Who is responsible for each customer on the business date: exactly one manager, or the team of a branch;
-- by which rule, and when and why that last changed. An assignment that stays keeps the rule and the words of
-- the night that made it, but where a system names the manager meanwhile, or no longer does.
-- Grain: customer_id.
with claim as (
    select * from value.coverage_claim
),

seat as (
    select * from value.coverage_seat
),

naming as (
    select
        customer_id,
        unnest(named_managers, recursive := true)
    from claim
),

tier as (
    select * from value.coverage_tier
),

manager as (
    select
        *,
        coalesce(manager_name || ' (' || manager_id || ')', manager_id) as label
    from customer.manager
),

branch as (
    select * from customer.branch
),

last_night as (
    select * from previous.mart__coverage
),

placed as (
    select
        claim.*,
        tier.manager_capacity,
        seat.manager_system,
        seat.manager_id,
        seat.seat_rule,
        manager.manager_name,
        manager.label,
        manager.team_name as manager_team_name,
        coalesce(claim.branch_system, if(manager.branch_id is null, null, manager.system))
            as known_branch_system,
        coalesce(claim.branch_id, manager.branch_id) as known_branch_id,
        claim.named_managers[1].manager_system as named_manager_system,
        claim.named_managers[1].manager_id as named_manager_id,
        claim.named_managers[1].named_by_system as named_by_system,
        'manager:' || claim.named_managers[1].manager_system || ':' || claim.named_managers[1].manager_id
            as named_code,
        own_naming.named_by_system as own_named_by_system
    from claim
    inner join tier on claim.policy_tier = tier.service_tier
    left join seat using (customer_id)
    left join manager on seat.manager_system = manager.system and seat.manager_id = manager.manager_id
    left join naming as own_naming
        on
            seat.customer_id = own_naming.customer_id
            and seat.manager_system = own_naming.manager_system
            and seat.manager_id = own_naming.manager_id
),

located as (
    select
        *,
        coalesce(known_branch_system, $coverage_home_system) as responsible_branch_system,
        coalesce(known_branch_id, $coverage_home_branch) as responsible_branch_id,
        coalesce(
            manager_team_name,
            if(party_type = 'person', $coverage_person_team, $coverage_organisation_team)
        ) as team_name
    from placed
),

responsible as (
    select
        *,
        if(
            manager_id is null,
            'team:' || coalesce(responsible_branch_system || ':' || responsible_branch_id, ':')
            || ':' || team_name,
            'manager:' || manager_system || ':' || manager_id
        ) as responsible_code
    from located
),

-- the one responsible last night, and what has become of it
compared as (
    select
        responsible.*,
        named.label as named_label,
        branch.branch_name,
        former.customer_id is not null as has_former,
        former.responsible_code as former_code,
        former.manager_system as former_manager_system,
        former.manager_id as former_manager_id,
        former.manager_id is not null and former_manager.manager_id is null as has_manager_left,
        coalesce(former.manager_name || ' (' || former.manager_id || ')', former.manager_id, former.team_name)
            as former_label,
        former.service_tier as former_tier,
        former.coverage_rule as former_rule,
        former.why as former_why,
        former.changed_on_date as former_changed_on_date,
        former.change_code as former_change_code,
        former.change_reason as former_change_reason,
        former.previous_responsible_code as former_previous_code,
        former.previous_manager_system as former_previous_manager_system,
        former.previous_manager_id as former_previous_manager_id,
        'manager:' || former.named_manager_system || ':' || former.named_manager_id as former_named_code,
        coalesce(former.responsible_code = responsible.responsible_code, false) as is_unchanged,
        (select count(*) from last_night) > 0 as is_known_before
    from responsible
    left join branch
        on
            responsible.responsible_branch_system = branch.system
            and responsible.responsible_branch_id = branch.branch_id
    left join manager as named
        on responsible.named_manager_system = named.system and responsible.named_manager_id = named.manager_id
    left join last_night as former on responsible.former_customer_id = former.customer_id
    left join manager as former_manager
        on former.manager_system = former_manager.system and former.manager_id = former_manager.manager_id
),

ruled as (
    select
        *,
        case
            when own_named_by_system is not null then 'named'
            when is_unchanged and former_rule in ('household', 'branch') then former_rule
            when manager_id is not null then seat_rule
            when served_by = 'team' then 'team_tier'
            when named_manager_id is not null then 'team_named_full'
            when served_by = 'manager' then 'team_branch_full'
            else 'team'
        end as coverage_rule,
        coalesce(service_tier, 'none') as tier_label,
        coalesce(branch_name, responsible_branch_id, 'the bank') as branch_label,
        team_name || ' of ' || coalesce(branch_name, responsible_branch_id, 'the bank') as team_label
    from compared
),

worded as (
    select
        *,
        case
            when
                is_unchanged and coverage_rule = former_rule
                and coverage_rule in ('household', 'branch', 'kept')
                then former_why
            when coverage_rule = 'named' and responsible_code = named_code
                then label || ' is named by ' || named_by_system || '.'
            when coverage_rule = 'named'
                then
                    label || ' is named by ' || own_named_by_system || '; ' || named_label || ', whom '
                    || named_by_system || ' names, had no room.'
            when coverage_rule = 'household'
                then label || ' looks after another member of the household, and households stay together.'
            when coverage_rule = 'branch'
                then
                    'Tier ' || tier_label || ' needs a manager; of those of ' || branch_label
                    || ' with room ' || label || ' had fewest customers of the tier.'
            when coverage_rule = 'kept'
                then label || ' looked after the customer before, and no system names another with room.'
            when coverage_rule = 'team_tier'
                then 'Tier ' || tier_label || ' is looked after by the team: ' || team_label || '.'
            when coverage_rule = 'team_named_full'
                then
                    named_label || ', named by ' || named_by_system || ', has no room for more than '
                    || manager_capacity || ' customers of tier ' || tier_label
                    || ', and others came first: ' || team_label || ', until there is room.'
            when coverage_rule = 'team_branch_full'
                then
                    'Tier ' || tier_label || ' needs a manager, but nobody is named and nobody of '
                    || branch_label || ' has room: ' || team_label || ', until somebody has.'
            else 'No system names a manager, and tier ' || tier_label || ' needs none: ' || team_label || '.'
        end as why,
        case
            when not is_known_before then 'first_night'
            when not has_former then 'new_customer'
            when is_unchanged then former_change_code
            when has_manager_left then 'manager_left'
            when seat_rule = 'kept' and former_manager_id is null then 'merged'
            when
                responsible_code = named_code and coalesce(named_code <> former_named_code, true)
                then 'named'
            when coalesce(service_tier, '') <> coalesce(former_tier, '') then 'tier'
            when former_manager_id is not null and manager_id is null then 'no_room'
            when former_manager_id is null and manager_id is null then 'branch'
            when coverage_rule = 'household' then 'household'
            else 'room'
        end as change_code
    from ruled
)

select
    customer_id,
    responsible_code,
    manager_system,
    manager_id,
    manager_name,
    team_name,
    responsible_branch_system as branch_system,
    responsible_branch_id as branch_id,
    service_tier,
    coverage_rule,
    why,
    named_manager_system,
    named_manager_id,
    if(is_unchanged, former_previous_code, former_code) as previous_responsible_code,
    if(is_unchanged, former_previous_manager_system, former_manager_system) as previous_manager_system,
    if(is_unchanged, former_previous_manager_id, former_manager_id) as previous_manager_id,
    if(is_unchanged, former_changed_on_date, $business_date) as changed_on_date,
    change_code,
    case
        when is_unchanged then former_change_reason
        when change_code = 'first_night' then 'First night of coverage: nothing is known of before.'
        when change_code = 'new_customer' then 'The customer is new.'
        when change_code = 'manager_left' then former_label || ' is no longer a manager of the bank.'
        when change_code = 'merged'
            then
                'The customer became one with another, whom ' || label || ' looked after; before: '
                || former_label || '.'
        when change_code = 'named'
            then named_by_system || ' names ' || label || ' now; before: ' || former_label || '.'
        when change_code = 'tier'
            then
                'The tier went from ' || coalesce(former_tier, 'none') || ' to ' || tier_label || '; before: '
                || former_label || '.'
        when change_code = 'no_room'
            then
                former_label || ' has no room for so many customers of tier ' || tier_label
                || ', and others come first.'
        when change_code = 'branch'
            then 'Another branch or team is in charge now; before: ' || former_label || '.'
        when change_code = 'household'
            then 'A manager looks after the household now; before: ' || former_label || '.'
        else label || ' has room now; before: ' || former_label || '.'
    end as change_reason,
    assets_amount,
    contribution_12m_amount
from worded
