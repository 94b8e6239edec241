-- Since when each customer has had products of a family: the first opening of an account, issue of a card
-- or start of a loan of it, empty where a product of it does not say. What has ended counts too.
-- Grain: customer_id, product_family.
with account as (
    select * from customer.account
),

card as (
    select * from customer.card
),

loan as (
    select * from customer.loan
),

product as (
    select
        customer_id,
        product_family,
        opened_date
    from account
    union all
    select
        customer_id,
        product_family,
        issued_date
    from card
    union all
    select
        customer_id,
        product_family,
        start_date
    from loan
)

select
    customer_id,
    product_family,
    if(count(*) = count(opened_date), min(opened_date), null) as first_opened_date
from product
where customer_id is not null and product_family is not null
group by customer_id, product_family
