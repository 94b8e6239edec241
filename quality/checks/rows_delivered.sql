-- table: meta.delivery
-- severity: block
-- message: rows delivered = rows landed + rows in quarantine
select
    system,
    object
from meta.delivery
where delivered_rows <> landed_rows + quarantined_rows
