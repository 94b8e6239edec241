-- table: customer.relationship
-- severity: block
-- message: household, co-borrower, joint owner and sister company hold both ways
with relationship as (
    select * from customer.relationship
    where relationship in ('household', 'co_borrower', 'joint_owner', 'sister_company')
)

select
    relationship.customer_id,
    relationship.related_customer_id
from relationship
anti join relationship as other
    on
        relationship.customer_id = other.related_customer_id
        and relationship.related_customer_id = other.customer_id
        and relationship.relationship = other.relationship
