-- Every candidate value of every golden field, ranked by the bank's survivorship rules; rank 1 survives.
-- Grain: customer_id, field, field_rank.
-- Rules ($survivorship, one a field): criteria in their order, each a number of which the larger wins; the
-- next decides where one is equal, the record's key where all are.
with record as (
    select * from customer.customer_record
),

party as (
    select * from staging.party
),

standard as (
    select * from identity.party_standard
),

document as (
    select * from identity.party_document
),

contact as (
    select * from identity.party_contact
),

-- is_only_one: the record's standardised region can only be this address's
address as (
    select
        *,
        count(*) over (partition by system, record_id) = 1 as is_only_one
    from staging.party_address
),

rule as (
    select unnest(
        cast(
            $survivorship as struct(
                field varchar,
                criteria varchar[],
                systems varchar[],
                trusts double[],
                half_life_days double
            )[]
        ),
        max_depth := 2
    )
),

named as (
    select
        party.*,
        standard.name_standard,
        standard.birth_date as standard_birth_date,
        standard.sex as standard_sex,
        standard.address_region,
        coalesce(
            trim(party.full_name),
            nullif(trim(concat_ws(' ', trim(party.given_name), trim(party.family_name))), '')
        ) as display_name
    from party
    inner join standard using (system, record_id)
),

-- region: its levels as standardised, from the text where the source has no fields for them
read_address as (
    select
        address.*,
        named.updated_at,
        string_split(if(address.is_only_one, named.address_region, null), '|') as region
    from address
    inner join named using (system, record_id)
),

-- is_valid: the value can be trusted in itself. agreement: what counts as the same value in another record.
candidate as (
    select
        system,
        record_id,
        updated_at,
        'full_name' as field,
        display_name as field_value,
        coalesce(name_standard, display_name) as agreement,
        not contains(display_name, '*') and not (party_type = 'person' and name_standard is null) as is_valid
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'birth_date',
        cast(standard_birth_date as varchar),
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'sex',
        standard_sex,
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'nationality',
        nationality,
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'occupation',
        occupation,
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'industry',
        industry,
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'branch',
        branch_id,
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'manager',
        manager_id,
        null,
        true
    from named
    union all
    select
        document.system,
        document.record_id,
        named.updated_at,
        'document',
        document.document_type || ':' || document.document_number,
        null,
        document.is_strong
    from document
    inner join named using (system, record_id)
    where document.is_valid or not contains(document.document_number, '*')
    union all
    select
        contact.system,
        contact.record_id,
        coalesce(contact.seen_date, named.updated_at),
        contact.contact_type,
        contact.contact_value,
        null,
        contact.is_identifying
    from contact
    inner join named using (system, record_id)
    union all
    select
        system,
        record_id,
        updated_at,
        'address',
        cast(to_json({
            'province': coalesce(nullif(region[1], ''), province),
            'city': coalesce(nullif(region[2], ''), city),
            'district': coalesce(nullif(region[3], ''), district),
            'address_text': address_text, 'postcode': postcode, 'country': country
        }) as varchar),
        null,
        address_type in ('home', 'registered')
    from read_address
),

-- one row per record and value, so that a value written twice in one record is not twice the evidence
distinct_candidate as (
    select
        record.customer_id,
        candidate.field,
        candidate.field_value,
        candidate.system,
        candidate.record_id,
        max(coalesce(candidate.agreement, candidate.field_value)) as agreement,
        bool_or(candidate.is_valid) as is_valid,
        max(candidate.updated_at) as updated_at
    from candidate
    inner join record using (system, record_id)
    where candidate.field_value is not null
    group by all
),

-- one number for each criterion; a value without a date is as old as one half-life
measured as (
    select
        candidate.customer_id,
        candidate.field,
        candidate.field_value,
        candidate.system,
        candidate.record_id,
        rule.criteria,
        cast(candidate.is_valid as double) as validity,
        cast(count(*) over agreeing as double) as most_frequent,
        round(
            coalesce(rule.trusts[list_position(rule.systems, candidate.system)], 0)
            * case
                when rule.half_life_days is null then 1
                when candidate.updated_at is null then 0.5
                else
                    pow(
                        0.5, greatest(date_diff('day', candidate.updated_at, $business_date), 0)
                        / rule.half_life_days
                    )
            end,
            9
        ) as trust,
        coalesce(epoch(candidate.updated_at), -1e12) as recency,
        cast(
            length(
                replace(
                    case
                        -- of an address the parts that are given
                        when candidate.field = 'address'
                            then array_to_string(json_extract_string(candidate.field_value, '$.*'), '')
                        else candidate.field_value
                    end,
                    '*',
                    ''
                )
            ) as double
        ) as completeness
    from distinct_candidate as candidate
    inner join rule using (field)
    window agreeing as (partition by candidate.customer_id, candidate.field, candidate.agreement)
),

scored as (
    select
        *,
        list_transform(
            criteria,
            lambda criterion: case criterion
                when 'validity' then validity
                when 'most_frequent' then most_frequent
                when 'trust' then trust
                when 'recency' then recency
                else completeness
            end
        ) as scores
    from measured
),

ranked as (
    select
        *,
        row_number() over rivals as field_rank,
        if(field_value is distinct from lag(field_value) over rivals, scores, null) as scores_of_another
    from scored
    window rivals as (
        partition by customer_id, field
        order by scores desc, system asc, record_id asc, field_value asc
    )
),

-- next_scores: of the first candidate behind that says something else
compared as (
    select
        *,
        lead(scores_of_another ignore nulls) over (
            partition by customer_id, field
            order by field_rank
        ) as next_scores
    from ranked
)

select
    customer_id,
    field,
    field_rank,
    field_value,
    system,
    record_id,
    case
        when next_scores is null and field_rank = 1 then 'only_value'
        when next_scores is not null then coalesce(
            criteria[list_position(
                list_transform(range(1, len(scores) + 1), lambda n: scores[n] > next_scores[n]), true
            )],
            'record_key'
        )
    end as decisive_criterion
from compared
