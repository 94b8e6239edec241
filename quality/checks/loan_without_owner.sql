-- table: customer.loan
-- severity: block
-- message: at most 1 in 100 loans of a system has no customer
select system
from customer.loan
group by system
having count(*) filter (where customer_id is null) > 0.01 * count(*)
