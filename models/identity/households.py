"""Households: which persons live together.

Here lives the grouping of the household relationships of ``customer.relationship``. Here does not live what makes two
customers a household: that is said in ``relationship.sql``.

A group is the connected component of strong and fair relationships. One with more members than the bank's largest
household is a house with a wrong address or a shared telephone: of it only the strong relationships count, and if that
does not take it apart, its members are households of their own. So no hub becomes a family, whatever is shared.
"""

import duckdb
import numpy as np
import pyarrow as pa

from models.identity.constrained import Integers, connected_components
from models.identity.settings import MatchingSettings


def group_households(con: duckdb.DuckDBPyConnection, settings: MatchingSettings) -> None:
    """Create ``res.household`` (customer_id, household_id, household_size), one row a person.

    ``household_id`` is the smallest customer id of the household, so it lasts as long as that customer belongs to it.

    Args:
        con: Connection with views ``customer.customer`` and ``customer.relationship``.
        settings: For the largest household.
    """
    con.execute("create schema if not exists res")
    con.execute(
        """
        create or replace temp table household_person as
        select customer_id, row_number() over (order by customer_id) - 1 as place
        from customer.customer
        where party_type = 'person'
        """
    )
    edges = con.execute(
        """
        select l.place as l, r.place as r, relationship.strength = 'strong' as is_strong
        from customer.relationship as relationship
        inner join household_person as l on l.customer_id = relationship.customer_id
        inner join household_person as r on r.customer_id = relationship.related_customer_id
        where relationship.relationship = 'household' and relationship.strength <> 'weak' and l.place < r.place
        """
    ).fetchnumpy()
    count = int(con.execute("select count(*) from household_person").fetchall()[0][0])
    left, right = (np.asarray(edges[side], dtype=np.int64) for side in ("l", "r"))
    head = connected_components(count, left, right)
    large = _sizes(head) > settings.household_max_size
    kept = ~large[left] | np.asarray(edges["is_strong"], dtype=bool)
    head = connected_components(count, left[kept], right[kept])
    head = np.where(_sizes(head) > settings.household_max_size, np.arange(count), head)
    con.register("household_head", pa.table({"place": np.arange(count), "head": head, "size": _sizes(head)}))
    con.execute(
        """
        create or replace table res.household as
        select person.customer_id, first.customer_id as household_id, household.size as household_size
        from household_head as household
        inner join household_person as person using (place)
        inner join household_person as first on first.place = household.head
        order by person.customer_id
        """
    )
    con.unregister("household_head")
    con.execute("drop table household_person")


def _sizes(head: Integers) -> Integers:
    """Members of the group of each thing."""
    sizes: Integers = np.bincount(head, minlength=len(head))[head]
    return sizes
