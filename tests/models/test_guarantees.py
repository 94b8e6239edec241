"""The guarantees of identity resolution, over small random populations whose evidence collides all the time.

Names, dates, documents and contacts are drawn from a handful of values, so merges, conflicts and shared documents
are the rule. Match weights are arbitrary (a hash of the two nodes) unless a test says otherwise: the guarantees must
hold whatever a model thinks. Each property runs a few times always and many times among the slow tests.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.identity import resolve as steps
from models.identity.constrained import Attribute, Constraint, group_under_constraints
from models.identity.decided import snapshot
from models.identity.decisions import LogRow, judge
from models.identity.matching_model import ModelArtefact
from models.identity.settings import MatchingSettings
from tests.models.synthetic_parties import Parties, generate

DAY = dt.date(2026, 1, 31)
SETTINGS = MatchingSettings.model_validate({"training": {"random_pairs": 50_000}})
Key = tuple[str, str]
Crosswalk = dict[Key, str]


# random populations


@dataclass(frozen=True)
class Drawn:
    """Evidence of one record, each by its number in a small pool; None is missing."""

    is_person: bool
    name: int | None
    born: int | None
    sex: int | None
    resident_id: int | None
    passport: int | None
    credit_code: int | None
    is_strong: bool
    mobile: int | None
    address: int | None


def _pool(count: int) -> st.SearchStrategy[int | None]:
    return st.one_of(st.none(), st.integers(0, count - 1))


RECORD = st.builds(
    Drawn,
    is_person=st.integers(0, 4).map(bool),
    name=_pool(4),
    born=_pool(3),
    sex=_pool(2),
    resident_id=_pool(4),
    passport=_pool(3),
    credit_code=_pool(3),
    is_strong=st.integers(0, 3).map(bool),
    mobile=_pool(4),
    address=_pool(3),
)
KEYS = [(system, f"{number:02d}") for system in ("cards", "core", "loans") for number in range(20)]
Population = dict[Key, Drawn]
POPULATION: st.SearchStrategy[Population] = st.dictionaries(st.sampled_from(KEYS), RECORD, min_size=10, max_size=60)

_NAMES = (("王", "伟", "WANG WEI"), ("王", "玮", "WANG WEI"), ("王", "小伟", "WANG XIAOWEI"), ("李", "芳", "LI FANG"))
_CORES = ("华夏科技", "华夏信息科技", "浦江贸易", "浦江物流")
_BIRTHS = (dt.date(1980, 5, 17), dt.date(1980, 5, 7), dt.date(2005, 3, 2))


def _parties(population: Population) -> Parties:
    parties = Parties()
    for (system, record_id), drawn in population.items():
        documents = [
            (kind, f"{kind}-{number}", drawn.is_strong)
            for kind, number in (
                ("resident_id", drawn.resident_id if drawn.is_person else None),
                ("passport", drawn.passport if drawn.is_person else None),
                ("uscc", None if drawn.is_person else drawn.credit_code),
            )
            if number is not None
        ]
        named: dict[str, Any] = {}
        if drawn.name is not None and drawn.is_person:
            surname, given_name, latin = _NAMES[drawn.name]
            named = {"name": surname + given_name, "latin": latin, "surname": surname, "given_name": given_name}
        elif drawn.name is not None:
            core = _CORES[drawn.name]
            named = {"name": f"{core}有限公司", "name_core": core, "legal_form": "有限公司"}
        parties.add(
            record_id,
            system=system,
            party_type="person" if drawn.is_person else "organisation",
            birth_date=None if drawn.born is None or not drawn.is_person else _BIRTHS[drawn.born],
            sex=None if drawn.sex is None or not drawn.is_person else ("male", "female")[drawn.sex],
            documents=tuple(documents),
            mobile=None if drawn.mobile is None else f"+861380000000{drawn.mobile}",
            address_region=None if drawn.address is None else "北京|北京|朝阳",
            address_key=None if drawn.address is None else f"S{drawn.address}",
            **named,
        )
    return parties


# one night


@dataclass(frozen=True)
class Scores:
    """Match weights that no evidence explains: -5 to 20 bits, the same for the same two nodes on every night."""

    salt: int

    def __call__(self, con: duckdb.DuckDBPyConnection, *_: object) -> None:
        """Stand in for ``score``: as it does, keep pairs of one type from 0 bits on and all that share a document."""
        con.execute(
            f"""
            create or replace table res.node_pair as
            with node as (
                select node_id, min(party_type) as party_type, min((system, record_id)) as first
                from identity.party_node
                inner join identity.party_standard using (system, record_id)
                group by node_id
            ),
            held as (
                select node_id, list(document_type || document_number) as numbers
                from identity.party_node
                inner join identity.party_document using (system, record_id)
                where is_strong
                group by node_id
            ),
            pair as (
                select
                    l.node_id as node_id_l,
                    r.node_id as node_id_r,
                    (hash(l.first, r.first, {self.salt}) % 2501) / 100.0 - 5 as match_weight,
                    coalesce(list_has_any(held_l.numbers, held_r.numbers), false) as is_shared
                from node as l
                inner join node as r on l.party_type = r.party_type and l.node_id < r.node_id
                left join held as held_l on held_l.node_id = l.node_id
                left join held as held_r on held_r.node_id = r.node_id
            )
            select node_id_l, node_id_r, match_weight, 'any' as blocking_rule, '' as comparison_levels
            from pair
            where match_weight >= 0 or is_shared
            """
        )


@dataclass(frozen=True)
class Night:
    """A resolved night."""

    con: duckdb.DuckDBPyConnection
    population: Population

    @property
    def crosswalk(self) -> Crosswalk:
        rows = self.con.execute("select system, record_id, customer_id from res.customer_record").fetchall()
        found = {(system, record_id): customer_id for system, record_id, customer_id in rows}
        assert len(found) == len(rows), "a record has two customers"
        return found

    @property
    def customers(self) -> list[list[Key]]:
        return _groups(self.crosswalk)

    @property
    def events(self) -> list[tuple[str, str, str | None]]:
        return self.con.execute(
            "select event, customer_id, related_customer_id from res.customer_event order by all"
        ).fetchall()

    def parquet(self) -> bytes:
        """The crosswalk as a night writes it."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "data.parquet"
            self.con.execute(f"copy (from res.customer_record) to '{path}' (format parquet)")
            return path.read_bytes()


