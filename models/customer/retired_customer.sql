-- Customer ids that live no more, each with the living customer that it means now: where most of its last
-- records are tonight; where none is delivered, the customer that they went to, or what became of that one.
-- Grain: customer_id.
with recursive history as (
    select * from customer.customer_record_history
),

retired as (
    select
        customer_id,
        max(valid_to) as retired_date
    from history
    group by customer_id
    having count(*) = count(valid_to)
),

-- where each record is, or was when it was last delivered
latest as (
    select
        system,
        record_id,
        arg_max(customer_id, valid_from) as customer_id,
        bool_or(valid_to is null) as is_delivered
    from history
    group by system, record_id
),

-- always retired later than the id itself, or never: the trail has an end
successor as (
    select
        retired.customer_id,
        latest.customer_id as successor_id,
        bool_or(latest.is_delivered) as is_delivered
    from retired
    inner join history
        on retired.customer_id = history.customer_id and retired.retired_date = history.valid_to
    inner join latest on history.system = latest.system and history.record_id = latest.record_id
    where latest.customer_id <> retired.customer_id
    group by retired.customer_id, latest.customer_id
    qualify row_number() over (
        partition by retired.customer_id
        order by
            count(*) filter (where latest.is_delivered) desc,
            count(*) desc,
            min(struct_pack(system := history.system, record_id := history.record_id))
    ) = 1
),

trail as (
    select
        customer_id,
        successor_id as reached_id,
        is_delivered
    from successor
    union all
    select
        trail.customer_id,
        successor.successor_id,
        false
    from trail
    inner join successor on trail.reached_id = successor.customer_id
),

living as (
    select * from trail
    where reached_id not in (select retired.customer_id from retired)
)

select
    retired.customer_id,
    retired.retired_date,
    living.reached_id as living_customer_id,
    case
        when living.reached_id is null then 'gone'
        when living.is_delivered then 'records'
        else 'successor'
    end as resolution
from retired
left join living using (customer_id)
