-- What was known of each debtor at month ends: the characteristics that the probability of default is
-- fitted on (past month ends) and judged by (those of $score_dates), by one and the same query. Nothing
-- dated after a month end is read. The terms of a loan are those that its performance tape tells at the month
-- end, so that a loan that has ended since keeps them; where the tape tells none, those of the loan file,
-- which are missing once it has left the file, and the scorecard gives no weight to that. The limit of a card
-- is taken as it stands.
-- Grain: customer_id, as_of_date.
with month_end as (
    select unnest($score_dates) as as_of_date
),

as_of as (
    select
        as_of_date,
        year(as_of_date) * 12 + month(as_of_date) as month_no
    from month_end
),

-- loans that left the loan file too
holder as (
    select
        product_system as system,
        product_id as loan_id,
        customer_id
    from customer.product_holder
    where product_type = 'loan'
    union
    select
        system,
        loan_id,
        customer_id
    from customer.ended_loan
    where customer_id is not null
),

account as (
    select * from customer.account
    where customer_id is not null
),

card as (
    select * from customer.card
    where customer_id is not null
),

loan as (
    select * from customer.loan
    where customer_id is not null
),

customer as (
    select
        customer_id,
        party_type
    from customer.customer
),

rate as (
    select * from staging.exchange_rate
),

activity as (
    select
        *,
        year(month) * 12 + month(month) as month_no
    from value.activity_month
),

performance as (
    select
        holder.customer_id,
        entry.system,
        entry.loan_id,
        entry.as_of_date,
        year(entry.as_of_date) * 12 + month(entry.as_of_date) as month_no,
        coalesce(entry.outstanding_amount, 0) as outstanding_amount,
        coalesce(entry.overdue_amount, 0) as overdue_amount,
        coalesce(entry.days_past_due, 0) as days_past_due,
        entry.product_code,
        entry.product_family,
        entry.currency_code,
        entry.principal_amount,
        entry.interest_rate,
        entry.start_date,
        coalesce(entry.term_months, date_diff('month', entry.start_date, entry.maturity_date)) as term_months
    from staging.loan_performance as entry
    inner join holder on entry.system = holder.system and entry.loan_id = holder.loan_id
    where entry.as_of_date <= (select max(as_of.as_of_date) from as_of)
),

-- the last state that each loan had in each month, and the worst
loan_month as (
    select
        customer_id,
        system,
        loan_id,
        month_no,
        arg_max(outstanding_amount, as_of_date) as outstanding_amount,
        arg_max(overdue_amount, as_of_date) as overdue_amount,
        arg_max(days_past_due, as_of_date) as days_past_due,
        max(days_past_due) as worst_days_past_due,
        arg_max(product_code, as_of_date) as product_code,
        arg_max(product_family, as_of_date) as product_family,
        arg_max(currency_code, as_of_date) as currency_code,
        arg_max(principal_amount, as_of_date) as principal_amount,
        arg_max(interest_rate, as_of_date) as interest_rate,
        arg_max(start_date, as_of_date) as start_date,
        arg_max(term_months, as_of_date) as term_months
    from performance
    group by customer_id, system, loan_id, month_no
),

highest as (
    select
        *,
        max(outstanding_amount) over (
            partition by system, loan_id
            order by month_no
        ) as highest_amount
    from loan_month
),

debt_month as (
    select
        customer_id,
        month_no,
        count(*) filter (where outstanding_amount > 0) as running_loan_count,
        sum(outstanding_amount) as outstanding_amount,
        sum(highest_amount) filter (where outstanding_amount > 0) as highest_amount,
        sum(overdue_amount) as overdue_amount,
        max(days_past_due) as days_past_due,
        max(worst_days_past_due) as worst_days_past_due
    from highest
    group by customer_id, month_no
),

served as (
    select
        *,
        max(worst_days_past_due) over (
            partition by customer_id
            order by month_no
            range between 2 preceding and current row
        ) as worst_days_past_due_3m,
        max(worst_days_past_due) over (
            partition by customer_id
            order by month_no
            range between 5 preceding and current row
        ) as worst_days_past_due_6m,
        max(worst_days_past_due) over (
            partition by customer_id
            order by month_no
            range between 11 preceding and current row
        ) as worst_days_past_due_12m,
        count(*) filter (where worst_days_past_due > 0) over (
            partition by customer_id
            order by month_no
            range between 11 preceding and current row
        ) as arrears_months_12m
    from debt_month
),

