-- table: customer.account
-- severity: block
-- message: at most 1 in 100 accounts of a system has no customer
select system
from customer.account
group by system
having count(*) filter (where customer_id is null) > 0.01 * count(*)
