-- table: meta.delivery
-- severity: block
-- message: rows delivered + rows released = rows landed + rows in quarantine + rows of forgotten parties
select
    system,
    object
from meta.delivery
where delivered_rows + released_rows <> landed_rows + quarantined_rows + forgotten_rows