first_month_end as (
    select
        system,
        loan_id,
        min(as_of_date) as first_date
    from performance
    group by system, loan_id
),

-- loans of which no month end has been kept yet: who owes is known, how it was served is not
unkept as (
    select
        loan.*,
        as_of.as_of_date
    from loan
    inner join as_of on coalesce(loan.start_date, date '0001-01-01') <= as_of.as_of_date
    left join first_month_end using (system, loan_id)
    where
        loan.outstanding_amount > 0
        and coalesce(first_month_end.first_date, date '9999-12-31') > as_of.as_of_date
),

credit_card as (
    select
        card.customer_id,
        as_of.as_of_date,
        card.currency_code,
        card.credit_limit_amount
    from card
    inner join as_of
        on
            coalesce(card.issued_date, date '0001-01-01') <= as_of.as_of_date
            and coalesce(card.expiry_date, date '9999-12-31') > as_of.as_of_date
    where card.credit_limit_amount > 0 and card.status_code is distinct from 'cancelled'
),

debtor as (
    select
        served.customer_id,
        as_of.as_of_date
    from served
    inner join as_of using (month_no)
    where served.running_loan_count > 0
    union
    select
        customer_id,
        as_of_date
    from unkept
    union
    select
        customer_id,
        as_of_date
    from credit_card
),

owing as (
    select distinct customer_id from debtor
),

-- loans that ran at a month end, with their terms then
running as (
    select
        loan_month.customer_id,
        as_of.as_of_date,
        loan_month.system,
        coalesce(loan_month.product_family, loan.product_family) as product_family,
        coalesce(loan_month.product_code, loan.product_code) as product_code,
        coalesce(loan_month.currency_code, loan.currency_code) as currency_code,
        coalesce(loan_month.principal_amount, loan.principal_amount) as principal_amount,
        coalesce(loan_month.interest_rate, loan.interest_rate) as interest_rate,
        coalesce(loan_month.start_date, loan.start_date) as start_date,
        coalesce(
            loan_month.term_months, loan.term_months, date_diff('month', loan.start_date, loan.maturity_date)
        ) as term_months
    from loan_month
    inner join as_of using (month_no)
    left join loan using (system, loan_id)
    where loan_month.outstanding_amount > 0
    union all
    select
        customer_id,
        as_of_date,
        system,
        product_family,
        product_code,
        currency_code,
        principal_amount,
        interest_rate,
        start_date,
        coalesce(term_months, date_diff('month', start_date, maturity_date))
    from unkept
),

-- price of a loan against that of the others of its product that ran then
priced as (
    select
        running.customer_id,
        running.as_of_date,
        running.interest_rate - avg(running.interest_rate) over (
            partition by running.as_of_date, running.system, running.product_family, running.product_code
        ) as loan_rate_spread,
        date_diff('month', running.start_date, running.as_of_date) as months_on_book,
        round(running.principal_amount * rate.exchange_rate / nullif(running.term_months, 0), 2)
            as instalment_amount
    from running
    left join rate using (currency_code)
),

price as (
    select
        customer_id,
        as_of_date,
        avg(loan_rate_spread) as loan_rate_spread,
        max(months_on_book) as months_on_book,
        count(*) filter (where months_on_book < 12) as loans_opened_12m,
        sum(instalment_amount) as instalment_amount
    from priced
    group by customer_id, as_of_date
),

-- last balance known of each product at a month end, and three and twelve months before it
product as (
    select
        'account' as product_type,
        system,
        account_id as product_id,
        customer_id,
        opened_date
    from account
    union all
    select
        'card',
        system,
        card_id,
        customer_id,
        issued_date
    from card
    where credit_limit_amount > 0
),

step as (
    select unnest([0, 3, 12]) as months_before
),

moment as (
    select
        as_of.as_of_date,
        step.months_before,
        as_of.month_no - step.months_before as month_no
    from as_of
    cross join step
),

