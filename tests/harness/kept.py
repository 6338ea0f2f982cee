"""Promises about requests with a key, about deliveries, and about proof; each given the facts it is about. Pure."""

import hashlib
import json
from base64 import urlsafe_b64decode
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import rfc8785

from sayso.client import verify

Row = Mapping[str, Any]

#: A confirmation's life, as it is told.
_COURSE = {"confirmation.asked": 0, "confirmation.decided": 1, "confirmation.executed": 2}
#: What a rule of the policy gives that decides.
_THEN = {"allow": "confirmed", "deny": "declined"}
_ANOTHER = {"action_type": "payment", "action_description": "pay", "action_details": "everything"}


@dataclass(frozen=True, slots=True)
class Keyed:
    """A question asked with an Idempotency-Key, and the answer."""

    key: str
    said: Row
    status: int
    answer: Row

    @property
    def done(self) -> bool:
        """Whether it was not refused."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Received:
    """A call that an endpoint took: where, under which id, and its bytes."""

    where: str
    webhook_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Endpoints, what was to be delivered to them, each call in its order, and what endpoints say they took."""

    endpoints: Sequence[Row] = ()
    rows: Sequence[Row] = ()
    calls: Sequence[Row] = ()
    received: Sequence[Received] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """Every receipt, the whole log, and the published keys (None: nobody could be asked for them)."""

    receipts: Sequence[Row] = ()
    log: Sequence[Row] = ()
    jwks: Mapping[str, Any] | None = None


def one_effect(keyed: Sequence[Keyed], confirmations: Sequence[Row]) -> Iterator[str]:
    """One key, one effect, one answer; another body under the key is refused."""
    by_key: defaultdict[str, list[Keyed]] = defaultdict(list)
    for each in keyed:
        if each.done:
            by_key[each.key].append(each)
    for key, each_time in by_key.items():
        if len({_bytes(each.answer) for each in each_time}) > 1:
            yield f"the key {key} got different answers"
        if len({_bytes(each.said) for each in each_time}) > 1:
            yield f"the key {key} was taken for different requests"
    yield from _beside(keyed, confirmations)


def _beside(keyed: Sequence[Keyed], confirmations: Sequence[Row]) -> Iterator[str]:
    answered = {each.answer["id"] for each in keyed if each.done}
    there = {row["id"]: (row["action"] or {}).get("action_description") for row in confirmations}
    said = {each.said["action_description"] for each in keyed}
    for name in sorted(answered - there.keys()):
        yield f"{name} was answered, and is not there"
    for name, description in there.items():
        if description in said and name not in answered:
            yield f"{name} was asked, and no key was answered with it"


def put_once(messages: Sequence[Row]) -> Iterator[str]:
    """A question is put to a person once."""
    put = Counter(
        (row["confirmation_id"], row["person_id"]) for row in messages if row["purpose"] == "prompt"
    )
    for (name, person_id), count in put.items():
        if count > 1:
            yield f"{name} was put to {person_id} {count} times"


def delivered(facts: Deliveries, events: Sequence[Row]) -> Iterator[str]:
    """Every event reaches its endpoint, or it is visible that it did not, and why."""
    there = {(row["endpoint_id"], row["event_id"]) for row in facts.rows}
    for endpoint in facts.endpoints:
        for event in events:
            if _hears(endpoint, event) and (endpoint["id"], event["id"]) not in there:
                yield f"{event['id']} ({event['type']}) is not for {endpoint['id']}, which asked for it"
    taken = {call["delivery_id"] for call in facts.calls if 200 <= (call["status"] or 0) < 300}
    for row in facts.rows:
        what = f"{row['event_id']} for {row['endpoint_id']}"
        if row["state"] == "delivered" and row["id"] not in taken:
            yield f"{what} is called delivered, and no call of it was taken"
        if row["state"] == "failed" and not row["reason"]:
            yield f"{what} failed, and does not say why"
        if row["work"] in ("ready", "running") or (row["state"] == "pending" and row["work"] is None):
            yield f"{what} was never finished: {row['state']}, work {row['work']}"


def in_order(facts: Deliveries) -> Iterator[str]:
    """What concerns one subject is delivered to an endpoint one after another, in the order in which it happened."""
    calls = _calls(facts)
    lines: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sorted(facts.rows, key=lambda each: each["seq"]):
        if row["id"] in calls:
            lines[row["line"]].append(row)
    for line, rows in lines.items():
        for before, after in pairwise(rows):
            if calls[after["id"]][0] < calls[before["id"]][-1]:
                yield f"{line} was told of {after['event_id']} before it was through with {before['event_id']}"
        for before, after in pairwise(row["type"] for row in rows):
            if _COURSE.get(after, 9) < _COURSE.get(before, 0):
                yield f"{line} was told of {after} after {before}"


def the_same_to_all(facts: Deliveries, events: Sequence[Row]) -> Iterator[str]:
    """An event has one id and one wording, at every endpoint and in every attempt, and comes in its order."""
    known = {event["id"] for event in events}
    words: defaultdict[str, set[bytes]] = defaultdict(set)
    at: dict[tuple[str, str], int] = {}
    seen: set[tuple[str, str]] = set()
    for each in facts.received:
        told = json.loads(each.body)
        if told["type"].startswith("endpoint.") and each.webhook_id not in known:
            continue  # a challenge or a test, which is nobody else's
        words[each.webhook_id].add(each.body)
        if each.webhook_id not in known or told["id"] != each.webhook_id:
            yield f"{each.where} was told {told['id']} as {each.webhook_id}"
        if (each.where, each.webhook_id) not in seen:
            seen.add((each.where, each.webhook_id))
            place, before = _COURSE.get(told["type"], 9), at.get((each.where, told["subject"]), 0)
            if place < before:
                yield f"{each.where} was told of {told['type']} of {told['subject']} too late"
            at[each.where, told["subject"]] = max(place if place in _COURSE.values() else before, before)
    for name, wordings in words.items():
        if len(wordings) > 1:
            yield f"{name} was told in {len(wordings)} wordings"


