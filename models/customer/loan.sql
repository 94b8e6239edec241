-- Loans with the customer that borrowed them; a product of several customers is listed once, under the first
-- in charge (owner, cardholder, borrower before joint roles); customer.party_role names them all.
-- Grain: system, loan_id.
with loan as (
    select * from staging.loan
),

holder as (
    select * from customer.product_holder
    where product_type = 'loan'
)

select
    holder.customer_id,
    loan.system,
    loan.loan_id,
    loan.account_id,
    loan.product_code,
    loan.product_family,
    loan.currency_code,
    loan.principal_amount,
    loan.outstanding_amount,
    loan.overdue_amount,
    loan.days_past_due,
    loan.interest_rate,
    loan.start_date,
    loan.maturity_date,
    loan.term_months,
    loan.status_code,
    loan.branch_id
from loan
left join holder on loan.system = holder.product_system and loan.loan_id = holder.product_id