known as (
    select
        product.product_type,
        product.customer_id,
        activity.month_no,
        lead(activity.month_no) over (
            partition by product.product_type, product.system, product.product_id
            order by activity.month_no, activity.currency_code
        ) as next_month_no,
        if(
            rate.exchange_rate = 1,
            activity.last_balance_amount,
            cast(round(activity.last_balance_amount * rate.exchange_rate, 2) as decimal(18, 2))
        ) as balance_amount
    from activity
    inner join product using (product_type, system, product_id)
    inner join owing using (customer_id)
    left join rate on activity.currency_code = rate.currency_code
    where activity.last_balance_amount is not null
),

-- a balance stands until the next one
standing as (
    select
        product_type,
        customer_id,
        balance_amount,
        unnest(
            generate_series(
                month_no, coalesce(next_month_no - 1, (select max(as_of.month_no) from as_of))
            )
        ) as month_no
    from known
),

balance as (
    select
        standing.product_type,
        standing.customer_id,
        moment.as_of_date,
        moment.months_before,
        standing.balance_amount
    from standing
    inner join moment using (month_no)
    union all
    -- who holds a product of which no balance is known draws nothing
    select distinct
        null,
        product.customer_id,
        as_of.as_of_date,
        null,
        null
    from product
    inner join owing using (customer_id)
    cross join as_of
),

balances as (
    select
        customer_id,
        as_of_date,
        sum(balance_amount) filter (where product_type = 'account' and months_before = 0)
            as deposit_amount,
        sum(balance_amount) filter (where product_type = 'account' and months_before = 3)
            as deposit_amount_3m,
        sum(balance_amount) filter (where product_type = 'account' and months_before = 12)
            as deposit_amount_12m,
        greatest(
            -sum(balance_amount) filter (where product_type = 'card' and months_before = 0), 0
        ) as drawn_amount,
        greatest(
            -sum(balance_amount) filter (where product_type = 'card' and months_before = 3), 0
        ) as drawn_amount_3m
    from balance
    group by customer_id, as_of_date
),

limits as (
    select
        credit_card.customer_id,
        credit_card.as_of_date,
        sum(round(credit_card.credit_limit_amount * rate.exchange_rate, 2)) as limit_amount
    from credit_card
    left join rate using (currency_code)
    group by credit_card.customer_id, credit_card.as_of_date
),

movement as (
    select
        account.customer_id,
        activity.month_no,
        sum(
            if(
                rate.exchange_rate = 1,
                activity.credit_amount,
                cast(round(activity.credit_amount * rate.exchange_rate, 2) as decimal(18, 2))
            )
        ) as credit_amount,
        sum(
            if(
                rate.exchange_rate = 1,
                activity.debit_amount,
                cast(round(activity.debit_amount * rate.exchange_rate, 2) as decimal(18, 2))
            )
        ) as debit_amount,
        sum(
            if(
                rate.exchange_rate = 1,
                activity.salary_amount,
                cast(round(activity.salary_amount * rate.exchange_rate, 2) as decimal(18, 2))
            )
        ) as salary_amount,
        sum(
            if(
                rate.exchange_rate = 1,
                least(activity.cash_amount, 0),
                cast(round(least(activity.cash_amount, 0) * rate.exchange_rate, 2) as decimal(18, 2))
            )
        ) as cash_drawn_amount,
        sum(activity.initiated_count) as initiated_count
    from activity
    inner join account
        on
            activity.system = account.system
            and activity.product_id = account.account_id
            and activity.product_type = 'account'
    inner join owing on account.customer_id = owing.customer_id
    left join rate on activity.currency_code = rate.currency_code
    group by account.customer_id, activity.month_no
),

flow as (
    select
        movement.customer_id,
        as_of.as_of_date,
        as_of.month_no - movement.month_no as age,
        movement.credit_amount,
        movement.debit_amount,
        movement.salary_amount,
        movement.cash_drawn_amount,
        movement.initiated_count
    from movement
    inner join as_of on movement.month_no between as_of.month_no - 11 and as_of.month_no
),

