"""The pages over a real database: who sees what; texts that mean harm, what was erased, what was forged."""

import base64
import dataclasses
import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from harness.contract import bearer
from harness.decisions import ACTION, Decisions
from harness.mail import Mail
from harness.service import TOKENS
from sayso.app import PAGES, api
from sayso.confirmations import asking as confirmations
from sayso.confirmations import forgetting, log, service
from sayso.confirmations.asking import SIMPLE, Asking
from sayso.confirmations.policy import NONE, Auto, Step, Wish, resolve
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Option
from sayso.confirmations.whom import Asked, Later
from sayso.core.api import LARGEST_BODY
from sayso.core.runtime import Runtime
from sayso.core.tokens import ASSISTANT_SCOPES
from sayso.dashboard import words
from sayso.dashboard.signing_in import COOKIE, MOST_REFUSED
from sayso.people.service import Person
from sayso.whatsapp.content import Text

HOSTILE = "<img src=x onerror=alert(1)> \u202eyap\u2069 “quoted” {{7*7}} ${1}"
SHOWN = "&lt;img src=x onerror=alert(1)&gt; ⟨U+202E⟩yap⟨U+2069⟩ “quoted” {{7*7}} ${1}"
CONFIRMATIONS = "/dashboard/confirmations"


@dataclass
class Pages:
    """The pages, and a browser that keeps no cookie but those it is handed."""

    rt: Runtime
    http: httpx2.AsyncClient
    decisions: Decisions

    async def enter(self, client: str = "bot", *scopes: str, **more: Any) -> httpx2.Response:
        """Sign in."""
        signed = bearer(client, scopes=scopes or ASSISTANT_SCOPES)
        return await self.http.post(
            "/dashboard/login", data={"token": signed, **more.pop("data", {})}, **more
        )

    async def cookie(self, client: str = "bot", *scopes: str) -> dict[str, str]:
        """The header of who has signed in."""
        entered = await self.enter(client, *scopes)
        assert entered.status_code == 303, entered.text
        return {"cookie": entered.headers["set-cookie"].partition(";")[0]}

    async def seen(self, path: str, client: str = "bot", *scopes: str) -> httpx2.Response:
        """A page as somebody sees it who has just signed in."""
        return await self.http.get(path, headers=await self.cookie(client, *scopes))

    async def change(self, sql: str, *args: Any) -> None:
        """What no code of ours does."""
        async with self.rt.db.tx() as tx:
            await tx.execute(sql, *args)


@pytest.fixture
async def pages(rt: Runtime) -> AsyncIterator[Pages]:
    transport = httpx2.ASGITransport(api(rt, TOKENS))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sayso.test", trust_env=False) as http:
        http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield Pages(rt, http, Decisions(rt))


async def test_who_has_not_signed_in_is_asked_to_and_comes_back(pages: Pages) -> None:
    wanted = f"{CONFIRMATIONS}?status=held"
    sent = await pages.http.get(wanted)
    assert (sent.status_code, sent.headers["location"].partition("?")[0]) == (303, "/dashboard/login")
    asked = await pages.http.get(sent.headers["location"])
    assert 'value="/dashboard/confirmations?status=held"' in asked.text
    entered = await pages.enter(data={"next": wanted})
    assert entered.headers["location"] == wanted
    cookie = entered.headers["set-cookie"].lower()
    assert all(each in cookie for each in ("httponly", "samesite=strict", "path=/dashboard", "max-age="))
    assert "secure" not in cookie
    by_https = await pages.enter(headers={"x-forwarded-proto": "https"})
    assert "secure" in by_https.headers["set-cookie"].lower()


#: Paths that anybody may ask for: they say nothing of anybody.
OPEN = {"", "/login", "/logout", "/static/{name}", "/{path:path}"}


async def test_every_page_but_the_door_is_for_who_has_signed_in_and_none_changes_anything(
    pages: Pages,
) -> None:
    routes = [route for router in PAGES for route in router.routes if isinstance(route, APIRoute)]
    changing = {route.path for route in routes if route.methods != {"GET"}}
    assert changing == {"/dashboard/login", "/dashboard/logout"}
    closed = [route.path for route in routes if route.path.removeprefix("/dashboard") not in OPEN]
    assert len(closed) == 3
    for path in closed:
        filled = path.format(confirmation_id=await pages.decisions.confirmed(), form="jws")
        for cookie in ("", "x.y.z", bearer("bot", scopes=("admin",)).partition(" ")[2]):
            sent = await pages.http.get(filled, headers={"cookie": f"{COOKIE}={cookie}"})
            assert sent.status_code == 303, path
            assert sent.headers["location"].startswith("/dashboard/login?next=")
            assert sent.text == ""


