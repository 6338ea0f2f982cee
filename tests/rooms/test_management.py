"""Management calls against Meta's side: pages, uploads, refusals, no answers; each told to a budget."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from harness.rooms import runtime
from sayso.core.errors import MetaUnreachableError, SaysoError
from sayso.core.runtime import Runtime
from sayso.inbound import template_news
from sayso.messages import service as messages
from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.faults.model import CutAnswer, DropBefore, Garbage, RefuseWithError
from sayso.templates import library, mirror
from sayso.templates.registry import Registry
from sayso.whatsapp import management
from sayso.whatsapp.management import ManagementClient, RefusedByMetaError
from sayso.whatsapp.updates import OtherUpdate
from sayso.whatsapp.wire import graph_session

WABA = "200000000000001"
EDGE = "message_templates"


class Counted:
    """A budget that writes down what it is told, and may be used up."""

    def __init__(self) -> None:
        self.spent = 0
        self.heard: list[str] = []
        self.left = 1_000

    async def spend(self, waba_id: str) -> None:
        """Count, until none is left."""
        if self.spent >= self.left:
            raise SaysoError(f"none is left for {waba_id}")
        self.spent += 1

    async def learn(self, waba_id: str, headers: Mapping[str, str]) -> None:
        """Keep the header."""
        assert waba_id == WABA
        self.heard.append(headers.get("x-business-use-case-usage", ""))


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Meta's side."""
    async with Simulator(SimulatorConfig(port=0, review="instant")) as running:
        yield running


@pytest.fixture
async def budget() -> Counted:
    """What the calls are counted against."""
    return Counted()


@pytest.fixture
async def meta(sim: Simulator, budget: Counted) -> AsyncIterator[ManagementClient]:
    """A client of it."""
    async with graph_session(2) as session:
        yield client(session, sim, budget)


def client(session: aiohttp.ClientSession, sim: Simulator, budget: Counted) -> ManagementClient:
    return ManagementClient(
        session,
        base_url=sim.base_url,
        version="v25.0",
        waba_id=WABA,
        token=lambda: "sim-token",
        budget=budget,
    )


async def test_a_list_is_followed_to_its_end_and_every_page_counts(
    meta: ManagementClient, budget: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(management, "PAGE", 2)
    found = await meta.templates()
    assert [each["name"] for each in found] == ["confirmation_request", "daily_summary", "hello_world"]
    assert budget.spent == len(budget.heard) == 2
    assert all(WABA in each for each in budget.heard)


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"data": None},
        {"data": {"id": "19"}},
        {"error": {"message": "Try again later."}},
        {"data": [], "paging": {"next": "https://x"}},
        {"data": [], "paging": {"next": "https://x", "cursors": {"after": "again"}}},
    ],
)
async def test_what_is_no_whole_list_is_an_error_and_no_shorter_list(
    meta: ManagementClient, monkeypatch: pytest.MonkeyPatch, page: dict[str, Any]
) -> None:
    """Else every template that it lacks would count as deleted, and end all messages that wait to go out as it."""

    async def odd(*_: Any, **__: Any) -> dict[str, Any]:
        return page

    monkeypatch.setattr(ManagementClient, "_call", odd)
    with pytest.raises(MetaUnreachableError, match="list of templates"):
        await meta.templates()


async def test_a_file_is_uploaded_for_the_app_that_the_token_belongs_to(meta: ManagementClient) -> None:
    handle = await meta.upload(b"\x89PNG" + bytes(5_000), mime_type="image/png", file_name="map.png")
    assert handle.startswith("4::")
    with pytest.raises(RefusedByMetaError, match="file_type"):
        await meta.upload(b"GIF89a", mime_type="image/gif", file_name="map.gif")


async def test_a_number_is_asked_for_by_its_id(meta: ManagementClient) -> None:
    told = await meta.phone_number("100000000000001", "id,quality_rating,throughput")
    assert told["throughput"]["level"] == "STANDARD"


async def test_a_refusal_has_metas_code_and_what_it_means(meta: ManagementClient) -> None:
    with pytest.raises(RefusedByMetaError) as refused:
        await meta.create_template({"name": "confirmation_request", "language": "en"})
    assert (refused.value.error.code, refused.value.http_status) == (100, 400)
    assert refused.value.failure.kind == "bad_request"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (DropBefore(on=EDGE), MetaUnreachableError),
        (CutAnswer(on=EDGE), MetaUnreachableError),
        (Garbage(on=EDGE), MetaUnreachableError),
        (RefuseWithError(on=EDGE, code=190), RefusedByMetaError),
        (RefuseWithError(on=EDGE, code=80008), RefusedByMetaError),
        (RefuseWithError(on=EDGE, code=2, http_status=500), RefusedByMetaError),
    ],
    ids=lambda each: getattr(each, "__name__", type(each).__name__),
)
async def test_every_way_to_fail_is_an_error_that_can_be_told(
    sim: Simulator, meta: ManagementClient, fault: Any, kind: type[SaysoError]
) -> None:
    sim.arm(fault)
    sim.arm(fault)  # a GET that lost its connection is made once more
    with pytest.raises(kind) as told:
        await meta.templates()
    assert told.value.detail
    sim.clear_faults()
    assert await meta.templates()


