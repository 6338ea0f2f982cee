"""Asking, by the route: what a rule of the policy, a replacement, and somebody's absence make of a question."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.decisions import Decisions
from harness.rooms import Clock, runtime
from sayso.confirmations import absences, asking_routes
from sayso.confirmations.requests import ConfirmationIn
from sayso.core.errors import InputInvalidError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.people import service as people
from sayso.people.service import Person

BOT = Actor("bot", "alice", frozenset({"confirmations:ask"}), "t")
OTHER = Actor("other", "alice", frozenset({"confirmations:ask"}), "t")
WHO = {"alice": "+15550001111", "ben": "+15550002222", "carol": "+15550003333"}
POLICY = f"""
version = "1"
[action.payment]
auto = [
  {{ name = "tiny", then = "allow", match = {{ amount = {{ lt = 5 }} }} }},
  {{ name = "vast", then = "deny", match = {{ amount = {{ gt = 999 }} }} }},
]
[action.contract]
approvers = ["{WHO["alice"]}", "{WHO["ben"]}"]
"""


@pytest.fixture
async def rt(dsn: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Runtime]:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    async with runtime(dsn, now=clock, sayso_policy_file=file) as running:
        yield running


@pytest.fixture
async def who(rt: Runtime) -> dict[str, Person]:
    """Three people whom two assistants know by the same names; each has written to us."""
    async with rt.db.tx() as tx:
        for client in ("bot", "other"):
            for user, phone in WHO.items():
                await people.link(tx, rt, client_id=client, external_id=user, phone=phone, name=None)
        return {user: await people.by_phone(tx, rt, phone, learned_from="bot") for user, phone in WHO.items()}


async def ask(rt: Runtime, *, by: Actor = BOT, **body: Any) -> dict[str, Any]:
    said = {
        "action_type": "payment",
        "action_description": "pay the invoice",
        "action_details": "now",
        **body,
    }
    answer = await asking_routes.ask(rt, by, ConfirmationIn.model_validate(said))
    return dict(msgspec.json.decode(answer.body))


async def outcome(rt: Runtime, confirmation_id: str) -> tuple[str | None, str | None]:
    async with rt.db.one() as tx:
        row = await tx.fetchrow(
            "SELECT outcome, superseded_by FROM confirmations WHERE id = $1", confirmation_id
        )
    assert row is not None
    return row["outcome"], row["superseded_by"]


async def away(rt: Runtime, person: Person, delegate: Person, *, by: str = "bot") -> None:
    async with rt.db.tx() as tx:
        until = rt.now() + timedelta(days=1)
        await absences.put(tx, person, delegate, from_at=rt.now(), until=until, set_by=by)


def asked(question: dict[str, Any]) -> list[str]:
    return sorted(each["user"] for each in question["approvers"] if each["state"] == "asked")


@pytest.mark.usefixtures("who")
async def test_what_a_rule_denies_is_not_had_by_offering_it_as_a_choice(rt: Runtime) -> None:
    options = [{"label": "Pay it"}, {"label": "Leave it"}]
    for more in ({}, {"kind": "choose", "options": options}, {"kind": "ask"}):
        denied = await ask(rt, action={"amount": 5000}, **more)
        assert (denied["outcome"], denied["kind"]) == ("declined", more.get("kind", "approve"))
    chosen = await ask(rt, action={"amount": 1}, kind="choose", options=options)
    assert chosen["status"] == "pending", "no rule can choose"


@pytest.mark.usefixtures("who")
async def test_what_takes_the_place_of_another_does_so_also_where_nobody_is_asked_anew(rt: Runtime) -> None:
    first, second = await ask(rt, action={"amount": 50}), await ask(rt, action={"amount": 60})
    again = await ask(rt, action={"amount": 60}, supersedes=first["id"])
    assert again["id"] == second["id"]
    assert await outcome(rt, first["id"]) == ("superseded", second["id"])
    assert (await ask(rt, action={"amount": 60}, supersedes=first["id"]))["id"] == second["id"]
    assert (await ask(rt, action={"amount": 60}, supersedes=second["id"]))["status"] == "pending"
    allowed = await ask(rt, action={"amount": 1}, supersedes=second["id"])
    assert allowed["outcome"] == "confirmed"
    assert await outcome(rt, second["id"]) == ("superseded", allowed["id"])
    with pytest.raises(InputInvalidError, match="was decided before"):
        await ask(rt, action={"amount": 2}, supersedes=second["id"])


@pytest.mark.usefixtures("who")
async def test_the_same_question_with_more_at_stake_is_another(rt: Runtime) -> None:
    plain = await ask(rt)
    assert (await ask(rt))["id"] == plain["id"]
    typed = await ask(rt, tier="high")
    assert (typed["tier"], typed["id"] != plain["id"]) == ("high", True)
    both = [await ask(rt, approvers=["alice", "ben"], need=need) for need in (1, 2)]
    assert [each["needed"] for each in both] == [1, 2]


@pytest.mark.usefixtures("who")
async def test_of_one_dedupe_key_one_is_asked_whatever_else_is_asked_in_the_same_words(rt: Runtime) -> None:
    first = await ask(rt)
    keyed = await ask(rt, dedupe_key="order-17")
    made = Decisions(rt)
    for question in {first["id"], keyed["id"]}:
        await made.decide(question)
    again = await ask(rt, dedupe_key="order-17")
    assert (again["id"], again["outcome"]) == (keyed["id"], "confirmed"), "it is not asked a second time"


@pytest.mark.parametrize("need", [2, "all"])
async def test_two_who_are_both_needed_are_not_one_who_stands_in_for_the_other(
    rt: Runtime, who: dict[str, Person], need: Any
) -> None:
    await away(rt, who["alice"], who["ben"])
    with pytest.raises(InputInvalidError, match="2 have to confirm"):
        await ask(rt, approvers=["alice", "ben"], need=need)
    assert asked(await ask(rt, approvers=["alice", "ben"], need="any")) == ["ben"]
    assert asked(await ask(rt, approvers=["alice", "ben", "carol"], need=2)) == ["ben", "carol"]


async def test_an_absence_holds_for_the_questions_of_the_assistant_that_told_of_it(
    rt: Runtime, who: dict[str, Person]
) -> None:
    await away(rt, who["alice"], who["carol"], by="other")
    assert asked(await ask(rt, approvers=["alice"])) == ["alice"]
    await away(rt, who["alice"], who["ben"])
    assert asked(await ask(rt, approvers=["alice"], action_details="then")) == ["ben"]
    assert asked(await ask(rt, by=OTHER, approvers=["alice"])) == ["carol"]


async def test_a_delegate_who_is_away_hands_on_and_a_circle_ends_with_the_last_of_it(
    rt: Runtime, who: dict[str, Person]
) -> None:
    await away(rt, who["alice"], who["ben"])
    await away(rt, who["ben"], who["carol"])
    question = await ask(rt, approvers=["alice"])
    assert [(each["user"], each["because"]) for each in question["approvers"]] == [("carol", "delegated")]
    await away(rt, who["carol"], who["alice"])
    assert asked(await ask(rt, approvers=["alice"], action_details="then")) == ["carol"]


async def test_nobody_stands_in_whom_the_policy_does_not_let_approve(
    rt: Runtime, who: dict[str, Person]
) -> None:
    await away(rt, who["alice"], who["carol"])
    contract: dict[str, Any] = {"action_type": "contract", "approvers": [WHO["alice"]]}
    assert asked(await ask(rt, **contract)) == ["alice"]
    await away(rt, who["alice"], who["ben"])
    assert asked(await ask(rt, **contract, action_details="then")) == ["ben"]
