"""What a few parties say and how they compare: the facts under an explanation.

A ``Neighbourhood`` holds the rows of a few nodes in a connection of its own, so that the night's own functions
(evidence of nodes, reasons of collapsing, Splink's scoring) run on them within a moment, however large the bank.
Here does not live what the facts mean for the verdict: that is ``explain``.
"""

import math
import re
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Any

import duckdb

from models.identity.blocking_keys import KEYS
from models.identity.collapse import document_links
from models.identity.comparisons import Comparison, Level
from models.identity.explanation import (
    Contact,
    Document,
    FieldScore,
    NearRule,
    PairScore,
    Record,
    RecordKey,
    RecordLink,
)
from models.identity.matching_model import ModelArtefact
from models.identity.nodes import build_nodes
from models.identity.score import score_in_detail
from models.identity.settings import MatchingSettings

# Columns of the node in which a comparison's values are best shown; others are read from its conditions.
_SHOWN = {
    "name": ("names",),
    "latin": ("latins",),
    "birth_date": ("birth_dates",),
    "sex": ("sexes",),
    "document": ("ids", "id_number"),
    "mobile": ("mobiles",),
    "email": ("emails",),
    "phone": ("phones",),
    "address": ("addresses", "address_regions", "landlines"),
    "branch": ("branch_suffix",),
    "legal_form": ("legal_form",),
    "household": (),
    "premises": (),
}
# Frequency columns of names: the list of the node that holds them all, and where the bank's are counted.
_NAMES = {
    "native": ("names", "party_name", "name_standard"),
    "latin": ("latins", "party_name", "name_latin"),
    "core": ("cores", "party_standard", "name_core"),
}
_PARTICULARS = ("birth_place", "occupation", "postcode")
_MOST_VALUES = 3
_NEAR_RULES = 3