def _groups(crosswalk: Crosswalk) -> list[list[Key]]:
    members: dict[str, list[Key]] = defaultdict(list)
    for key, customer_id in sorted(crosswalk.items()):
        members[customer_id].append(key)
    return sorted(members.values())


@pytest.fixture(scope="module")
def model() -> ModelArtefact:
    return steps.resolve(generate(400, seed=10).connect(), SETTINGS, DAY)


@dataclass(frozen=True)
class Bank:
    """Runs nights with one model; ``scores`` of None scores with it, anything else is put in its place."""

    model: ModelArtefact

    def night(
        self,
        population: Population,
        scores: Scores | None,
        before: Night | None = None,
        date: dt.date = DAY,
        log: Sequence[LogRow] = (),
        order: int | None = None,
    ) -> Night:
        shuffled = None if order is None else np.random.default_rng(order)
        con = _parties(population).connect(shuffled)
        if log:
            snapshot(con, log)
            con.execute("create view identity.decision as from res.decision")
        if before is not None:
            con.execute("create schema previous")
            _hand_over(before.con, con)
        with pytest.MonkeyPatch.context() as patch:
            if scores is not None:
                patch.setattr(steps, "score", scores)
            steps.resolve(con, SETTINGS, date, self.model)
        return Night(con, population)


@pytest.fixture(scope="module")
def bank(model: ModelArtefact) -> Bank:
    return Bank(model)


SALT = st.builds(Scores, st.integers(0, 2**16))


# what holds of every night


