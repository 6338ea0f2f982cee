"""What of a person's entries an assistant sees: its own, and the person's when it knows them."""

import json
from typing import Any

import pytest

from harness.mail import Mail
from harness.rooms import Clock
from sayso.consent import service
from sayso.consent.service import Said
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.inbound import consent_routes, export_routes
from sayso.inbound.export_routes import ExportQuery
from sayso.people import service as people
from sayso.whatsapp.updates import Identity


def actor(client_id: str, *scopes: str) -> Actor:
    return Actor(client_id, "alice", frozenset(scopes), "j")


@pytest.fixture
async def mail(rt: Runtime, clock: Clock) -> Mail:
    """Alice by two names; an operator's entry, an assistant's, hers, and Meta's."""
    made = Mail(rt)
    async with rt.db.tx() as tx:
        known = Identity(bsuid="US.1234567890", wa_id="15550001111")
        alice = await people.meet(tx, rt, known, learned_from="test")
        said: list[dict[str, Any]] = [
            {"action": "granted", "method": "paper"},
            {"action": "granted", "method": "api", "client_id": "bot"},
            {"action": "denied", "method": "keyword"},
        ]
        personal = {"wording": "w"}
        await service.append(
            tx, rt, [Said(person=alice, captured_at=clock(), personal=personal, **each) for each in said]
        )
        await service.stopped_marketing(tx, rt, alice, evidence="wamid.1", at=clock())
    return made


async def read(mail: Mail, who: Actor, recipient: str | None = "+15550001111") -> list[dict[str, Any]]:
    answer = await consent_routes.read(mail.rt, who, recipient)
    entries: list[dict[str, Any]] = json.loads(bytes(answer.body))["entries"]
    return entries


async def exported(mail: Mail, who: Actor) -> list[dict[str, Any]]:
    answer: Any = await export_routes.export(mail.rt, who, ExportQuery(recipient="+15550001111"))
    entries: list[dict[str, Any]] = json.loads("".join([piece async for piece in answer.body_iterator]))[
        "entries"
    ]
    return entries


async def test_an_assistant_sees_of_whom_it_does_not_know_what_it_said_itself(mail: Mail) -> None:
    for look in (read, exported):
        assert await look(mail, actor("other")) == []
        assert [entry["client_id"] for entry in await look(mail, actor("bot"))] == ["bot"]
        everything = await look(mail, actor("ops", "admin"))
        assert [entry["method"] for entry in everything] == ["paper", "api", "keyword", "meta_error"]


@pytest.mark.parametrize("linked", [True, False])
async def test_of_whom_it_knows_it_sees_the_persons_words_by_the_name_it_asked_by(
    mail: Mail, *, linked: bool
) -> None:
    if linked:
        async with mail.rt.db.tx() as tx:
            await people.link(
                tx, mail.rt, client_id="bot", external_id="alice", phone="+15550001111", name=None
            )
    else:
        await mail.queue(await mail.person())
    for recipient in ("+15550001111", None) if linked else ("+15550001111",):
        seen = await read(mail, actor("bot"), recipient)
        assert [entry["method"] for entry in seen] == ["api", "keyword", "meta_error"]
        assert all("bsuid" not in entry["personal"]["identifiers"] for entry in seen)
        assert seen[0]["personal"]["identifiers"]
    by_id = await read(mail, actor("bot"), "US.1234567890")
    assert {tuple(entry["personal"]["identifiers"]) for entry in by_id} == {("bsuid",)}
    assert [entry["personal"] for entry in await exported(mail, actor("bot"))] == [None, None, None]
