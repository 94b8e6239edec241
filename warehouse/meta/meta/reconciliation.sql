-- Rows and money from the sender's control totals to the marts. Each walk (the columns of the key but the
-- last) goes by steps that say what there is, and between them steps that say what came or went: what
-- there is must be what there was with what came and went. First by object, without product or currency,
-- for the sender states none; what is staged of an object is the sum of its products and currencies, so
-- the walks hang together. Then by system, family and currency; then over all systems, for marts know
-- none.
-- Grain: subject, system, object, figure, product_family, currency_code, step_number.
with step as (
    select
        unnest(range(1, 22)) as step_number,
        unnest([
            'stated', 'unread', 'delivered', 'quarantined', 'released', 'forgotten',
            'landed', 'carried', 'superseded', 'current', 'by_contract',
            'unconverted', 'rounded', 'mapped', 'repeated', 'staged',
            'customer', 'without_holder', 'closed', 'customer_holding', 'customer_360'
        ]) as step,
        unnest([
            false, true, false, true, true, true,
            false, true, true, false, true,
            true, true, false, true, false,
            false, true, true, false, false
        ]) as is_movement
),

arrival as (
    select * from arrival.line
),

rate as (
    select * from staging.exchange_rate
),

holding as (
    select * from mart.customer_holding
),

mart as (
    select * from mart.customer_360
),

account as (
    select
        'staged' as step,
        system,
        source_object as object,
        product_family,
        currency_code,
        false as is_held,
        count(*) as row_count,
        0 as open_count,
        sum(balance_amount) as balance_amount
    from staging.account
    group by all
    union all
    select
        'customer',
        system,
        null,
        product_family,
        currency_code,
        customer_id is not null,
        count(*),
        count(*) filter (where coalesce(closed_date > $business_date, true)),
        sum(balance_amount)
    from customer.account
    group by all
),

card as (
    select
        'staged' as step,
        system,
        source_object as object,
        product_family,
        currency_code,
        false as is_held,
        count(*) as row_count,
        0 as open_count,
        sum(credit_limit_amount) as credit_limit_amount,
        sum(balance_amount) as balance_amount
    from staging.card
    group by all
    union all
    select
        'customer',
        system,
        null,
        product_family,
        currency_code,
        customer_id is not null,
        count(*),
        count(*) filter (where coalesce(expiry_date >= $business_date, true)),
        sum(credit_limit_amount),
        sum(balance_amount)
    from customer.card
    group by all
),

loan as (
    select
        'staged' as step,
        system,
        source_object as object,
        product_family,
        currency_code,
        false as is_held,
        count(*) as row_count,
        0 as open_count,
        sum(principal_amount) as principal_amount,
        sum(outstanding_amount) as outstanding_amount,
        sum(overdue_amount) as overdue_amount,
        cast(null as decimal(38, 2)) as base_overdue_amount
    from staging.loan
    group by all
    union all
    select
        'customer',
        loan.system,
        null,
        loan.product_family,
        loan.currency_code,
        loan.customer_id is not null,
        count(*),
        count(*) filter (
            where coalesce(loan.outstanding_amount > 0, loan.maturity_date >= $business_date, true)
        ),
        sum(loan.principal_amount),
        sum(loan.outstanding_amount),
        sum(loan.overdue_amount),
        sum(round(loan.overdue_amount * rate.exchange_rate, 2))
    from customer.loan
    left join rate using (currency_code)
    group by all
),

transaction as (
    select
        'staged' as step,
        system,
        source_object as object,
        currency_code,
        false as is_held,
        count(*) as row_count,
        sum(amount) filter (where direction = 'credit') as credit_amount,
        sum(amount) filter (where direction = 'debit') as debit_amount
    from staging.transaction
    group by all
    union all
    select
        'customer',
        system,
        null,
        currency_code,
        customer_id is not null,
        count(*),
        sum(amount) filter (where direction = 'credit'),
        sum(amount) filter (where direction = 'debit')
    from customer.transaction
    group by all
),

standing_order as (
    select
        'staged' as step,
        system,
        source_object as object,
        currency_code,
        count(*) as row_count,
        sum(amount) as amount
    from staging.standing_order
    group by all
    union all
    select
        'customer',
        system,
        null,
        currency_code,
        count(*),
        sum(amount)
    from customer.standing_order
    group by all
),

