-- table: customer.customer_event
-- severity: block
-- message: every customer id has its check character (ISO 7064, MOD 37,36)
with issued as (
    select distinct
        customer_id,
        list_transform(
            string_split(customer_id, ''), lambda c: strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', c) - 1
        ) as digits
    from customer.customer_event
)

select customer_id
from issued
where
    list_min(digits) < 0
    -- from 18: each step doubles the rest (36 for 0) modulo 37 and adds the digit modulo 36; the end is 1
    or list_reduce(list_prepend(18, digits), lambda p, d: (if(p = 0, 36, p) * 2 % 37 + d) % 36) <> 1 --noqa
