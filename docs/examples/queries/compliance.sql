-- Ten questions of compliance to its share: the whole identity, because the law demands to know the customer.

-- 1. Who is this? All records of one customer. | 客户身份全貌
select
    customer.customer_id,
    customer.full_name,
    customer.document_type,
    customer.document_number,
    list(record.system || ':' || record.record_id order by record.system, record.record_id) as records
from customer.customer as customer
inner join customer.customer_record as record using (customer_id)
group by all
order by count(*) desc, customer.customer_id
limit 20;

-- 2. Customers without a document: due diligence is missing. | 无证件信息的客户
select
    party_type,
    count(*) as customers
from customer.customer
where document_number is null
group by all
order by customers desc;

-- 3. Customers without a nationality, address or occupation. | 身份要素缺失统计
select
    count(*) as persons,
    count(*) filter (where nationality is null) as without_nationality,
    count(*) filter (where address_text is null) as without_address,
    count(*) filter (where occupation is null) as without_occupation
from customer.customer
where party_type = 'person';

-- 4. Non-resident documents. | 非居民证件客户
select
    document_type,
    nationality,
    count(*) as customers
from customer.customer
where document_type <> 'resident_id' and party_type = 'person'
group by all
order by customers desc, document_type asc;

-- 5. Large cash: what was booked in cash at or above 50,000 in a day. | 单日大额现金
select
    customer_id,
    booked_date,
    direction,
    currency_code,
    sum(amount) as cash_amount
from customer.transaction
where transaction_kind = 'cash'
group by all
having sum(amount) >= 50000
order by cash_amount desc, customer_id asc, booked_date asc;

-- 6. Split amounts: several movements just below the threshold within a day. | 疑似拆分交易
select
    customer_id,
    booked_date,
    count(*) as movements,
    sum(amount) as amount
from customer.transaction
where amount between 40000 and 49999.99
group by all
having count(*) >= 2
order by movements desc, customer_id asc, booked_date asc;

-- 7. One mobile, several customers. | 多个客户共用手机号
select
    mobile,
    count(*) as customers
from customer.customer
where mobile is not null
group by all
having count(*) > 1
order by customers desc, mobile asc
limit 20;

-- 8. Who stands behind an organisation? | 法人代表与关联人
select
    organisation.full_name as organisation,
    relationship.relationship,
    person.full_name as person,
    relationship.evidence
from customer.relationship as relationship
inner join customer.customer as organisation on relationship.customer_id = organisation.customer_id
inner join customer.customer as person on relationship.related_customer_id = person.customer_id
where organisation.party_type = 'organisation' and person.party_type = 'person'
order by organisation.customer_id, person.customer_id
limit 50;

-- 9. What became of an id that is no longer used? | 已停用客户号的去向
select
    customer_id,
    retired_date,
    resolution,
    living_customer_id
from customer.retired_customer
order by retired_date desc, customer_id asc;

-- 10. Products held for others: guarantors and joint owners. | 担保人与共有人
select
    role,
    product_type,
    count(distinct customer_id) as customers,
    count(*) as products
from customer.party_role
group by all
order by products desc, role asc, product_type asc;