party as (
    select
        'staged' as step,
        system,
        count(*) as row_count
    from staging.party
    group by all
    union all
    select
        'customer',
        system,
        count(*)
    from customer.customer_record
    group by all
),

-- staged and customer, each figure a row
held as (
    select
        'account' as subject,
        step,
        system,
        object,
        product_family,
        currency_code,
        unnest(['rows', 'balance_amount']) as figure,
        unnest([row_count, balance_amount]) as amount
    from account
    union all
    select
        'card',
        step,
        system,
        object,
        product_family,
        currency_code,
        unnest(['rows', 'credit_limit_amount', 'balance_amount']),
        unnest([row_count, credit_limit_amount, balance_amount])
    from card
    union all
    select
        'loan',
        step,
        system,
        object,
        product_family,
        currency_code,
        unnest(['rows', 'principal_amount', 'outstanding_amount', 'overdue_amount']),
        unnest([row_count, principal_amount, outstanding_amount, overdue_amount])
    from loan
    union all
    select
        'transaction',
        step,
        system,
        object,
        null,
        currency_code,
        unnest(['rows', 'credit_amount', 'debit_amount']),
        unnest([row_count, credit_amount, debit_amount])
    from transaction
    union all
    select
        'standing_order',
        step,
        system,
        object,
        null,
        currency_code,
        unnest(['rows', 'amount']),
        unnest([row_count, amount])
    from standing_order
    union all
    select
        'party',
        step,
        system,
        null,
        null,
        null,
        'rows',
        row_count
    from party
),

-- what is staged of each object, over products and currencies
staged as (
    select
        subject,
        system,
        object,
        if(figure in ('credit_amount', 'debit_amount'), 'amount', figure) as figure,
        sum(coalesce(amount, 0)) as amount
    from held
    where step = 'staged' and object is not null
    group by all
),

-- an object's way into staging: rows staged of no known object have no step before, and are told; money that
-- is not only copied cannot be held against anything
object_line as (
    select
        subject,
        system,
        object,
        figure,
        step,
        amount
    from arrival
    union all
    select
        arrival.subject,
        arrival.system,
        arrival.object,
        arrival.figure,
        'staged',
        coalesce(staged.amount, 0)
    from arrival
    left join staged using (subject, system, object, figure)
    where arrival.step = 'mapped' and arrival.object is not null and arrival.subject <> 'party'
    union all
    select
        staged.subject,
        staged.system,
        staged.object,
        staged.figure,
        unnest(['mapped', 'staged']),
        unnest([null, staged.amount])
    from staged
    anti join arrival using (subject, system, object, figure)
    where staged.figure = 'rows'
),

system_line as (
    select
        subject,
        system,
        figure,
        product_family,
        currency_code,
        unnest([step, if(step = 'staged', 'customer', 'staged')]) as step,
        unnest([amount, null]) as amount
    from held
),

product as (
    select
        product_family,
        currency_code,
        is_held,
        row_count,
        open_count,
        balance_amount
    from account
    where step = 'customer'
    union all
    select
        product_family,
        currency_code,
        is_held,
        row_count,
        open_count,
        balance_amount
    from card
    where step = 'customer'
    union all
    select
        product_family,
        currency_code,
        is_held,
        row_count,
        open_count,
        outstanding_amount
    from loan
    where step = 'customer'
),