async def test_a_token_that_may_not_see_the_facts_is_refused_in_words(pages: Pages) -> None:
    refused = await pages.enter("bot", "confirmations:read")
    assert refused.status_code == 403
    assert "lacks messages:read, events:read, templates:read" in refused.text
    assert "set-cookie" not in refused.headers
    nonsense = await pages.http.post("/dashboard/login", content=b"\xff%%", headers={"content-type": "x"})
    assert nonsense.status_code == 401


async def test_after_many_refused_tokens_even_a_good_one_waits(pages: Pages, clock: Any) -> None:
    for _ in range(MOST_REFUSED):
        assert (await pages.http.post("/dashboard/login", data={"token": "x"})).status_code == 401
    assert (await pages.enter()).status_code == 429
    clock.advance(minutes=1)
    assert (await pages.enter()).status_code == 303


async def test_a_form_of_another_site_neither_signs_in_nor_out(pages: Pages) -> None:
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert (await pages.enter(headers=elsewhere)).status_code == 403
    assert (await pages.http.post("/dashboard/logout", headers=elsewhere)).status_code == 403
    gone = await pages.http.post("/dashboard/logout")
    assert gone.headers["set-cookie"].startswith(f'{COOKIE}="";')


async def test_what_a_caller_or_a_person_wrote_is_shown_and_does_nothing(pages: Pages) -> None:
    confirmation_id = await pages.decisions.ask()
    await pages.decisions.posted(confirmation_id)
    await pages.decisions.decide(
        confirmation_id, by=await pages.decisions.answered(confirmation_id, said=HOSTILE)
    )
    action = {
        "action_type": HOSTILE,
        "action_description": HOSTILE,
        "action_details": HOSTILE,
        "action": {HOSTILE: 1},
    }
    await pages.change(
        "UPDATE confirmations SET action = $2, policy_version = $3 WHERE id = $1",
        confirmation_id,
        action,
        HOSTILE,
    )
    shown = {"session": {"type": "buttons", "body": HOSTILE, "buttons": [{"id": "x", "title": HOSTILE}]}}
    await pages.change("UPDATE approvers SET shown = $2 WHERE confirmation_id = $1", confirmation_id, shown)
    for path in (CONFIRMATIONS, f"{CONFIRMATIONS}/{confirmation_id}"):
        page = await pages.seen(path)
        assert page.status_code == 200
        assert SHOWN in page.text
        assert "<img src=x" not in page.text
        assert "\u202e" not in page.text


async def test_no_page_lets_a_browser_run_or_keep_or_frame_anything(pages: Pages) -> None:
    confirmation_id = await pages.decisions.confirmed()
    for path in ("", "/login", "/nowhere", "/confirmations", f"/confirmations/{confirmation_id}"):
        page = await pages.seen(f"/dashboard{path}")
        if page.status_code == 303:
            continue
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "style=" not in page.text
        leads = re.findall(r'(?:href|src|action)="([^"]*)"', page.text)
        assert [each for each in leads if not re.match("/[^/]", each)] == [], "nothing is of another site"
    for name in ("dashboard.css", "dashboard.js", "mark.svg"):
        assert (await pages.http.get(f"/dashboard/static/{name}")).status_code == 200
    assert (await pages.http.get("/dashboard/static/..%2f__init__.py")).status_code == 404


async def test_one_that_is_not_there_and_one_of_another_look_alike(pages: Pages) -> None:
    confirmation_id = await pages.decisions.confirmed()
    never = "cnf_" + "0" * 26
    for path in (f"{CONFIRMATIONS}/{{}}", f"{CONFIRMATIONS}/{{}}/receipt.jws"):
        others = await pages.seen(path.format(confirmation_id), "other")
        nobodys = await pages.seen(path.format(never), "other")
        assert (others.status_code, others.text) == (404, nobodys.text)
        admins = await pages.seen(path.format(confirmation_id), "third", "admin")
        assert admins.status_code == 200
    for odd in ("x", "cnf_" + "0" * 25 + "!", "%00", "x" * 5000):
        assert (await pages.seen(f"{CONFIRMATIONS}/{odd}")).status_code == 404


async def test_the_list_shows_ones_own_page_by_page_and_an_administrator_all(pages: Pages) -> None:
    person = await Mail(pages.rt).person()
    made = [await pages.decisions.ask(person) for _ in range(27)]
    theirs = await pages.decisions.ask(person, client="other")
    first = await pages.seen(CONFIRMATIONS)
    assert [each for each in made if each in first.text] == made[2:]
    second = await pages.seen(f"{CONFIRMATIONS}?before={made[2]}")
    assert [each for each in made if each in second.text] == made[:2]
    assert theirs not in first.text + second.text
    everybodys = await pages.seen(CONFIRMATIONS, "third", "admin")
    assert theirs in everybodys.text
    none = await pages.seen(f"{CONFIRMATIONS}?status=decided&before=%00")
    assert "No confirmation stands so." in none.text