def _assert_sound(night: Night) -> None:
    """Every record has one customer, and no customer holds what facts keep apart."""
    assert set(night.crosswalk) == set(night.population)
    for members in night.customers:
        held = [night.population[key] for key in members]
        assert len({one.is_person for one in held}) == 1, "a person and an organisation are one customer"
        for kind in ("resident_id", "passport") if held[0].is_person else ("credit_code",):
            numbers = {getattr(one, kind) for one in held if one.is_strong} - {None}
            assert len(numbers) <= 1, f"two different valid documents of type {kind} in one customer"
    refused = night.con.execute(
        "select count(*) from res.refused_merge inner join res.cluster as l on l.node_id = node_id_l"
        " inner join res.cluster as r on r.node_id = node_id_r where l.cluster_no = r.cluster_no"
    ).fetchall()
    assert refused == [(0,)], "a merge is refused and made"
    assert _silent(night) == []


def _silent(night: Night) -> list[tuple[str, int]]:
    """Valid documents that two customers of one type carry without a refused merge between the two."""
    customer = night.crosswalk
    rows = night.con.execute(
        """
        select l.system, l.record_id, r.system, r.record_id
        from res.refused_merge
        inner join res.party_node as l on l.node_id = node_id_l
        inner join res.party_node as r on r.node_id = node_id_r
        """
    ).fetchall()
    shown = {frozenset((customer[a, b], customer[c, d])) for a, b, c, d in rows}
    found = []
    for kind, is_person in (("resident_id", True), ("passport", True), ("credit_code", False)):
        bearers: dict[int, set[str]] = defaultdict(set)
        for key, one in night.population.items():
            number = getattr(one, kind)
            if one.is_person == is_person and one.is_strong and number is not None:
                bearers[number].add(customer[key])
        for number, customers in bearers.items():
            pairs = {frozenset((a, b)) for a in customers for b in customers if a < b}
            found += [(kind, number)] * bool(pairs - shown)
    return found


def _check_facts(bank: Bank, population: Population, scores: Scores) -> None:
    _assert_sound(bank.night(population, scores))


def _check_order(bank: Bank, population: Population, scores: Scores, order: int) -> None:
    plain, again = (bank.night(population, scores).parquet() for _ in range(2))
    assert plain == again, "same input, same config: the same bytes"
    assert bank.night(population, scores, order=order).parquet() == plain, "shuffled: the same bytes"


def _check_rebuild(bank: Bank, first: Population, changes: Population, gone: set[Key], scores: Scores) -> None:
    """A night on top of another joins the same records as one that knows no yesterday; and a quiet one does nothing."""
    then = {key: drawn for key, drawn in (first | changes).items() if key not in gone} or first
    one = bank.night(first, scores)
    two = bank.night(then, scores, one, DAY + dt.timedelta(days=1))
    assert two.customers == bank.night(then, scores).customers
    three = bank.night(then, scores, two, DAY + dt.timedelta(days=2))
    assert three.crosswalk == two.crosswalk, "records that did not change keep their ids"
    assert three.events == []
    touched = set(changes) | gone
    for members in set(map(tuple, one.customers)) & set(map(tuple, two.customers)):
        if not touched & set(members):
            before, after = ({night.crosswalk[key] for key in members} for night in (one, two))
            assert before == after, "a customer whose records are all there and alone keeps its id"


def _check_real(bank: Bank, population: Population, order: int) -> None:
    """The same with the model's own scores."""
    night = bank.night(population, None)
    _assert_sound(night)
    assert bank.night(population, None, order=order).parquet() == night.parquet()


# a steward's word


@st.composite
def _decided(draw: st.DrawFn) -> tuple[Population, list[LogRow]]:
    """A population and a log of decisions about pairs of its records, some of them withdrawn later."""
    population = draw(st.dictionaries(st.sampled_from(KEYS), RECORD, min_size=6, max_size=30))
    keys = st.sampled_from(sorted(population))
    log: list[LogRow] = []
    for left, right, verdict in draw(
        st.lists(st.tuples(keys, keys, st.sampled_from(("same", "different"))), min_size=1, max_size=8)
    ):
        if left != right:
            number = len(log) + 1
            log.append(LogRow(number, _AT, "li", verdict, (left,), (right,), "seen"))  # type: ignore[arg-type]
    for number in range(1, len(log) + 1):
        if draw(st.integers(0, 3)) == 0:
            log.append(LogRow(len(log) + 1, _AT, "li", "withdraw", reason="an error", refers_to=number))
    return population, log


