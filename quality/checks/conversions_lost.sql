-- table: staging.conversion_loss
-- severity: warn
-- message: every value that a system delivered could be converted as its contract says
select
    system,
    source_object,
    column_name
from staging.conversion_loss
where lost_count > 0
