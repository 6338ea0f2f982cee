"""The mirror: what a list, a webhook and a refused send make of it, in whatever order they come."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from harness.rooms import Clock, runtime
from sayso.core.errors import TemplateUnknownError
from sayso.core.runtime import Runtime
from sayso.inbound import template_news
from sayso.messages import templating
from sayso.people import service as people
from sayso.templates import mirror, service
from sayso.templates.rules import Gone, Held, Usable
from sayso.whatsapp.content import Template
from sayso.whatsapp.updates import OtherUpdate

WABA = "200000000000001"
BODY = {"type": "BODY", "text": "Hi {{1}}, this is news for you."}


def entry(name: str = "news", language: str = "en", **changes: Any) -> dict[str, Any]:
    """A template as Meta lists it."""
    return {
        "id": "19",
        "name": name,
        "language": language,
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "components": [BODY],
        "quality_score": {"score": "GREEN"},
        "rejected_reason": "NONE",
        **changes,
    }


@pytest.fixture
def clock() -> Clock:
    """Time, by hand."""
    return Clock()


@pytest.fixture
async def rt(dsn: str, clock: Clock) -> AsyncIterator[Runtime]:
    """A runtime whose mirror has one template."""
    async with runtime(dsn, now=clock) as made:
        await compare(made, entry())
        clock.advance(minutes=1)
        yield made


async def compare(rt: Runtime, *found: dict[str, Any], began: Any = None) -> list[str]:
    async with rt.db.tx() as tx:
        keys, _, _ = await mirror.take_in(tx, rt, found, began=began or rt.now())
        return keys


async def told(rt: Runtime, kind: str, at: Any, waba: str = WABA, **value: Any) -> str:
    """A webhook of Meta's about the template."""
    which = {"message_template_name": "news", "message_template_language": "en", "message_template_id": 19}
    async with rt.db.tx() as tx:
        return await template_news.digest(tx, rt, OtherUpdate(kind, "", {**which, **value}, waba, at))


async def told_status(rt: Runtime, event: str, at: Any, **value: Any) -> str:
    return await told(rt, "message_template_status_update", at, event=event, reason="NONE", **value)


async def state(rt: Runtime, language: str = "en") -> Any:
    async with rt.db.one() as tx:
        return (await service.states(tx, rt, [("news", language)])).get(("news", language))


async def asked(rt: Runtime) -> bool:
    """Whether a comparison is due."""
    async with rt.db.one() as tx:
        found: bool | None = await tx.fetchval(
            "SELECT work = 'ready' FROM template_syncs WHERE id = $1", WABA
        )
    return bool(found)


async def kinds(rt: Runtime) -> list[str]:
    """What was told of templates."""
    async with rt.db.one() as tx:
        rows = await tx.fetch("SELECT type FROM events WHERE starts_with(type, 'template.') ORDER BY tx, id")
    return [row["type"] for row in rows]


async def test_what_was_so_before_anybody_looked_is_no_news(rt: Runtime) -> None:
    assert isinstance(await state(rt), Usable)
    assert await kinds(rt) == []


async def test_a_webhook_that_was_overtaken_changes_nothing_and_has_meta_asked(
    rt: Runtime, clock: Clock
) -> None:
    await told_status(rt, "PAUSED", clock.at)
    await told_status(rt, "APPROVED", clock.at + timedelta(seconds=20))
    assert not await asked(rt)
    said = await told_status(rt, "PAUSED", clock.at + timedelta(seconds=10))
    assert "older" in said
    assert isinstance(await state(rt), Usable)
    assert await asked(rt)
    assert await kinds(rt) == ["template.paused", "template.approved"]


async def test_the_same_webhook_twice_is_heard_once(rt: Runtime, clock: Clock) -> None:
    for _ in range(2):
        await told_status(rt, "PAUSED", clock.at, other_info={"title": "FIRST_PAUSE"})
    assert await kinds(rt) == ["template.paused"]
    held = await state(rt)
    assert isinstance(held, Held)
    assert "until" in held.reason


async def test_a_list_asked_for_before_a_webhook_came_does_not_take_its_word_back(
    rt: Runtime, clock: Clock
) -> None:
    began = clock.at
    clock.advance(seconds=2)
    await told_status(rt, "PAUSED", clock.at)
    await compare(rt, entry(), began=began)
    assert isinstance(await state(rt), Held)
    clock.advance(seconds=2)
    assert await compare(rt, entry()) == ["template:news:en"]
    assert isinstance(await state(rt), Usable)


async def test_what_is_not_on_the_list_any_more_is_gone_and_may_come_back(rt: Runtime) -> None:
    assert await compare(rt) == ["template:news:en"]
    assert isinstance(await state(rt), Gone)
    assert await compare(rt) == []
    assert await compare(rt, entry()) == ["template:news:en"]
    assert isinstance(await state(rt), Usable)
    assert await kinds(rt) == ["template.deleted", "template.approved"]


