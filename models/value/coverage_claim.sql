-- What speaks for whom in the coverage of each customer: tier and value, household, branch, the managers
-- that the systems name, and the one who looked after the customer last night. Last night's customers are
-- followed through their records: one that was merged brings its manager along where the customer itself had
-- none, one that came out of another keeps that one's.
-- Grain: customer_id.
with customer as (
    select * from customer.customer
),

record as (
    select * from customer.customer_record
),

naming as (
    select * from value.coverage_naming
),

manager as (
    select * from customer.manager
),

household as (
    select * from customer.household
),

segment as (
    select * from mart.customer_segment
),

tier as (
    select * from value.coverage_tier
),

last_night as (
    select * from previous.mart__coverage
),

last_record as (
    select * from previous.customer__customer_record
),

-- an id of another customer counts where that one lives no more, or where the customer itself is new
former_id as (
    select
        customer_id,
        customer_id as former_customer_id,
        true as is_own,
        0 as record_count
    from last_night
    semi join customer using (customer_id)
    union all
    select
        record.customer_id,
        last_record.customer_id as former_customer_id,
        false as is_own,
        count(*) as record_count
    from record
    inner join last_record using (system, record_id)
    where
        record.customer_id <> last_record.customer_id
        and (
            last_record.customer_id not in (select living.customer_id from customer as living)
            or record.customer_id not in (select known.customer_id from last_night as known)
        )
    group by record.customer_id, last_record.customer_id
),

former as (
    select
        former_id.customer_id,
        former_id.former_customer_id,
        last_night.manager_system,
        last_night.manager_id,
        last_night.named_manager_system || ':' || last_night.named_manager_id as named_code,
        manager.manager_id is not null as has_manager,
        row_number() over (
            partition by former_id.customer_id
            order by former_id.is_own desc, former_id.record_count desc, former_id.former_customer_id asc
        ) as former_rank
    from former_id
    inner join last_night on former_id.former_customer_id = last_night.customer_id
    left join manager
        on last_night.manager_system = manager.system and last_night.manager_id = manager.manager_id
),

former_self as (
    select * from former
    where former_rank = 1
),

kept as (
    select
        customer_id,
        manager_system as kept_manager_system,
        manager_id as kept_manager_id,
        manager_system || ':' || manager_id as kept_code
    from former
    where has_manager
    qualify row_number() over (partition by customer_id order by former_rank) = 1
),

named_once as (
    select
        customer_id,
        manager_system,
        manager_id,
        manager_system || ':' || manager_id as manager_code,
        min(system_rank) as system_rank,
        arg_min(system, (system_rank, system)) as named_by_system,
        max(updated_at) as updated_at
    from naming
    where is_manager_known
    group by customer_id, manager_system, manager_id
),

named as (
    select
        named_once.customer_id,
        list(
            struct_pack(
                manager_system := named_once.manager_system,
                manager_id := named_once.manager_id,
                named_by_system := named_once.named_by_system
            )
            order by
                named_once.system_rank asc,
                coalesce(named_once.manager_code = kept.kept_code, false) desc,
                named_once.updated_at desc nulls last,
                named_once.manager_system asc,
                named_once.manager_id asc
        ) as named_managers,
        named_managers[1].manager_system || ':' || named_managers[1].manager_id as named_code
    from named_once
    left join kept using (customer_id)
    group by named_once.customer_id
),

-- the golden record's branch first; where it is none of the bank's, another that a record names
branch_known as (
    select
        naming.customer_id,
        naming.branch_system,
        naming.branch_id
    from naming
    inner join customer using (customer_id)
    where naming.is_branch_known
    qualify row_number() over (
        partition by naming.customer_id
        order by
            naming.system is not distinct from customer.branch_system
            and naming.branch_id is not distinct from customer.branch_id desc,
            naming.system_rank asc,
            naming.system asc,
            naming.record_id asc
    ) = 1
),

tiered as (
    select
        customer.customer_id,
        customer.party_type,
        segment.service_tier,
        segment.assets_amount,
        segment.contribution_12m_amount,
        coalesce(tier.service_tier, '*') as policy_tier
    from customer
    left join segment using (customer_id)
    left join tier using (service_tier)
)

select
    tiered.customer_id,
    tiered.party_type,
    tiered.service_tier,
    tiered.policy_tier,
    tier.coverage_rank,
    tier.served_by,
    coalesce(tiered.assets_amount, 0) as assets_amount,
    coalesce(tiered.contribution_12m_amount, 0) as contribution_12m_amount,
    household.household_id,
    household.household_size,
    branch_known.branch_system,
    branch_known.branch_id,
    coalesce(named.named_managers, []) as named_managers,
    former_self.former_customer_id,
    kept.kept_manager_system,
    kept.kept_manager_id,
    coalesce(
        named.named_code is distinct from former_self.named_code and named.named_code <> kept.kept_code, false
    ) as is_named_anew
from tiered
inner join tier on tiered.policy_tier = tier.service_tier
left join household using (customer_id)
left join branch_known using (customer_id)
left join named using (customer_id)
left join former_self using (customer_id)
left join kept using (customer_id)
