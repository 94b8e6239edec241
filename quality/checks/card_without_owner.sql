-- table: customer.card
-- severity: block
-- message: at most 1 in 100 cards of a system has no customer
select system
from customer.card
group by system
having count(*) filter (where customer_id is null) > 0.01 * count(*)
