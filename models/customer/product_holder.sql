-- The one customer in charge of each account, card and loan: the owner, cardholder or borrower, before joint
-- owners, co-borrowers and authorised users; guarantors never. So no balance is counted twice.
-- Grain: product_type, product_system, product_id.
with role as (
    select * from customer.party_role
)

select
    product_type,
    product_system,
    product_id,
    customer_id
from role
where product_type <> 'party' and role <> 'guarantor' and customer_id is not null
qualify row_number() over (
    partition by product_type, product_system, product_id
    order by
        list_position(
            ['owner', 'cardholder', 'borrower', 'joint_owner', 'co_borrower', 'authorised'], role
        ) nulls last,
        system,
        record_id
) = 1