async def test_what_is_no_longer_affordable_is_not_called(
    sim: Simulator, meta: ManagementClient, budget: Counted
) -> None:
    budget.left = 0
    with pytest.raises(SaysoError, match="none is left"):
        await meta.templates()
    assert budget.heard == []


async def test_no_call_is_made_inside_a_transaction(dsn: str, meta: ManagementClient) -> None:
    async with runtime(dsn) as rt, rt.db.tx():
        with pytest.raises(RuntimeError, match="transaction"):
            await meta.templates()


@pytest.fixture
async def rt(dsn: str) -> AsyncIterator[Runtime]:
    """A runtime by the wall clock."""
    async with runtime(dsn) as made:
        yield made


async def test_a_push_stops_at_what_stands_against_all_of_it_and_says_so(
    rt: Runtime, sim: Simulator, meta: ManagementClient, budget: Counted, tmp_path: Path
) -> None:
    registry = Registry(meta, messages.release)
    kept = [library.load(None).kept["notification"]]
    sim.arm(RefuseWithError(on=EDGE, method="POST", after=2, code=190))
    done = await registry.push(rt, kept)
    assert [each.did for each in done] == ["created", "created", "refused", "skipped", "skipped", "skipped"]
    assert all("190" in each.detail for each in done[2:])
    async with rt.db.one() as tx:
        rows = await mirror.listed(tx, rt, name="notification")
    assert [row.mirrored.language for row in rows] == ["de", "en"]
    again = await registry.push(rt, kept)
    assert [each.did for each in again] == ["unchanged"] * 2 + ["created"] * 4
    before = budget.spent
    assert {each.did for each in await registry.push(rt, kept)} == {"unchanged"}
    assert budget.spent == before + 1  # one list, and no call more


async def test_a_dry_run_calls_nothing_but_the_list(
    rt: Runtime, meta: ManagementClient, budget: Counted
) -> None:
    registry = Registry(meta, messages.release)
    done = await registry.push(rt, [library.load(None).kept["notification"]], dry_run=True)
    assert {each.did for each in done} == {"created"}
    assert budget.spent == 1


async def test_another_category_than_was_meant_is_told_by_the_answer_itself(
    rt: Runtime, meta: ManagementClient
) -> None:
    registry = Registry(meta, messages.release)
    text = "Hello {{1}}, buy now and save 50 % on everything: this offer ends tonight, get your discount!"
    definition = library.checked("offer", {"examples": ["Ana"], "languages": {"en": {"body": text}}}, None)
    [made] = await registry.push(rt, [library.Kept(definition, "the test", None)])
    assert (made.did, made.category) == ("created", "MARKETING")
    async with rt.db.one() as tx:
        rows = await tx.fetch("SELECT key FROM alerts WHERE resolved_at IS NULL")
    assert [row["key"] for row in rows] == ["template.category:offer:en"]


class Hasty(ManagementClient):
    """Meta's webhook about an edit is digested before the answer to the edit is."""

    rt: Runtime

    async def edit_template(self, meta_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Edit, and hear of it at once."""
        answer = await super().edit_template(meta_id, body)
        value = {
            "message_template_name": "notification",
            "message_template_language": "en",
            "message_template_element": next(
                each["text"] for each in body["components"] if each["type"] == "BODY"
            ),
        }
        update = OtherUpdate("message_template_components_update", "", value, WABA, self.rt.now())
        async with self.rt.db.tx() as tx:
            await template_news.digest(tx, self.rt, update)
        return answer


async def test_an_edit_of_ours_is_no_drift_however_soon_meta_tells_of_it(
    rt: Runtime, sim: Simulator, budget: Counted
) -> None:
    async with graph_session(2) as session:
        url = sim.base_url
        hasty = Hasty(
            session, base_url=url, version="v25.0", waba_id=WABA, token=lambda: "sim-token", budget=budget
        )
        hasty.rt = rt
        registry = Registry(hasty, messages.release)
        for word in ("ready", "done", "open"):
            body = {"languages": {"en": {"body": f"Hello, what you asked for is {word}."}}}
            kept = library.Kept(library.checked("notification", body, None), "the test", None)
            [made] = await registry.push(rt, [kept])
            assert made.did == ("created" if word == "ready" else "edited" if word == "done" else "refused")
    async with rt.db.one() as tx:
        rows = await tx.fetch("SELECT type FROM events ORDER BY tx, id")
        [row] = await mirror.listed(tx, rt, name="notification")
        assert await tx.fetchval("SELECT count(*) FROM alerts") == 0
    assert "template.drifted" not in {each["type"] for each in rows}
    assert row.wanted is not None
    assert "done" in str(row.wanted["components"])
