-- table: customer.relationship
-- severity: block
-- message: both ends of a relationship are living customers, and two different ones
with relationship as (
    select * from customer.relationship
),

customer as (
    select * from customer.customer
)

select
    relationship.customer_id,
    relationship.related_customer_id
from relationship
left join customer using (customer_id)
left join customer as other on relationship.related_customer_id = other.customer_id
where
    customer.customer_id is null
    or other.customer_id is null
    or relationship.customer_id = relationship.related_customer_id
