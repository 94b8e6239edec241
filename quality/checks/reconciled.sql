-- table: meta.reconciliation
-- severity: block
-- message: from the control totals to the marts every row and every cent is explained
select step
from meta.reconciliation
where not is_explained