def proven(facts: Proof, confirmations: Sequence[Row]) -> Iterator[str]:
    """A receipt verifies, says what was decided of which action, and stands in a log that holds from its beginning."""
    yield from _chained(facts.log)
    rows = {row["id"]: row for row in confirmations}
    entries = {line["index"]: line for line in facts.log}
    for each in facts.receipts if facts.jwks is not None else ():
        name, receipt = each["confirmation_id"], verify.Receipt(each["jws"])
        verdict = verify.check(receipt, facts.jwks or {})
        if not verdict.proven or not verdict.claims:
            yield f"the receipt of {name} does not verify: {' '.join(verdict.reasons)}"
            continue
        claims = verdict.claims
        if _said(claims) != (name, rows[name]["outcome"], bytes(rows[name]["action_hash"]).hex()):
            yield f"the receipt of {name} is about something else: {_said(claims)}"
        if verify.check(receipt, facts.jwks or {}, action=_ANOTHER).proven:
            yield f"the receipt of {name} is one for another action, too"
        line = entries.get(claims["log"]["index"])
        signed = rfc8785.dumps({key: value for key, value in claims.items() if key not in ("log", "words")})
        if line is None or (line["confirmation_id"], bytes(line["entry"])) != (name, signed):
            yield f"the receipt of {name} says that it stands in the log, and it does not"


def by_rule(row: Row) -> bool:
    """Whether a rule of the policy decided, says the row."""
    return (row["answer"] or {}).get("how") == "policy"


def ruled(
    confirmations: Sequence[Row],
    messages: Sequence[Row],
    proof: Proof,
    rules: Mapping[str, Mapping[str, Row]],
) -> Iterator[str]:
    """Where a rule decided nobody was asked, it is a rule that decides and decides so, and the receipt tells of it.

    ``rules``: those of each policy in force, by its stamp and their names.
    """
    put = {row["confirmation_id"] for row in messages if row["purpose"] == "prompt"}
    claims = {each["confirmation_id"]: _claims(each["jws"]) for each in proof.receipts}
    for row in confirmations:
        said = claims.get(row["id"], {})
        if not by_rule(row):
            if said.get("source") == "policy":
                yield f"the receipt of {row['id']} says that a rule decided, and none did"
            continue
        what = f"{row['id']} was decided by the rule {row['answer']['rule']}"
        if row["id"] in put:
            yield f"{what}, and somebody was asked"
        rule = rules.get(row["policy_version"] or "", {}).get(row["answer"]["rule"])
        if wrong := _wrong(rule, row):
            yield f"{what}, which {wrong}"
        told = (said.get("source"), said.get("policy_version"), said.get("approvals"))
        if told != ("policy", row["policy_version"], []):
            yield f"{what}, and its receipt says {told}"


def _wrong(rule: Row | None, row: Row) -> str | None:
    """Why this rule cannot have decided so."""
    if rule is None:
        return f"the policy {row['policy_version']} does not have"
    if rule.get("dry_run"):
        return "is only tried out"
    return None if _THEN[rule["then"]] == row["outcome"] else f"says {rule['then']}: {row['outcome']}"


def by_whom(answers: Sequence[Row], asked: frozenset[tuple[str, str]], merged: Row) -> Iterator[str]:
    """Only somebody who was asked decides."""
    known = {(name, _now(person_id, merged)) for name, person_id in asked}
    for answer in answers:
        whose = (answer["confirmation_id"], _now(answer["person_id"], merged))
        if answer["effect"] in ("decided", "counted") and whose not in known:
            yield f"{whose[0]} was answered by {whose[1]}, who was not asked"


def _calls(facts: Deliveries) -> dict[str, list[int]]:
    """The places of each delivery's calls among all; replays are apart."""
    calls: dict[str, list[int]] = {}
    for number, call in enumerate(facts.calls):
        if not call["replay"]:
            calls.setdefault(call["delivery_id"], []).append(number)
    return calls


def _now(person_id: str, merged: Row) -> str:
    while person_id in merged:
        person_id = merged[person_id]
    return person_id


def _said(claims: Row) -> tuple[str, str, str]:
    return claims["jti"], claims["outcome"], claims["action_hash"]


def _claims(jws: str) -> Row:
    """What a receipt says; whether it is genuine is judged elsewhere."""
    part = jws.split(".")[1]
    claims: Row = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def _chained(log: Sequence[Row]) -> Iterator[str]:
    head = bytes(32)
    for index, line in enumerate(log):
        leaf = hashlib.sha256(b"\x00" + bytes(line["entry"])).digest()
        head = hashlib.sha256(b"\x01" + head + leaf).digest()
        if (line["index"], bytes(line["leaf"]), bytes(line["head"])) != (index, leaf, head):
            yield f"the log does not hold at its entry {index}, of {line['confirmation_id']}"
            return


def _hears(endpoint: Row, event: Row) -> bool:
    mine = event["client_id"] == endpoint["client_id"] or (not event["client_id"] and endpoint["operator"])
    types = endpoint["types"] or [event["type"]]
    wanted = any(
        event["type"] == each or (each.endswith(".*") and event["type"].startswith(each[:-1]))
        for each in types
    )
    about = endpoint["subject"] in (None, event["subject"]) and event["subject"] != endpoint["id"]
    since = endpoint["state"] == "enabled" and endpoint["verified_at"] < event["at"]
    return bool(mine and wanted and about and since)


def _bytes(value: Any) -> bytes:
    return rfc8785.dumps(value)
