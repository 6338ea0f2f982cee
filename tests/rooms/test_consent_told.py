"""Words about being messaged that others tell us: files, operators, questions by template; and people taken apart."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from harness.mail import NEWS, Mail
from harness.rooms import Clock, runtime
from harness.service import PHONE_NUMBER_ID
from sayso.cli import consent as command
from sayso.consent import amending, chain, ledger, service
from sayso.consent.portable import Imported, read_import
from sayso.consent.rules import CATEGORIES, Action
from sayso.consent.service import Said
from sayso.core.errors import ConsentMissingError, InputInvalidError, NotFoundError, OptedOutError
from sayso.core.tokens import Actor
from sayso.inbound import consent_routes, leaving, recording
from sayso.inbound.leaving import Chat
from sayso.inbound.recording import Told
from sayso.messages import conversations
from sayso.people import service as people
from sayso.people.service import Person
from sayso.templates import mirror
from sayso.whatsapp.content import Template

FILE = (
    "phone,captured_at,wording,evidence,scope\n"
    "+15550001111,2026-01-01T10:00:00Z,I agree,form 7,\n"
    "+15550002222,,,,\n"
    "+15550003333,2026-01-02T10:00:00Z,I agree,form 8,marketing\n"
)


async def may(mail: Mail, phone: str) -> set[str]:
    """What we may begin with whoever has this number, where every category needs an opt-in."""
    person = await mail.person(phone)
    async with mail.rt.db.tx() as tx:
        await tx.execute("DELETE FROM consent_policies")
        holds = await service.verdict(tx, mail.rt, person)
    scopes = ("confirmations", "notifications", "daily_summary", "marketing")
    return {scope for scope in scopes if holds.permits(scope, initiated=True).allowed}


async def test_a_file_of_opt_ins_is_taken_in_once_and_what_lacks_proof_permits_no_marketing(
    mail: Mail,
) -> None:
    rows = [r for r in read_import(FILE, name="in.csv", now=mail.rt.now()) if isinstance(r, Imported)]
    assert await command.write(mail.rt, rows) == (3, 0)
    assert await command.write(mail.rt, rows) == (0, 3)
    everything = {"confirmations", "notifications", "daily_summary", "marketing"}
    assert await may(mail, "+15550001111") == everything
    assert await may(mail, "+15550002222") == everything - {"marketing"}
    assert await may(mail, "+15550003333") == {"marketing"}
    async with mail.rt.db.one() as tx:
        entries = await tx.fetch(
            "SELECT action, method, verified, personal FROM consent_entries ORDER BY seq"
        )
    assert [(e["action"], e["method"], e["verified"]) for e in entries] == [
        ("imported", "import", True),
        ("imported", "import", False),
        ("imported", "import", True),
    ]
    assert entries[0]["personal"]["actor"].startswith("terminal/")


async def test_an_import_lifts_no_stop_unless_it_is_proven_and_later(mail: Mail, clock: Clock) -> None:
    alice = await mail.person("+15550001111")
    bob = await mail.person("+15550002222")
    for person in (alice, bob):
        await mail.said(person, "withdrawn", clock() - timedelta(days=1))
    later = (clock() - timedelta(hours=1)).isoformat()
    text = json.dumps(
        [
            {"phone": "+15550001111", "captured_at": later, "wording": "yes", "evidence": "form"},
            {"phone": "+15550002222"},
        ]
    )
    rows = [r for r in read_import(text, name="in.json", now=clock()) if isinstance(r, Imported)]
    await command.write(mail.rt, rows)
    assert await may(mail, "+15550001111")
    assert await may(mail, "+15550002222") == set()


def test_a_file_with_a_mistake_is_refused_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(record=True, width=120)
    monkeypatch.setattr(command, "out", console)
    monkeypatch.setattr(command, "with_runtime", lambda *_: pytest.fail("nothing may be written"))
    file = tmp_path / "in.csv"
    file.write_text(FILE + "not a number,,,,\n")
    with pytest.raises(typer.Exit) as ended:
        command.take_in(file)
    assert ended.value.exit_code == 1
    said = console.export_text()
    assert "1 of 4 rows cannot be taken in" in said
    assert "not an international phone number" in said
    file.write_text(FILE)
    command.take_in(file, dry_run=True)
    assert "3 opt-ins could be taken in, 1 unverified" in console.export_text()
    with pytest.raises(InputInvalidError, match="cannot be read"):
        command.take_in(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: command.policy(None, required=True, reason="x"), "Which category"),
        (
            lambda: command.policy("everything", required=True, reason="x"),
            "There is no category 'everything'",
        ),
        (lambda: command.policy("marketing", required=True, reason="  "), "Say why, with --reason"),
        (lambda: command.export(form="xml"), "json or csv"),
    ],
)
def test_what_the_command_line_cannot_do_is_a_sentence(call: Any, sentence: str) -> None:
    with pytest.raises(InputInvalidError, match=sentence):
        call()


@pytest.fixture
async def with_template(dsn: str, clock: Clock) -> AsyncIterator[Mail]:
    """An installation that has a template to ask for an opt-in."""
    async with runtime(dsn, now=clock, sayso_opt_in_template="opt_in_request") as rt:
        yield Mail(rt)


async def test_outside_the_window_a_template_asks_with_the_same_payloads(with_template: Mail) -> None:
    mail = with_template
    alice = await mail.person()
    told = Told(
        person=alice, client_id="bot", actor="bot/alice", captured_at=mail.rt.now(), scope=("marketing",)
    )
    async with mail.rt.db.tx() as tx:
        question_id = await recording.ask(tx, mail.rt, told)
        [message] = await tx.fetch("SELECT * FROM messages")
        [question] = await tx.fetch("SELECT * FROM consent_questions")
    content = message["content"]
    assert (content["type"], content["name"]) == ("template", "opt_in_request")
    assert content["parameters"] == ["AI Assistant"]
    assert content["quick_replies"] == [f"oi1:{question_id}:yes", f"oi1:{question_id}:no"]
    assert (question["id"], question["scope"]) == (question_id, ["marketing"])
    assert "template opt_in_request" in question["shown"]["wording"]


async def _two_of_one(mail: Mail) -> tuple[Person, Person]:
    one, other = await mail.person(), await mail.person("+15550002222")
    return one, other


async def test_people_taken_apart_both_stay_out(mail: Mail, clock: Clock) -> None:
    one, other = await _two_of_one(mail)
    await mail.said(one, "granted", clock() - timedelta(days=2))
    await mail.said(other, "granted", clock() - timedelta(days=2))
    await mail.said(one, "withdrawn", clock() - timedelta(days=1))
    async with mail.rt.db.tx() as tx:
        await service.stay_out(tx, mail.rt, one, other)
        holding = await service.verdicts(tx, mail.rt, [one, other])
        assert all(holds.out for holds in holding.values())
        await service.stay_out(tx, mail.rt, one, other)
        assert await tx.fetchval("SELECT count(*) FROM consent_entries") == 4, "said once"
        lines = [line async for line in ledger.lines(tx)]
        head = await ledger.head_of(tx)
    assert chain.verify(lines, head=head, key=ledger.key(mail.rt)).findings == []


async def test_the_other_spelling_of_a_line_that_left_is_out_erased_or_not(mail: Mail, clock: Clock) -> None:
    new, old = "+5541988887777", "+554188887777"
    person = await mail.person(new)
    await mail.said(person, "withdrawn", clock())
    async with mail.rt.db.tx() as tx:
        twin = await people.by_phone(tx, mail.rt, old, learned_from="test")
        assert (await service.verdict(tx, mail.rt, twin)).out is not None
        await service.erase(tx, mail.rt, person)
        await tx.execute("DELETE FROM people_identifiers")
        again = await people.by_phone(tx, mail.rt, old, learned_from="test")
        assert again.id not in (person.id, twin.id)
        assert (await service.verdict(tx, mail.rt, again)).out is not None


async def test_a_refusal_by_meta_is_written_down_once(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    await mail.said(alice, "granted", clock() - timedelta(days=1))
    for number in range(3):
        async with mail.rt.db.tx() as tx:
            entry = await service.stopped_marketing(
                tx, mail.rt, alice, evidence=f"wamid.{number}", at=clock.advance(seconds=1)
            )
            assert (entry.action, entry.scope, entry.method) == (
                "suppressed_by_meta",
                ("marketing",),
                "meta_error",
            )
    async with mail.rt.db.one() as tx:
        assert await tx.fetchval("SELECT count(*) FROM consent_entries") == 2


async def test_entries_of_several_people_at_once_are_one_chain(mail: Mail, clock: Clock) -> None:
    persons = [await mail.person(f"+1555000{number:04}") for number in range(5)]
    said = [Said(person=p, action="granted", method="api", captured_at=clock()) for p in persons * 2]
    async with mail.rt.db.tx() as tx:
        entries = await service.append(tx, mail.rt, said)
        assert await service.append(tx, mail.rt, []) == []
        lines = [line async for line in ledger.lines(tx)]
        head = await ledger.head_of(tx)
    assert [entry.seq for entry in entries] == list(range(1, 11))
    assert chain.verify(lines, head=head, key=ledger.key(mail.rt)).findings == []


async def test_the_end_of_an_opt_in_is_noted_once_and_told(mail: Mail, clock: Clock) -> None:
    async with mail.rt.db.tx() as tx:
        alice = await people.link(
            tx, mail.rt, client_id="bot", external_id="alice", phone="+15550001111", name=None
        )
        ends, never = clock() + timedelta(days=1), clock() + timedelta(days=900)
        said = [
            Said(person=alice, action="granted", method="api", captured_at=clock(), expires_at=at)
            for at in (ends, never, None)
        ]
        (first, *_) = await service.append(tx, mail.rt, said[:1])
        assert await amending.note_ends(tx, mail.rt) == 0
        clock.advance(days=2)
        assert await amending.note_ends(tx, mail.rt) == 1
        assert await amending.note_ends(tx, mail.rt) == 0
        note = await tx.fetchrow("SELECT * FROM consent_entries WHERE action = 'expired'")
        assert note is not None
        assert (note["about"], note["captured_at"], note["method"]) == (first.id, ends, "time")
    assert await mail.events() == ["person.opt_in_ended"]
    assert await may(mail, "+15550001111") == set()
    async with mail.rt.db.tx() as tx:
        await service.append(tx, mail.rt, said[1:])
    assert await may(mail, "+15550001111")


async def test_an_end_is_told_only_of_what_still_rested_on_that_opt_in(mail: Mail, clock: Clock) -> None:
    ends, begins = clock() + timedelta(days=1), clock() + timedelta(hours=1)
    later = {"renewed": ("all",), "left": ("all",), "one": ("marketing",)}
    async with mail.rt.db.tx() as tx:
        for number, (name, scope) in enumerate(later.items()):
            person = await people.link(
                tx, mail.rt, client_id="bot", external_id=name, phone=f"+1555000{number:04}", name=None
            )
            first = Said(person=person, action="granted", method="api", captured_at=clock(), expires_at=ends)
            action: Action = "withdrawn" if name == "left" else "renewed"
            said = Said(person=person, action=action, method="api", captured_at=begins, scope=scope)
            await service.append(tx, mail.rt, [first, said])
        clock.advance(days=2)
        assert await amending.note_ends(tx, mail.rt) == len(later)
        told = await tx.fetch("SELECT data FROM events")
    assert [row["data"]["scope"] for row in told] == [
        ["confirmations", "notifications", "daily_summary", "service"]
    ]


async def test_what_was_recorded_by_mistake_is_struck_out_and_what_people_said_is_not(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    before = Said(person=alice, action="granted", method="api", captured_at=clock())
    wrong = Said(person=alice, action="withdrawn", method="api", captured_at=clock.advance(seconds=1))
    async with mail.rt.db.tx() as tx:
        (_, mistake) = await service.append(tx, mail.rt, [before, wrong])
        note = await amending.correct(tx, mail.rt, mistake.id, actor="terminal/me", reason="another Alice")
    assert await may(mail, "+15550001111")
    stop = Said(person=alice, action="withdrawn", method="keyword", captured_at=clock.advance(seconds=1))
    async with mail.rt.db.tx() as tx:
        meta = await service.stopped_marketing(tx, mail.rt, alice, evidence="wamid.1", at=clock())
        (said,) = await service.append(tx, mail.rt, [stop])
        for entry, why in (
            (mistake.id, f"entry {note.id} did so already"),
            (note.id, "a note about another entry"),
            (meta.id, "only Meta takes it back"),
            (said.id, "only they take it back"),
        ):
            with pytest.raises(InputInvalidError, match=why):
                await amending.correct(tx, mail.rt, entry, actor="terminal/me", reason="x")
        with pytest.raises(NotFoundError):
            await amending.correct(tx, mail.rt, "con_none", actor="terminal/me", reason="x")
    assert await may(mail, "+15550001111") == set()


async def _leaves(mail: Mail, alice: Person, at: datetime) -> leaving.Left:
    said = Said(person=alice, action="withdrawn", method="keyword", captured_at=at)
    async with mail.rt.db.tx() as tx:
        return await leaving.leave(tx, mail.rt, said, Chat(phone_number_id=PHONE_NUMBER_ID, language="en"))


async def test_a_stop_leaves_what_no_later_opt_in_covers(mail: Mail, clock: Clock) -> None:
    async with mail.rt.db.tx() as tx:
        alice = await people.link(
            tx, mail.rt, client_id="bot", external_id="alice", phone="+15550001111", name=None
        )
        later = Said(
            person=alice, action="granted", method="api", captured_at=clock(), scope=("daily_summary",)
        )
        await service.append(tx, mail.rt, [later])
    about = {category: await mail.queue(alice, category=category) for category in CATEGORIES}
    left = await _leaves(mail, alice, clock() - timedelta(days=2))
    assert (left.stale, left.news, left.suppressed) == (False, True, 3)
    states = {category: (await mail.state(queued))[0] for category, queued in about.items()}
    assert states == dict.fromkeys(CATEGORIES, "suppressed") | {"daily_summary": "queued"}
    async with mail.rt.db.one() as tx:
        [told] = await tx.fetch("SELECT data FROM events WHERE type = 'person.opted_out'")
        answers = await tx.fetchval("SELECT count(*) FROM messages WHERE purpose = 'consent'")
    assert set(told["data"]["scope"]) == {"confirmations", "notifications", "marketing", "service"}
    assert answers == 1


async def test_a_stop_is_stale_only_when_nothing_of_it_holds(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    async with mail.rt.db.tx() as tx:
        later = Said(person=alice, action="granted", method="api", captured_at=clock())
        await service.append(tx, mail.rt, [later])
    assert (await _leaves(mail, alice, clock() - timedelta(days=2))).stale
    assert (await _leaves(mail, alice, clock() - timedelta(seconds=1))).news, "the same moment by two clocks"


async def test_a_repeated_opt_out_waits_for_what_is_under_way_as_the_first_did(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "QUIET_WITHIN_S", 0)
    alice = await mail.person()
    await mail.wrote(alice, mail.rt.now())
    await mail.queue(alice)
    assert len(await mail.claim()) == 1
    actor = Actor("bot", "alice", frozenset(), "j")
    body = consent_routes.RevokeIn(recipient=alice.phone, reason="said so")
    for _ in range(2):
        answer = await consent_routes.revoke(mail.rt, actor, body, "key")
        assert (answer.status_code, json.loads(bytes(answer.body))["under_way"]) == (202, 1)


async def test_an_opt_out_of_marketing_waits_for_what_meta_calls_that_though_it_is_free(
    mail: Mail, clock: Clock
) -> None:
    """Who came by an ad is written to for free, and what goes to them is expected to count as that."""
    alice = await mail.person()
    async with mail.rt.db.tx() as tx:
        await mirror.take_in(tx, mail.rt, [NEWS], began=clock())
        await conversations.note_inbound(tx, mail.rt, alice, PHONE_NUMBER_ID, clock(), referred=True)
    await mail.queue(alice, content=Template("news", "en", ("Ben",)), price_estimate="marketing")
    assert len(await mail.claim()) == 1
    async with mail.rt.db.one() as tx:
        assert await leaving.in_flight(tx, mail.rt, alice, ["marketing"]) == 1
        assert await leaving.in_flight(tx, mail.rt, alice, ["daily_summary"]) == 0


async def test_nobody_is_asked_again_before_they_answered_nor_after_a_no_or_a_stop(
    with_template: Mail, clock: Clock
) -> None:
    mail = with_template
    alice, ben = await mail.person(), await mail.person("+15550002222")

    async def ask(person: Person, *scope: str) -> str:
        told = Told(person=person, client_id="bot", actor="bot/a", captured_at=clock(), scope=scope)
        async with mail.rt.db.tx() as tx:
            return await recording.ask(tx, mail.rt, told)

    first = await ask(alice, "marketing")
    with pytest.raises(ConsentMissingError, match=first):
        await ask(alice, "notifications")
    clock.advance(days=8)
    assert await ask(alice, "marketing") != first, "that question has ended"
    clock.advance(days=8)
    await mail.said(alice, "denied", clock())
    with pytest.raises(OptedOutError, match="said no to"):
        await ask(alice, "marketing")
    async with mail.rt.db.tx() as tx:
        await service.stopped_marketing(tx, mail.rt, ben, evidence="wamid.1", at=clock())
    with pytest.raises(OptedOutError, match="opted out"):
        await ask(ben, "notifications", "marketing")
    assert await ask(ben, "notifications")