class Neighbourhood:
    """The rows of a few nodes, taken from a connection that sees the bank.

    Attributes:
        records: What every record of the nodes says.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        settings: MatchingSettings,
        model: ModelArtefact,
        nodes: Collection[int],
    ) -> None:
        """Read all that is known of the nodes.

        Args:
            con: Connection with views or tables ``identity.party_standard``, ``party_name``, ``party_document``,
                ``party_contact``, ``party_node``, ``node_pair``, ``customer.customer_record``, and where there are
                such ``identity.contact_profile``, ``address_profile`` and the ``staging`` tables of parties.
            settings: The bank's matching settings.
            model: The model that scored the night.
            nodes: The nodes.
        """
        self._bank = con
        self._settings = settings
        self._model = model
        self._con = duckdb.connect(config={"threads": 1})
        self._con.execute("set TimeZone = 'UTC'")
        self._con.execute("create schema identity")
        con.execute(
            "create temp table near_node as select unnest($nodes::bigint[]) as node_id", {"nodes": sorted(set(nodes))}
        )
        con.execute("create temp table near_record as from identity.party_node semi join near_node using (node_id)")
        con.execute(
            "create temp table near_value as select distinct contact_type, contact_value"
            " from identity.party_contact semi join near_record using (system, record_id)"
        )
        self._copy_all()
        build_nodes(self._con, settings)
        self._node = {row["node_id"]: row for row in rows(self._con, "from work.node order by node_id")}
        self._borne: dict[tuple[str, ...], int] = {}
        self._keys: dict[int, tuple[RecordKey, ...]] = {}
        for row in rows(con, "from near_record order by system, record_id"):
            key = RecordKey(row["system"], row["record_id"])
            self._keys[row["node_id"]] = (*self._keys.get(row["node_id"], ()), key)
        self.records = self._records()
        self._stored = {
            (row["node_id_l"], row["node_id_r"]): row
            for row in rows(
                con,
                "from identity.node_pair where node_id_l in (select node_id from near_node)"
                " and node_id_r in (select node_id from near_node)",
            )
        }
        for name in ("node", "record", "value"):
            con.execute(f"drop table near_{name}")

    def keys(self, node: int) -> tuple[RecordKey, ...]:
        """Records of a node, in order."""
        return self._keys[node]

    def party_type(self, node: int) -> str:
        """``person`` or ``organisation``."""
        return str(self._node[node]["party_type"])

    def _records(self) -> dict[RecordKey, Record]:
        documents: dict[RecordKey, list[Document]] = {}
        for row in rows(self._con, "from identity.party_document order by all"):
            rule = self._settings.standardise.documents.get(row["document_type"])
            documents.setdefault(_key(row), []).append(
                Document(
                    row["document_type"],
                    row["document_number"],
                    row["is_valid"],
                    row["is_strong"],
                    rule is not None and rule.validator is not None,
                )
            )
        contacts: dict[RecordKey, list[Contact]] = {}
        profiles = self._profiles()
        for row in rows(self._con, "from identity.party_contact order by all"):
            value = (row["contact_type"], row["contact_value"])
            kind, reason = profiles.get(value, (None, None))
            contacts.setdefault(_key(row), []).append(
                Contact(*value, row["party_count"], row["is_identifying"], kind, reason, row.get("holding_no", 1))
            )
        customers = {
            _key(row): row["customer_id"]
            for row in rows(self._bank, "from customer.customer_record semi join near_record using (system, record_id)")
        }
        node = {key: node for node, keys in self._keys.items() for key in keys}
        written = self._written()
        return {
            (key := _key(row)): Record(
                key=key,
                customer_id=customers[key],
                node_id=node[key],
                party_type=row["party_type"],
                name=row["name_standard"],
                latin=row["name_latin"],
                birth_date=row["birth_date"],
                sex=row["sex"],
                address=self._address(row),
                documents=tuple(documents.get(key, ())),
                contacts=tuple(contacts.get(key, ())),
                particulars={name: row[name] for name in _PARTICULARS if row.get(name)},
                written=written.get(key, {}),
            )
            for row in rows(self._con, "from identity.party_standard order by system, record_id")
        }

    def document_links(self) -> tuple[RecordLink, ...]:
        """Pairs of records that one valid strong document joins, with what fits."""
        documents = {
            (record.key, document.document_type, document.document_number): document
            for record in self.records.values()
            for document in record.documents
        }
        return tuple(
            RecordLink(
                left := RecordKey(system, record_id), RecordKey(*other), documents[left, kind, number], tuple(fit)
            )
            for system, record_id, *other, kind, number, fit in document_links(self._con)
        )

    def scores(self, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], PairScore]:
        """Compare pairs of nodes of one type; keyed as asked, each score seen from the first of the two.

        Pairs of different types, or of a type for which there is no model, are left out.
        """
        found: dict[tuple[int, int], PairScore] = {}
        wanted = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
        asked = set(pairs)
        for party_type, party_model in self._model.parties.items():
            of_type = [pair for pair in wanted if {self.party_type(node) for node in pair} == {party_type}]
            prior = _log2_odds(party_model.prior)
            for row in score_in_detail(self._con, party_type, party_model, of_type):
                pair = (int(row["node_id_l"]), int(row["node_id_r"]))
                for left, right in {pair, pair[::-1]} & asked:
                    found[left, right] = self._score(party_type, party_model.comparisons, prior, row, left, right)
        return found

    def _score(
        self,
        party_type: str,
        comparisons: tuple[Comparison, ...],
        prior: float,
        row: dict[str, Any],
        left: int,
        right: int,
    ) -> PairScore:
        stored = self._stored.get((min(left, right), max(left, right)))
        rules, near = self._rules(party_type, left, right)
        return PairScore(
            left=self.keys(left),
            right=self.keys(right),
            party_type=party_type,
            prior_bits=prior,
            fields=tuple(self._field(comparison, row, left, right) for comparison in comparisons),
            match_weight=float(row["match_weight"]),
            stored_weight=stored["match_weight"] if stored else None,
            found_by=stored["blocking_rule"] if stored else None,
            rules=rules,
            near_rules=near,
            weightless=self._weightless(left, right),
        )

    def _field(self, comparison: Comparison, row: dict[str, Any], left: int, right: int) -> FieldScore:
        gamma = int(row[f"gamma_{comparison.name}"])
        level = None if gamma < 0 else comparison.levels[len(comparison.levels) - 1 - gamma]
        frequency = float(row.get(f"mw_tf_adj_{comparison.name}") or 0.0)
        best = comparison.levels[0]
        columns = _SHOWN.get(comparison.name)
        if columns is None:
            columns = tuple(dict.fromkeys(re.findall(r"(\w+)_l\b", comparison.missing)))
        values = [
            _shown(self._node[node], self._node[other], columns) for node, other in ((left, right), (right, left))
        ]
        return FieldScore(
            comparison=comparison.name,
            level=level.name if level else None,
            bits=float(row[f"mw_{comparison.name}"]) + frequency,
            common_bits=self._common_bits(level, row),
            left=values[0],
            right=values[1],
            bearers=self._bearers(level, left, right),
            best_level=best.name,
            best_bits=_level_bits(best),
        )

    def _common_bits(self, level: Level | None, row: dict[str, Any]) -> float:
        """How much less agreement on the value says than on one that the model does not list."""
        if level is None or level.frequency is None:
            return 0.0
        rare = self._model.parties[self.party_type(row["node_id_l"])].frequencies[level.frequency].rare
        found = [value for side in "lr" if (value := row.get(f"tf_{level.frequency}_{side}"))]
        return max(math.log2(max(found, default=rare) / rare), 0.0)

    def _bearers(self, level: Level | None, left: int, right: int) -> int | None:
        """Customers of the bank that bear the name on which the two agree."""
        if level is None or level.frequency not in _NAMES:
            return None
        listed, table, column = _NAMES[level.frequency]
        values = _values(self._node[left], listed) & _values(self._node[right], listed)
        if not values:
            return None
        counted = (table, *sorted(values))
        if counted not in self._borne:
            sql = (
                f"select count(distinct customer_id) from identity.{table}"
                f" inner join customer.customer_record using (system, record_id)"
                f" where {column} in (select unnest($values))"
            )
            self._borne[counted] = int(self._bank.execute(sql, {"values": sorted(values)}).fetchall()[0][0])
        return self._borne[counted]

    def _rules(
        self, party_type: str, left: int, right: int
    ) -> tuple[tuple[tuple[str, ...], ...], tuple[NearRule, ...]]:
        values = self._key_values[left], self._key_values[right]
        shared = {name for name in KEYS[party_type] if _values(values[0], name) & _values(values[1], name)}
        blocking = self._settings.party(party_type).blocking
        lacking = [NearRule(rule, tuple(key for key in rule if key not in shared)) for rule in blocking]
        rules = tuple(near.rule for near in lacking if not near.missing)
        if rules:
            return rules, ()
        # nearest: most of the rule is shared
        return (), tuple(sorted(lacking, key=lambda near: (len(near.missing) - len(near.rule), len(near.missing))))[
            :_NEAR_RULES
        ]

    @cached_property
    def _key_values(self) -> dict[int, dict[str, Any]]:
        """Values of the blocking keys of every node."""
        found = {}
        for party_type, keys in KEYS.items():
            listed = ", ".join(f"{expression} as {name}" for name, expression in keys.items())
            sql = f"select node_id, {listed} from work.node where party_type = $type"
            found.update({row["node_id"]: row for row in rows(self._con, sql, {"type": party_type})})
        return found

    def _weightless(self, left: int, right: int) -> tuple[Contact, ...]:
        carried: list[dict[tuple[str, str], Contact]] = []
        for node in (left, right):
            said = [self.records[key] for key in self.keys(node)]
            contacts = (contact for record in said for contact in (*record.contacts, record.address) if contact)
            carried.append({(c.contact_type, c.contact_value): c for c in contacts if not c.is_identifying})
        return tuple(carried[0][value] for value in sorted(carried[0].keys() & carried[1].keys()))

    def _copy_all(self) -> None:
        """Copy every table of ``identity`` that describes records or contacts, for the records in question."""
        columns: dict[str, set[str]] = {}
        for name, column in self._bank.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'identity' order by 1, 2"
        ).fetchall():
            columns.setdefault(name, set()).add(column)
        for name, present in columns.items():
            if {"system", "record_id"} <= present:
                near = "semi join near_record using (system, record_id)"
            elif {"contact_type", "contact_value"} <= present:
                near = "semi join near_value using (contact_type, contact_value)"
            else:
                continue
            self._con.register("incoming", self._bank.execute(f"from identity.{name} {near}").to_arrow_table())
            self._con.execute(f"create table identity.{name} as from incoming")
            self._con.unregister("incoming")

    def _profiles(self) -> dict[tuple[str, str], tuple[str, str]]:
        if not has_table(self._con, "identity", "contact_profile"):
            return {}
        return {
            (row["contact_type"], row["contact_value"]): (row["contact_kind"], row["reason"])
            for row in rows(self._con, "from identity.contact_profile order by contact_type, contact_value")
        }

    def _address(self, row: dict[str, Any]) -> Contact | None:
        """The address of a row of ``party_standard``; only one that several records give has a profile."""
        value = "|".join(filter(None, (row["address_region"], row["address_key"])))
        if not value:
            return None
        if has_table(self._bank, "identity", "address_profile"):
            for found in rows(self._bank, "from identity.address_profile where address_value = $v", {"v": value}):
                told = (found["party_count"], found["is_identifying"], found["contact_kind"], found["reason"])
                return Contact("address", value, *told)
        return Contact("address", value, 1, True)

    def _written(self) -> dict[RecordKey, dict[str, tuple[str, ...]]]:
        """Values as the sources write them, where staging is at hand."""
        found: dict[RecordKey, dict[str, tuple[str, ...]]] = {}
        for table, field, expression in (
            ("party", "name", "coalesce(trim(full_name), concat_ws(' ', trim(given_name), trim(family_name)))"),
            ("party", "birth_date", "cast(birth_date as varchar)"),
            ("party_document", "documents", "document_number"),
            ("party_contact", "contacts", "contact_value"),
            ("party_address", "address", "concat_ws(' ', province, city, district, address_text)"),
        ):
            if not has_table(self._bank, "staging", table):
                continue
            sql = (
                f"select distinct system, record_id, trim({expression}) as value from staging.{table}"
                " semi join near_record using (system, record_id) order by all"
            )
            for row in rows(self._bank, sql):
                if row["value"]:
                    fields = found.setdefault(_key(row), {})
                    fields[field] = (*fields.get(field, ()), row["value"])
        return found


def rows(con: duckdb.DuckDBPyConnection, sql: str, params: object = None) -> list[dict[str, Any]]:
    """Rows of a query, by column name."""
    result = con.execute(sql, params)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def has_table(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    """Whether the connection sees the table or view."""
    sql = "select 1 from information_schema.tables where table_schema = ? and table_name = ?"
    return bool(con.execute(sql, [schema, name]).fetchall())


def _key(row: dict[str, Any]) -> RecordKey:
    return RecordKey(row["system"], row["record_id"])


def _values(row: dict[str, Any], column: str) -> set[Any]:
    value = row.get(column)
    values = value if isinstance(value, list) else [value]
    return {each for each in values if each is not None}


def _shown(row: dict[str, Any], other: dict[str, Any], columns: Iterable[str]) -> tuple[str, ...]:
    """Values of the first column that has any; what both sides share comes first."""
    for column in columns:
        values, shared = _values(row, column), _values(other, column)
        if values:
            return tuple(map(str, sorted(values, key=lambda v: (v not in shared, v))[:_MOST_VALUES]))
    return ()


def _level_bits(level: Level) -> float:
    return math.log2(level.m / level.u)


def _log2_odds(probability: float) -> float:
    return math.log2(probability / (1 - probability))
