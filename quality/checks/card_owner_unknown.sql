-- table: customer.card
-- severity: warn
-- message: every card has a customer
select
    system,
    card_id
from customer.card
where customer_id is null