flows as (
    select
        customer_id,
        as_of_date,
        sum(credit_amount) filter (where age < 6) / 6 as income_amount,
        sum(debit_amount) filter (where age < 3) as debit_amount_3m,
        sum(credit_amount) filter (where age < 3) as credit_amount_3m,
        sum(salary_amount) filter (where age < 3) as salary_amount_3m,
        sum(salary_amount) filter (where age between 3 and 5) as salary_amount_before,
        count(*) filter (where age < 6 and salary_amount > 0) as salary_months_6m,
        min(age) filter (where salary_amount > 0) as months_since_salary,
        -sum(cash_drawn_amount) filter (where age < 6) as cash_amount_6m,
        sum(debit_amount) filter (where age < 6) as debit_amount_6m,
        sum(initiated_count) filter (where age < 3) as initiated_count_3m
    from flow
    group by customer_id, as_of_date
),

-- loans that left the loan file were opened too
granted as (
    select
        system,
        loan_id,
        customer_id,
        start_date
    from performance
    union
    select
        system,
        loan_id,
        customer_id,
        start_date
    from loan
),

opened as (
    select
        customer_id,
        opened_date
    from product
    union all
    select
        customer_id,
        min(start_date) as opened_date
    from granted
    group by system, loan_id, customer_id
),

tenure as (
    select
        opened.customer_id,
        as_of.as_of_date,
        max(date_diff('month', opened.opened_date, as_of.as_of_date)) as tenure_months,
        count(*) as opened_product_count
    from opened
    inner join as_of on opened.opened_date <= as_of.as_of_date
    group by opened.customer_id, as_of.as_of_date
)

select
    debtor.customer_id,
    debtor.as_of_date,
    coalesce(served.running_loan_count > 0, false) as is_served,
    customer.party_type = 'organisation' as is_organisation,
    served.days_past_due as current_days_past_due,
    served.worst_days_past_due_3m,
    served.worst_days_past_due_6m,
    served.worst_days_past_due_12m,
    served.arrears_months_12m,
    served.running_loan_count,
    round(served.overdue_amount / nullif(served.outstanding_amount, 0), 6) as overdue_share,
    round(served.outstanding_amount / nullif(served.highest_amount, 0), 6) as outstanding_share,
    round(price.loan_rate_spread, 6) as loan_rate_spread,
    price.months_on_book,
    price.loans_opened_12m,
    round(price.instalment_amount / nullif(flows.income_amount, 0), 6) as instalment_to_income,
    round(balances.drawn_amount / nullif(limits.limit_amount, 0), 6) as card_utilisation,
    round((balances.drawn_amount - balances.drawn_amount_3m) / nullif(limits.limit_amount, 0), 6)
        as card_utilisation_change_3m,
    balances.deposit_amount,
    balances.deposit_amount_3m,
    round(balances.deposit_amount / nullif(served.outstanding_amount, 0), 6) as deposit_to_debt,
    round(
        (balances.deposit_amount - balances.deposit_amount_3m)
        / nullif(abs(balances.deposit_amount) + abs(balances.deposit_amount_3m), 0),
        6
    ) as deposit_change_3m,
    round(
        (balances.deposit_amount - balances.deposit_amount_12m)
        / nullif(abs(balances.deposit_amount) + abs(balances.deposit_amount_12m), 0),
        6
    ) as deposit_change_12m,
    round(flows.income_amount, 2) as income_amount,
    flows.salary_months_6m,
    flows.months_since_salary,
    round(
        (flows.salary_amount_3m - flows.salary_amount_before)
        / nullif(flows.salary_amount_3m + flows.salary_amount_before, 0),
        6
    ) as salary_change_3m,
    round(flows.debit_amount_3m / nullif(flows.credit_amount_3m, 0), 6) as spending_ratio_3m,
    round(flows.cash_amount_6m / nullif(flows.debit_amount_6m, 0), 6) as cash_share_6m,
    flows.initiated_count_3m,
    tenure.tenure_months,
    coalesce(tenure.opened_product_count, 0) as opened_product_count
from debtor
inner join as_of using (as_of_date)
inner join customer using (customer_id)
left join served on debtor.customer_id = served.customer_id and as_of.month_no = served.month_no
left join price using (customer_id, as_of_date)
left join balances using (customer_id, as_of_date)
left join limits using (customer_id, as_of_date)
left join flows using (customer_id, as_of_date)
left join tenure using (customer_id, as_of_date)