async def test_the_receipt_is_verified_and_can_be_kept(pages: Pages) -> None:
    confirmation_id = await pages.decisions.confirmed()
    page = await pages.seen(f"{CONFIRMATIONS}/{confirmation_id}")
    assert "✓ verified" in page.text
    assert "none covers the entry yet" in page.text
    async with pages.rt.db.tx() as tx:
        await log.checkpoint(tx, pages.rt, now=True)
    later = await pages.decisions.confirmed()
    page = await pages.seen(f"{CONFIRMATIONS}/{confirmation_id}")
    assert "over the first 1, signed" in page.text
    assert "none covers the entry yet" in (await pages.seen(f"{CONFIRMATIONS}/{later}")).text
    row = await pages.decisions.row(confirmation_id)
    kept = await pages.seen(f"{CONFIRMATIONS}/{confirmation_id}/receipt.jws")
    assert (kept.text, kept.headers["content-type"]) == (row["jws"], "application/jose")
    assert kept.headers["content-disposition"] == f'attachment; filename="{confirmation_id}.jws"'
    whole = await pages.seen(f"{CONFIRMATIONS}/{confirmation_id}/receipt.json")
    assert whole.json()["receipt"] == row["jws"]


def forged(signed: str) -> str:
    """The same receipt with another outcome, under the old signature."""
    head, payload, signature = signed.split(".")
    said = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).replace(b"confirmed", b"conformed")
    return f"{head}.{base64.urlsafe_b64encode(said).decode().rstrip('=')}.{signature}"


async def test_a_receipt_that_does_not_hold_is_told_as_one(pages: Pages) -> None:
    confirmation_id = await pages.decisions.confirmed()
    other = forged((await pages.decisions.row(confirmation_id))["jws"])
    await pages.change("UPDATE receipts SET jws = $2 WHERE confirmation_id = $1", confirmation_id, other)
    page = await pages.seen(f"{CONFIRMATIONS}/{confirmation_id}")
    assert "✗ does not hold" in page.text
    assert "it does not fit what is signed" in page.text
    assert "The outcome is" not in page.text, "what is not genuine is not told"


async def test_what_was_erased_is_told_as_erased(pages: Pages) -> None:
    person = await Mail(pages.rt).person()
    confirmation_id = await pages.decisions.confirmed(person)
    async with pages.rt.db.tx() as tx:
        await forgetting.empty(tx, person, None)
    page = await pages.seen(f"{CONFIRMATIONS}/{confirmation_id}")
    assert "Whom this was about has been erased." in page.text
    assert "The words were erased." in page.text
    assert "schedule a meeting with John" not in page.text
    assert "✓ verified" in page.text
    assert "The person was erased" in (await pages.seen(CONFIRMATIONS)).text


async def test_a_code_is_not_shown_before_it_is_decided(pages: Pages) -> None:
    alice = await Mail(pages.rt).person()
    confirmation_id = await pages.decisions.ask(alice)
    shown = {"session": {"type": "buttons", "body": "reply with 4711", "buttons": []}}
    await pages.change("UPDATE confirmations SET challenge = 'code' WHERE id = $1", confirmation_id)
    await pages.change(
        "UPDATE approvers SET code = '4711', shown = $2 WHERE confirmation_id = $1", confirmation_id, shown
    )
    row = await pages.decisions.row(confirmation_id)
    async with pages.rt.db.tx() as tx:
        await service.say(tx, pages.rt, row, Text("again: 4711"), purpose="notice", person=alice)
    page = await pages.seen(f"{CONFIRMATIONS}/{confirmation_id}")
    assert "4711" not in page.text
    assert "reply with ••••" in page.text
    assert "again: ••••" in page.text
    await pages.decisions.decide(confirmation_id, "expired")
    assert "reply with 4711" in (await pages.seen(f"{CONFIRMATIONS}/{confirmation_id}")).text


def asking(person: Person, **more: Any) -> Asking:
    """A question of the assistant ``bot`` to somebody."""
    asked = {
        "client_id": "bot",
        "user_id": "alice",
        "asked": [Asked(person, "Alice")],
        "sender": "100000000000001",
    }
    return Asking(**{**asked, "action": Action.of(ACTION), "lasts": timedelta(hours=1), **more})


