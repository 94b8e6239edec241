-- table: identity.refused_merge
-- severity: warn
-- message: customers who carry one valid strong document are listed for the stewards
with bearer as (
    select distinct
        document.document_type,
        document.document_number,
        party.party_type,
        cluster.cluster_no
    from identity.party_document as document
    inner join identity.party_standard as party using (system, record_id)
    inner join identity.party_node using (system, record_id)
    inner join identity.cluster as cluster using (node_id)
    where document.is_strong
),

shared as (
    select distinct
        l.cluster_no as one,
        r.cluster_no as other
    from bearer as l
    inner join bearer as r using (document_type, document_number, party_type)
    where l.cluster_no < r.cluster_no
),

listed as (
    select
        least(l.cluster_no, r.cluster_no) as one,
        greatest(l.cluster_no, r.cluster_no) as other
    from identity.refused_merge as refused
    inner join identity.cluster as l on refused.node_id_l = l.node_id
    inner join identity.cluster as r on refused.node_id_r = r.node_id
)

select
    one,
    other
from shared
anti join listed using (one, other)