_AT = dt.datetime(2026, 1, 30, 12, tzinfo=dt.UTC)


def _check_decisions(bank: Bank, decided: tuple[Population, list[LogRow]], scores: Scores) -> None:
    """What binds holds on every night; once everything is withdrawn it is as if nobody had ever decided."""
    population, log = decided
    kinds = {key: "person" if one.is_person else "organisation" for key, one in population.items()}
    binding = [(one.pair, one.decision.verdict) for one in judge(log, kinds) if one.standing == "binding"]
    night = None
    for offset in range(3):
        night = bank.night(population, scores, night, DAY + dt.timedelta(days=offset), log)
        customer = night.crosswalk
        assert set(customer) == set(population)
        for (left, right), verdict in binding:
            assert (customer[left] == customer[right]) == (verdict == "same"), f"night {offset}"
        assert offset == 0 or night.events == []
    open_rows = [row.decision_id for row in log if row.verdict != "withdraw"]
    withdrawn = [*log]
    for number in open_rows:
        if not any(row.refers_to == number for row in log):
            withdrawn.append(LogRow(len(withdrawn) + 1, _AT, "li", "withdraw", reason="an error", refers_to=number))
    later = bank.night(population, scores, night, DAY + dt.timedelta(days=3), withdrawn)
    assert later.customers == bank.night(population, scores).customers


# ids


@dataclass
class Ids:
    """The rules of ids once more, by plain loops: who bore which id last, who bears it now, since when there is one."""

    bearer: Crosswalk
    tonight: Crosswalk
    born: dict[str, int]
    merged: set[str]

    def carried(self, clusters: list[list[Key]]) -> list[str | None]:
        """The id that each cluster keeps or has again; None where it must get a new one."""
        living = set(self.tonight.values())
        claims = self._claims(clusters, living, set(range(len(clusters))))
        back = self._claims(clusters, set(self.born) - living - self.merged, set(range(len(clusters))) - set(claims))
        return [
            min(found, key=lambda one: (self.born[one], one)) if (found := claims.get(n) or back.get(n)) else None
            for n in range(len(clusters))
        ]

    def _claims(self, clusters: list[list[Key]], ids: set[str], free: set[int]) -> dict[int, list[str]]:
        claims: dict[int, list[str]] = defaultdict(list)
        for customer_id in ids:
            parts = [
                (-sum(self.tonight.get(key) == customer_id for key in mine), -len(mine), min(mine), number)
                for number in free
                if (mine := [key for key in clusters[number] if self.bearer.get(key) == customer_id])
            ]
            if parts:
                claims[min(parts)[3]].append(customer_id)
        return claims


def _check_ids(nights: list[tuple[list[Key], list[int]]]) -> None:
    """Over nights of arbitrary clusters: the larger part keeps the id, the oldest lives, no id is given out twice."""
    ids = Ids({}, {}, {}, set())
    before: Night | None = None
    for number, (present, labels) in enumerate(nights):
        by_label: dict[int, list[Key]] = defaultdict(list)
        for key, label in zip(sorted(present), labels, strict=False):
            by_label[label].append(key)
        clusters = sorted(by_label.values())
        con = _clustered(clusters)
        if before is not None:
            _hand_over(before.con, con)
        steps.assign_customers(con, DAY + dt.timedelta(days=number))
        night = Night(con, {})
        crosswalk, events = night.crosswalk, night.events
        alive, now, issued = set(ids.tonight.values()), set(crosswalk.values()), set(ids.born)
        for cluster, customer_id in zip(clusters, ids.carried(clusters), strict=True):
            (actual,) = {crosswalk[key] for key in cluster}
            if customer_id is not None:
                assert actual == customer_id
                continue
            assert actual not in issued, "an id is given out twice"
            origins = {ids.bearer[key] for key in cluster if key in ids.bearer} - ids.merged
            assert [(event, origin in origins) for event, one, origin in events if one == actual] == [
                ("split", True) if origins else ("birth", False)
            ]
            ids.born[actual] = number
        assert {one for event, one, _ in events if event in ("merge", "retire")} == alive - now
        assert {one for event, one, _ in events if event == "reinstate"} == (now & issued) - alive
        ids.merged |= {one for event, one, _ in events if event == "merge"}
        ids.bearer, ids.tonight, before = ids.bearer | crosswalk, crosswalk, night


