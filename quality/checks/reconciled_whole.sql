-- table: meta.reconciliation
-- severity: block
-- message: each delivered object is followed from its landing; products, transactions, records into a mart
with delivered as (
    select distinct
        system,
        object
    from meta.delivery
),

followed as (
    select
        system,
        object
    from meta.reconciliation
    where step = 'landed' and figure = 'rows'
)

select system
from delivered
anti join followed using (system, object)
union all
select needed.subject
from (values ('product'), ('transaction'), ('party')) as needed (subject)
anti join meta.reconciliation as mart on needed.subject = mart.subject and mart.step = 'customer_360'
where exists (from delivered)