-- what the marts hold of all systems
bank_line as (
    select
        'product' as subject,
        'rows' as figure,
        product_family,
        currency_code,
        unnest(['customer', 'without_holder', 'closed', 'customer_holding']) as step,
        unnest([
            row_count, if(is_held, 0, -row_count), if(is_held, open_count - row_count, 0), 0
        ]) as amount
    from product
    union all
    select
        'product',
        'balance_amount',
        product_family,
        currency_code,
        unnest(['customer', 'without_holder', 'customer_holding']),
        unnest([coalesce(balance_amount, 0), if(is_held, 0, -coalesce(balance_amount, 0)), 0])
    from product
    union all
    select
        'product',
        unnest(['rows', 'rows', 'balance_amount', 'balance_amount']),
        product_family,
        currency_code,
        unnest(['customer_holding', 'customer', 'customer_holding', 'customer']),
        unnest([product_count, 0, coalesce(balance_amount, 0), 0])
    from holding
    union all
    select
        'product',
        'base_balance_amount',
        product_family,
        null,
        unnest(['customer_holding', 'customer_360']),
        unnest([coalesce(base_balance_amount, 0), 0])
    from holding
    where product_family <> 'debit_card'
    union all
    select
        'product',
        'base_balance_amount',
        replace(column_name, '_amount', ''),
        null,
        unnest(['customer_holding', 'customer_360']),
        unnest([0, family_amount])
    from mart
    unpivot (
        family_amount for column_name in (
            current_deposit_amount, savings_deposit_amount, term_deposit_amount, investment_amount,
            insurance_amount, credit_card_amount, mortgage_amount, consumer_loan_amount,
            business_loan_amount, other_amount
        )
    )
    union all
    select
        'product',
        case
            when product_family in ('current_deposit', 'savings_deposit', 'term_deposit')
                then 'total_deposit_amount'
            else 'total_debt_amount'
        end,
        null,
        null,
        unnest(['customer_holding', 'customer_360']),
        unnest([coalesce(base_balance_amount, 0), 0])
    from holding
    where
        product_family in (
            'current_deposit', 'savings_deposit', 'term_deposit',
            'credit_card', 'mortgage', 'consumer_loan', 'business_loan'
        )
    union all
    select
        'product',
        unnest(['total_deposit_amount', 'total_debt_amount']),
        null,
        null,
        'customer_360',
        unnest([total_deposit_amount, total_debt_amount])
    from mart
    union all
    select
        'loan',
        'base_overdue_amount',
        null,
        null,
        'customer',
        coalesce(base_overdue_amount, 0)
    from loan
    where is_held
    union all
    select
        'transaction',
        'rows',
        null,
        null,
        unnest(['customer', 'without_holder']),
        unnest([row_count, if(is_held, 0, -row_count)])
    from transaction
    where step = 'customer'
    union all
    select
        'party',
        'rows',
        null,
        null,
        'customer',
        row_count
    from party
    where step = 'customer'
    union all
    select
        unnest(['loan', 'transaction', 'party']),
        unnest(['base_overdue_amount', 'rows', 'rows']),
        null,
        null,
        'customer_360',
        unnest([overdue_debt_amount, transaction_count, record_count])
    from mart
),

line as (
    select
        subject,
        system,
        object,
        figure,
        null as product_family,
        null as currency_code,
        step,
        sum(amount) as amount
    from object_line
    group by all
    union all
    select
        subject,
        system,
        null,
        figure,
        product_family,
        currency_code,
        step,
        sum(amount)
    from system_line
    group by all
    union all
    select
        subject,
        null,
        null,
        figure,
        product_family,
        currency_code,
        step,
        sum(amount)
    from bank_line
    group by all
),

numbered as (
    select
        line.*,
        step.step_number,
        step.is_movement,
        coalesce(sum(if(step.is_movement, line.amount, 0)) over walk, 0) as moved_amount
    from line
    inner join step using (step)
    where not step.is_movement or line.amount <> 0
    window walk as (
        partition by
            line.subject, line.system, line.object, line.figure, line.product_family, line.currency_code
        order by step.step_number
    )
),

-- beside each step the last one before that says what there is, and what had come and gone by then
following as (
    select
        *,
        max(if(is_movement, null, step_number)) over earlier is not null as has_earlier,
        last_value(if(is_movement, null, coalesce(amount, 0)) ignore nulls) over earlier as earlier_amount,
        last_value(if(is_movement, null, amount is null) ignore nulls) over earlier as was_empty,
        last_value(if(is_movement, null, moved_amount) ignore nulls) over earlier as earlier_moved_amount
    from numbered
    window earlier as (
        partition by subject, system, object, figure, product_family, currency_code
        order by step_number
        rows between unbounded preceding and 1 preceding
    )
),

compared as (
    select
        *,
        has_earlier and not is_movement as is_compared,
        if(was_empty, null, earlier_amount + moved_amount - earlier_moved_amount) as due_amount
    from following
)

select
    subject,
    system,
    object,
    figure,
    product_family,
    currency_code,
    step_number,
    step,
    amount as step_amount,
    if(is_compared, due_amount, null) as expected_amount,
    if(is_compared, coalesce(amount, 0) - coalesce(due_amount, 0), null) as unexplained_amount,
    -- no amount at all is something else than nothing
    not is_compared or coalesce(amount = due_amount, amount is null and due_amount is null) as is_explained
from compared