def _clustered(clusters: list[list[Key]]) -> duckdb.DuckDBPyConnection:
    """A night on which every record is a node and somebody has clustered them."""
    con = duckdb.connect(config={"threads": 1})
    for schema in ("identity", "previous"):
        con.execute(f"create schema {schema}")
    rows = [(*key, cluster_no) for cluster_no, cluster in enumerate(clusters, start=1) for key in cluster]
    con.execute("create table member (system varchar, record_id varchar, cluster_no bigint)")
    con.executemany("insert into member values (?, ?, ?)", rows)
    con.execute(
        "create table identity.party_node as"
        " select system, record_id, rowid + 1 as node_id, false as is_held_by_decision from member"
    )
    con.execute("create table identity.cluster as select rowid + 1 as node_id, cluster_no from member")
    for table in ("node_pair", "cluster_link"):
        con.execute(
            f"create table identity.{table} (node_id_l bigint, node_id_r bigint, match_weight double,"
            " blocking_rule varchar, comparison_levels varchar)"
        )
    return con


def _hand_over(before: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection) -> None:
    """The crosswalk's history, and the events of all nights, as ``previous``."""
    for table in ("customer_record_history", "customer_event"):
        con.register("incoming", before.sql(f"from res.{table}").to_arrow_table())
        con.execute(f"create table previous.{table} as from incoming")
        con.unregister("incoming")
    earlier = "select 1 from duckdb_tables() where schema_name = 'previous' and table_name = 'customer_event'"
    if before.execute(earlier).fetchall():
        con.register("incoming", before.sql("from previous.customer_event").to_arrow_table())
        con.execute("insert into previous.customer_event by name from incoming")
        con.unregister("incoming")


# grouping under constraints


THINGS = 9
Edge = tuple[int, int, int]
_THING = st.integers(0, THINGS - 1)


@st.composite
def _graphs(draw: st.DrawFn) -> tuple[list[Edge], tuple[Constraint, ...], list[tuple[int, int]]]:
    """Edges, constraints of every shape, and pairs that are one to begin with."""
    edges = draw(st.dictionaries(st.tuples(_THING, _THING), st.integers(0, 4), max_size=20))
    listed = [(a, b, weight) for (a, b), weight in edges.items() if a < b]

    def attribute() -> Attribute:
        held = draw(st.sets(st.tuples(_THING, st.integers(0, 2)), max_size=9))
        return Attribute(*(np.array([pair[side] for pair in sorted(held)], dtype=np.int64) for side in (0, 1)))

    def pairs() -> list[tuple[int, int]]:
        return [pair for pair in draw(st.lists(st.tuples(_THING, _THING), max_size=3)) if pair[0] != pair[1]]

    apart = pairs()
    constraints = (
        Constraint("excluded", pairs=_columns(apart)),
        Constraint("documents", (attribute(),), subset=True),
        Constraint("born and sex", (attribute(), attribute())),
    )
    return listed, constraints, draw(st.sampled_from([[], pairs()]))


def _columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    left, right = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    return left, right