async def test_every_kind_of_question_has_its_page(pages: Pages) -> None:
    alice, ben = await Mail(pages.rt).person(), await Mail(pages.rt).person("+15550002222")
    rule = resolve(
        NONE, Wish(action_type="x", tier="high", undo_seconds=60, remind_minutes_before=5, ask_reason=True)
    )
    options = [Option(str(place), f"option {place}", "more of it") for place in range(5)]
    later = [Later(Step(after="10m", when="unread", to="ben"), ben)]
    kinds: dict[str, dict[str, Any]] = {
        "reply with the code": {"rule": rule},
        "“option 3”": {
            "kind": "choose",
            "options": options,
            "action": Action("choice", "pick", "one", {"a": [1]}),
        },
        "not asked yet": {"later": later, "rule": dataclasses.replace(SIMPLE, escalation=[later[0].step])},
        "in place of somebody absent": {"asked": [Asked(alice, "Alice", delegated_from=ben.id)]},
    }
    for said, more in kinds.items():
        async with pages.rt.db.tx() as tx:
            confirmation_id = await confirmations.ask(tx, pages.rt, asking(alice, **more))
        page = await pages.seen(f"{CONFIRMATIONS}/{confirmation_id}")
        assert page.status_code == 200
        assert said in page.text


async def test_what_a_rule_decided_and_what_is_held_or_frozen_has_its_page(pages: Pages) -> None:
    alice = await Mail(pages.rt).person()
    async with pages.rt.db.tx() as tx:
        by_rule = await confirmations.decided_at_once(
            tx, pages.rt, asking(alice), Auto(name="small", then="allow")
        )
    page = await pages.seen(f"{CONFIRMATIONS}/{by_rule}")
    assert all(
        each in page.text for each in ("Nobody was asked.", "small decided; nobody was asked", "✓ verified")
    )
    held = await pages.decisions.ask(alice)
    change = "UPDATE confirmations SET status = 'held', leaning = 'declined', held_until = expires_at WHERE id = $1"
    await pages.change(change, held)
    assert "It is to be declined" in (await pages.seen(f"{CONFIRMATIONS}/{held}")).text
    await pages.change("UPDATE confirmations SET frozen_why = 'identity_changed' WHERE id = $1", held)
    page = await pages.seen(f"{CONFIRMATIONS}/{held}")
    assert "<b>Frozen</b>, since WhatsApp was set up on another phone." in page.text
    assert page.text.count('class="badge bad large">Frozen') == 1


async def test_a_question_that_went_out_as_a_template_is_shown_as_one(pages: Pages) -> None:
    confirmation_id = await pages.decisions.ask()
    await pages.decisions.posted(confirmation_id)
    await pages.change("UPDATE messages SET form = 'template' WHERE confirmation_id = $1", confirmation_id)
    page = await pages.seen(f"{CONFIRMATIONS}/{confirmation_id}")
    assert "the template confirmation_request (en); its variables alone" in page.text
    assert "{{2}} schedule a meeting with John" in page.text


#: Columns whose states the pages tell in words; others are shown as they are.
TOLD: dict[str, Collection[str]] = {
    "approvers.because": words.BECAUSE,
    "approvers.lost": words.LOST,
    "approvers.state": words.STANDS,
    "confirmations.outcome": words.OUTCOMES,
    "confirmations.status": {*words.OPEN, "decided"},
    "deliveries.state": words.DELIVERIES,
    "executions.status": words.EXECUTIONS,
    "messages.state": words.MESSAGES,
}


async def test_every_state_that_the_database_can_hold_has_its_words(pages: Pages) -> None:
    async with pages.rt.db.one() as tx:
        rows = await tx.fetch(
            "SELECT conrelid::regclass || '.' || a.attname AS name, pg_get_constraintdef(c.oid) AS rule "
            "FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND ARRAY[a.attnum] = c.conkey "
            "WHERE c.contype = 'c' AND conrelid::regclass || '.' || a.attname = ANY($1)",
            list(TOLD),
        )
    held = {row["name"]: set(re.findall(r"'(\w+)'", row["rule"])) for row in rows}
    assert held == {name: set(known) for name, known in TOLD.items()}


@pytest.mark.parametrize("path", [CONFIRMATIONS, f"{CONFIRMATIONS}/cnf_{'0' * 26}"])
async def test_what_nobody_thought_of_is_told_as_a_page(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise KeyError("secret")

    cookie = await pages.cookie()
    monkeypatch.setattr("sayso.confirmations.story.tell", broken)
    monkeypatch.setattr("sayso.confirmations.service.page", broken)
    page = await pages.http.get(path, headers=cookie)
    assert (page.status_code, page.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "Something went wrong" in page.text
    assert "dashboard.failed" in page.text
    assert "Sign out" in page.text, "whoever has signed in still has"
    assert "secret" not in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_what_a_page_does_not_take_is_told_as_a_page(pages: Pages) -> None:
    flood = await pages.http.post("/dashboard/login", content=b"x" * (LARGEST_BODY + 1))
    assert (flood.status_code, flood.headers["content-type"]) == (413, "text/html; charset=utf-8")
    assert "Not possible" in flood.text
