-- table: customer.customer
-- severity: block
-- message: the golden record shows the value that survived, and nothing where no record has one
with golden as (
    select
        customer_id,
        unnest(['full_name', 'birth_date', 'sex', 'mobile', 'phone', 'email']) as field,
        unnest([full_name, cast(birth_date as varchar), sex, mobile, phone, email]) as field_value
    from customer.customer
),

survived as (
    select
        customer_id,
        field,
        field_value
    from customer.customer_field
    where field_rank = 1
)

select
    golden.customer_id,
    golden.field
from golden
left join survived using (customer_id, field)
where golden.field_value is distinct from survived.field_value
