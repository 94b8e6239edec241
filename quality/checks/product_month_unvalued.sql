-- table: value.product_month
-- severity: warn
-- message: every product has a balance, its family parameters and its currency transfer prices in force
select
    product_family,
    currency_code
from value.product_month
where not is_valued
group by product_family, currency_code