def _by_brute_force(
    edges: list[Edge], constraints: tuple[Constraint, ...], joined: list[tuple[int, int]]
) -> tuple[list[int], set[tuple[int, int]]]:
    """Group of each thing by its smallest member, and the edges refused: sets of things, united one edge at a time."""
    groups = [{thing} for thing in range(THINGS)]

    def unite(a: int, b: int) -> None:
        both = groups[a] | groups[b]
        for thing in both:
            groups[thing] = both

    for a, b in joined:
        unite(a, b)

    def values(attribute: Attribute, group: set[int]) -> set[int]:
        held = zip(attribute.things.tolist(), attribute.values.tolist(), strict=True)
        return {value for thing, value in held if thing in group}

    def disagree(constraint: Constraint, attribute: Attribute, a: set[int], b: set[int]) -> bool:
        one, other = values(attribute, a), values(attribute, b)
        if not one or not other:
            return False
        return not (one <= other or other <= one) if constraint.subset else not one & other

    def forbids(constraint: Constraint, a: set[int], b: set[int]) -> bool:
        if constraint.pairs is not None:
            pairs = zip(*(end.tolist() for end in constraint.pairs), strict=True)
            return any((x in a and y in b) or (x in b and y in a) for x, y in pairs)
        return all(disagree(constraint, attribute, a, b) for attribute in constraint.attributes)

    def end(thing: int) -> int:
        return min(groups[thing]) if joined else thing

    smallest = [end(thing) for thing in range(THINGS)]
    refused = set()
    ordered = sorted((-w, *sorted((smallest[a], smallest[b])), a, b) for a, b, w in edges)
    for _, _, _, a, b in ordered:
        if groups[a] is groups[b]:
            continue
        if any(forbids(constraint, groups[a], groups[b]) for constraint in constraints):
            refused.add((a, b))
        else:
            unite(a, b)
    return [min(group) for group in groups], refused


def _check_grouping(graph: tuple[list[Edge], tuple[Constraint, ...], list[tuple[int, int]]], order: int) -> None:
    edges, constraints, joined = graph
    group, refused = _by_brute_force(edges, constraints, joined)
    shuffled = [edges[place] for place in np.random.default_rng(order).permutation(len(edges))]
    left, right = _columns([(a, b) for a, b, _ in shuffled])
    weight = np.array([w for _, _, w in shuffled], dtype=np.float64)
    found = group_under_constraints(THINGS, left, right, weight, constraints, _columns(joined) if joined else None)
    assert found.group.tolist() == group
    assert {shuffled[place][:2] for place in found.refused.tolist()} == refused


# a few times always, many times among the slow tests

STARTS = st.integers(0, 2**16)
GONE = st.sets(st.sampled_from(KEYS), max_size=20)
CHANGES: st.SearchStrategy[Population] = st.dictionaries(st.sampled_from(KEYS), RECORD, max_size=8)
NIGHTS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(KEYS[:10]), unique=True, min_size=1),
        st.lists(st.integers(0, 3), min_size=10, max_size=10),
    ),
    min_size=2,
    max_size=5,
)

PROPERTIES: dict[str, tuple[Callable[..., None], int, int, bool, dict[str, st.SearchStrategy[Any]]]] = {
    # what is checked, examples always, examples among the slow tests, whether a bank is needed, what is drawn
    "no customer holds what facts keep apart": (
        _check_facts, 15, 1000, True, {"population": POPULATION, "scores": SALT},
    ),
    "same input, same bytes, in any order": (
        _check_order, 8, 300, True, {"population": POPULATION, "scores": SALT, "order": STARTS},
    ),
    "nights in a row are a full rebuild": (
        _check_rebuild, 6, 300, True,
        {"first": POPULATION, "changes": CHANGES, "gone": GONE, "scores": SALT},
    ),
    "a steward's word holds until withdrawn": (
        _check_decisions, 6, 300, True, {"decided": _decided(), "scores": SALT},
    ),
    "all of it with a trained model": (
        _check_real, 4, 100, True, {"population": POPULATION, "order": STARTS},
    ),
    "ids last": (_check_ids, 15, 1000, False, {"nights": NIGHTS}),
    "grouping is what brute force finds": (_check_grouping, 300, 20_000, False, {"graph": _graphs(), "order": STARTS}),
}  # fmt: skip


def _run(name: str, bank: Bank, examples: int) -> None:
    check, _, _, needs_bank, drawn = PROPERTIES[name]

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(**drawn)
    def holds(**values: Any) -> None:
        if needs_bank:
            check(bank, **values)
        else:
            check(**values)

    holds()


@pytest.mark.parametrize("name", PROPERTIES)
def test_it_holds(bank: Bank, name: str) -> None:
    _run(name, bank, PROPERTIES[name][1])


@pytest.mark.slow
@pytest.mark.parametrize("name", PROPERTIES)
def test_it_holds_at_length(bank: Bank, name: str) -> None:
    _run(name, bank, PROPERTIES[name][2])