async def test_a_webhook_about_a_template_nobody_knows_or_of_another_account_changes_nothing(
    rt: Runtime, clock: Clock
) -> None:
    said = await told_status(rt, "APPROVED", clock.at, message_template_name="other")
    assert "Meta is asked" in said
    assert await asked(rt)
    assert "not ours" in await told(rt, "message_template_status_update", clock.at, "9", event="PAUSED")
    assert "no template" in await told(
        rt, "message_template_status_update", clock.at, message_template_name=None
    )
    assert isinstance(await state(rt), Usable)


async def overdue(rt: Runtime) -> list[str]:
    async with rt.db.tx() as tx:
        await mirror.look_at_reviews(tx, rt)
        rows = await tx.fetch("SELECT key FROM alerts WHERE resolved_at IS NULL ORDER BY key")
    return [row["key"] for row in rows if row["key"].startswith("template.pending")]


async def test_a_review_is_timed_from_its_own_beginning(rt: Runtime, clock: Clock) -> None:
    await compare(rt, entry(status="PENDING"))
    clock.advance(hours=23)
    await compare(rt, entry(status="PENDING", category="MARKETING"))
    assert await overdue(rt) == []
    clock.advance(hours=1)
    assert await overdue(rt) == ["template.pending:news:en"]
    await compare(rt, entry())
    assert await overdue(rt) == []
    await compare(rt, entry(status="PENDING"))
    assert await overdue(rt) == []
    clock.advance(hours=24)
    assert await overdue(rt) == ["template.pending:news:en"]
    await compare(rt)
    assert await overdue(rt) == []


async def test_an_event_that_says_no_status_has_meta_asked(rt: Runtime, clock: Clock) -> None:
    for event in ("FLAGGED", "LOCKED", "UNARCHIVED", "OF_TOMORROW"):
        assert "Meta is asked" in await told_status(rt, event, clock.at)
    assert isinstance(await state(rt), Usable)


@pytest.mark.parametrize(("code", "kind"), [(132015, Held), (132016, Gone), (132007, Held), (132001, Usable)])
async def test_a_refused_send_says_what_it_says_of_its_template(rt: Runtime, code: int, kind: type) -> None:
    async with rt.db.tx() as tx:
        await service.refused(tx, rt, "news", "en", code)
    assert isinstance(await state(rt), kind)
    assert await asked(rt)


async def test_odd_entries_of_a_list_cost_the_others_nothing(rt: Runtime) -> None:
    odd = [
        {},
        {"name": 7, "language": "en", "status": "APPROVED"},
        entry("odd", components="x", quality_score=3),
    ]
    await compare(rt, *odd, entry())
    assert isinstance(await state(rt), Usable)
    async with rt.db.one() as tx:
        assert [each.name for each in await service.all_of(tx, rt)] == ["news", "odd"]


async def test_a_name_is_refused_only_once_the_mirror_has_been_compared(dsn: str) -> None:
    async with runtime(dsn) as fresh:
        async with fresh.db.one() as tx:
            assert await service.choose(tx, fresh, "nwes", ["de"]) is None
        await compare(fresh, entry())
        async with fresh.db.one() as tx:
            with pytest.raises(TemplateUnknownError, match="do you mean news") as refused:
                await service.choose(tx, fresh, "nwes", ["de"], at="/template/name")
            assert refused.value.faults[0].pointer == "/template/name"
            found = await service.choose(tx, fresh, "news", ["de"])
            assert found is not None
            assert found.language == "en"


async def test_a_language_is_queued_as_meta_writes_it_also_before_the_mirror_is_there(dsn: str) -> None:
    async with runtime(dsn) as fresh, fresh.db.tx() as tx:
        alice = await people.by_phone(tx, fresh, "+15550001111", learned_from="assistant:bot")
        given = Template("news", "pt-br", ("Ana",))
        template, known = await templating.resolve(tx, fresh, alice, given, at="/template")
    assert (template.language, known) == ("pt_BR", None)


async def test_many_who_write_the_mirror_at_once_wait_for_each_other(rt: Runtime, clock: Clock) -> None:
    names = [f"t{number}" for number in range(8)]
    await compare(rt, *(entry(name) for name in names))
    clock.advance(seconds=10)

    async def several(order: list[str], event: str) -> None:
        async with rt.db.tx() as tx:
            for name in order:
                value = {"message_template_name": name, "message_template_language": "en", "event": event}
                update = OtherUpdate("message_template_status_update", "", value, WABA, clock.at)
                await template_news.digest(tx, rt, update)

    async with asyncio.TaskGroup() as together:
        for round_ in range(6):
            order = names if round_ % 2 else names[::-1]
            together.create_task(several(order, "PAUSED"))
            together.create_task(compare(rt, *(entry(name) for name in names)))
    async with rt.db.one() as tx:
        assert {each.status for each in await service.all_of(tx, rt) if each.name in names} <= {
            "PAUSED",
            "APPROVED",
        }
