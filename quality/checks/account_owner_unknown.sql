-- table: customer.account
-- severity: warn
-- message: every account has a customer
select
    system,
    account_id
from customer.account
where customer_id is null
