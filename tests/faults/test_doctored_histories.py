"""The judge reads: a history as it happened breaks nothing; each that was doctored breaks what it was doctored in."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.history import History, violations
from harness.kept import Keyed, Received
from harness.receiver import Receiver, receiving
from harness.world import ALICE, BEN, CONFIRM, World, a_world

Doctor = Callable[[History], History]
Row = Mapping[str, Any]


async def _lived(world: World, receiver: Receiver) -> History:
    """Two questions by two keys, each repeated; two endpoints; one question decided, one confirmed and executed."""
    for path in ("/one", "/two"):
        endpoint = {"url": receiver.url(path), "types": ["confirmation.*"]}
        status, made = await world.api.as_(scopes=("endpoints:write",)).call(
            "POST", "/endpoints", json=endpoint
        )
        assert (status, made["state"]) == (201, "enabled"), made
    for person in (ALICE, BEN):
        await world.open_window(person)
    keyed = [await _ask(world, person, key) for person, key in ((ALICE, "k1"), (BEN, "k2")) * 2]
    for person, asked in zip((ALICE, BEN), keyed, strict=False):
        prompt = await world.sim.expect_message(to=person, containing=asked.said["action_description"])
        await world.tapped(prompt["wamid"], CONFIRM, person=person)
    claim = {"action_hash": keyed[0].answer["action_hash"]}
    status, body = await world.api.call(
        "POST", f"/confirmations/{keyed[0].answer['id']}/claim", json=claim, headers={"Idempotency-Key": "c"}
    )
    assert status == 201, body
    status, body = await world.api.call(
        "POST", f"/confirmations/{keyed[0].answer['id']}/execution", json={"status": "done"}
    )
    assert status == 200, body
    await world.at_rest()
    history = await world.history()
    received = [Received(path, named["webhook-id"], body) for path, named, body in receiver.requests]
    return replace(history, keyed=keyed, deliveries=replace(history.deliveries, received=received))


async def _ask(world: World, person: str, key: str) -> Keyed:
    said = {
        "action_type": "calendar_create",
        "action_description": f"do what {key} is for",
        "action_details": "tomorrow",
        "timeout_minutes": 30,
        "recipient": person,
    }
    status, answer = await world.api.call(
        "POST", "/confirmation", json=said, headers={"Idempotency-Key": key}
    )
    return Keyed(key, said, status, answer)


def _first(rows: Sequence[Row], change: Callable[[dict[str, Any]], dict[str, Any]]) -> list[Row]:
    return [change(dict(rows[0])), *rows[1:]]


def _proof(history: History, **changes: Any) -> History:
    return replace(history, proof=replace(history.proof, **changes))


def _out(history: History, **changes: Any) -> History:
    return replace(history, deliveries=replace(history.deliveries, **changes))


def _another_answer(history: History) -> History:
    again = replace(history.keyed[2], answer={**history.keyed[2].answer, "id": history.keyed[1].answer["id"]})
    return replace(history, keyed=[*history.keyed, again])


def _another_body(history: History) -> History:
    again = replace(history.keyed[0], said={**history.keyed[0].said, "action_details": "today"})
    return replace(history, keyed=[*history.keyed, again])


def _asked_beside(history: History) -> History:
    return replace(history, keyed=[each for each in history.keyed if each.key == "k1"] + [
        replace(history.keyed[1], status=503, answer={})])  # fmt: skip


def _put_twice(history: History) -> History:
    prompt = next(row for row in history.messages if row["purpose"] == "prompt")
    return replace(history, messages=[*history.messages, {**prompt}])


def _decided_by_another(history: History) -> History:
    other = history.answers[1]["person_id"]
    return replace(history, answers=_first(history.answers, lambda row: {**row, "person_id": other}))


def _not_delivered(history: History) -> History:
    return _out(history, rows=history.deliveries.rows[1:])


def _never_called(history: History) -> History:
    row = history.deliveries.rows[0]
    return _out(
        history, calls=[call for call in history.deliveries.calls if call["delivery_id"] != row["id"]]
    )


def _left_lying(history: History) -> History:
    lying = {"state": "pending", "work": None}
    return _out(history, rows=_first(history.deliveries.rows, lambda row: row | lying))


def _failed_in_silence(history: History) -> History:
    silent = {"state": "failed", "reason": None}
    return _out(history, rows=_first(history.deliveries.rows, lambda row: row | silent))


def _out_of_order(history: History) -> History:
    return _out(history, calls=history.deliveries.calls[::-1])


def _written_out_of_order(history: History) -> History:
    last = len(history.deliveries.rows) + max(row["seq"] for row in history.deliveries.rows)
    turned = [{**row, "seq": last - row["seq"]} for row in history.deliveries.rows]
    return _out(history, rows=turned, calls=history.deliveries.calls[::-1])


def _told_out_of_order(history: History) -> History:
    return _out(history, received=history.deliveries.received[::-1])


def _told(history: History) -> Iterator[Received]:
    return (each for each in history.deliveries.received if b'"confirmation.' in each.body)


def _another_id(history: History) -> History:
    wrong = replace(next(_told(history)), webhook_id="evt_another")
    return _out(history, received=[*history.deliveries.received, wrong])


def _another_wording(history: History) -> History:
    first = next(_told(history))
    wrong = replace(first, body=json.dumps(json.loads(first.body), indent=1).encode())
    return _out(history, received=[*history.deliveries.received, wrong])


def _receipt_changed(history: History) -> History:
    def change(row: dict[str, Any]) -> dict[str, Any]:
        head, payload, signature = row["jws"].split(".")
        said = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        other = urlsafe_b64encode(json.dumps(said | {"words_version": 0}).encode()).rstrip(b"=").decode()
        return {**row, "jws": f"{head}.{other}.{signature}"}

    return _proof(history, receipts=_first(history.proof.receipts, change))


def _receipts_swapped(history: History) -> History:
    one, two = history.proof.receipts
    return _proof(history, receipts=[{**one, "jws": two["jws"]}, {**two, "jws": one["jws"]}])


def _other_keys(history: History) -> History:
    return _proof(history, jwks={"keys": []})


def _outcome_changed(history: History) -> History:
    confirmations = _first(history.confirmations, lambda row: {**row, "action_hash": bytes(32)})
    return replace(history, confirmations=confirmations)


def _entry_changed(history: History) -> History:
    def change(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "entry": bytes(row["entry"]).replace(b"confirmed", b"declined")}

    return _proof(history, log=_first(history.proof.log, change))


def _entry_gone(history: History) -> History:
    return _proof(history, log=history.proof.log[:-1])


def _no_receipt(history: History) -> History:
    return replace(history, proofs=history.proofs[1:])


DOCTORED: list[tuple[Doctor, str]] = [
    (_another_answer, "got different answers"),
    (_another_body, "was taken for different requests"),
    (_asked_beside, "no key was answered with it"),
    (_put_twice, "2 times"),
    (_decided_by_another, "who was not asked"),
    (_not_delivered, "which asked for it"),
    (_never_called, "no call of it was taken"),
    (_left_lying, "was never finished"),
    (_failed_in_silence, "does not say why"),
    (_out_of_order, "before it was through with"),
    (_written_out_of_order, "after confirmation."),
    (_told_out_of_order, "too late"),
    (_another_id, "as evt_another"),
    (_another_wording, "in 2 wordings"),
    (_receipt_changed, "does not verify"),
    (_receipts_swapped, "about something else"),
    (_other_keys, "does not verify"),
    (_outcome_changed, "about something else"),
    (_entry_changed, "the log does not hold"),
    (_entry_gone, "stands in the log, and it does not"),
    (_no_receipt, "is proved"),
]


async def test_the_judge_finds_what_was_doctored_and_nothing_in_what_happened(
    dsn: str, tmp_path: Path
) -> None:
    async with (
        receiving() as receiver,
        a_world(dsn, tmp_path, sayso_endpoints_allow=f"127.0.0.1:{receiver.port}") as world,
    ):
        history = await _lived(world, receiver)
    assert violations(history) == []
    assert len(history.proof.receipts) == len(history.proof.log) == 2
    assert {row["type"] for row in history.deliveries.rows} == {
        "confirmation.asked", "confirmation.decided", "confirmation.executed"}  # fmt: skip
    blind = [
        doctor.__name__
        for doctor, caught in DOCTORED
        if not any(caught in sentence for sentence in violations(doctor(history)))
    ]
    assert blind == [], violations(_first_doctored(history, blind))


def _first_doctored(history: History, names: Sequence[str]) -> History:
    return next((doctor(history) for doctor, _ in DOCTORED if doctor.__name__ in names), history)
