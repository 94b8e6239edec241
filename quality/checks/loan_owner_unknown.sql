-- table: customer.loan
-- severity: warn
-- message: every loan has a customer
select
    system,
    loan_id
from customer.loan
where customer_id is null
