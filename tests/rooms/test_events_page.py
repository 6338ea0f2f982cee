"""The examples of docs/events.md: there is one of each, they agree with the table, and they are what is posted."""

import re

import msgspec
import pytest

from harness.event_examples import PAGE, examples, told_otherwise
from harness.receiver import courier, receiving
from sayso.core.runtime import Runtime
from sayso.events import service
from sayso.events.service import CATALOGUE
from sayso.events.verifying import TEST, VERIFY

ROWS = dict(re.findall(r"^\| `([a-z_.]+)` \| [^|]+ \| (.+?) \|$", PAGE, re.MULTILINE))


def test_there_is_an_example_of_every_event_and_of_nothing_else() -> None:
    assert {event["type"] for event in examples()} == {*CATALOGUE, TEST, VERIFY}


def test_an_example_shows_the_members_that_the_table_names() -> None:
    for event in examples():
        row = ROWS.get(event["type"], "")
        if event["type"] in {TEST, VERIFY} or row.startswith("the same"):
            continue
        plain = re.sub(r"\([^)]*\)|: for each.*", "", row)
        named = set(re.findall(r"`([a-z_]+)`", plain)) - {"before", "after"}
        assert set(event["data"]) <= named, event["type"]
        assert named - set(event["data"]) <= {"sender", "portfolio"}, event["type"]


async def test_every_example_is_what_is_posted_and_what_the_public_library_accepts(rt: Runtime) -> None:
    told = [event for event in examples() if event["type"] in CATALOGUE]
    async with receiving() as receiver, courier(rt) as by:
        endpoint = await by.endpoint(receiver.url())
        for event in told:
            async with rt.db.tx() as tx:
                about = {"kind": event["type"], "subject": event["subject"], "data": event["data"]}
                await service.emit(tx, rt, client_id="bot", **about)
        await by.all()
        posted = receiver.verified(by.secret(endpoint))

    def bare(event: dict[str, object]) -> bytes:
        return msgspec.json.encode({**event, "id": "", "timestamp": ""}, order="sorted")

    assert sorted(map(bare, posted)) == sorted(map(bare, told))
    assert [list(event) for event in posted] == [list(event) for event in told]


async def test_an_event_that_the_page_does_not_show_would_be_noticed(rt: Runtime, dsn: str) -> None:
    async with rt.db.tx() as tx:
        for data in ({"endpoint_id": "ep_1", "failures": 7}, {"endpoint_id": "ep_1", "odd": 7}):
            await service.emit(tx, rt, client_id="bot", kind="endpoint.recovered", subject="ep_1", data=data)
    assert await told_otherwise(dsn) == ["endpoint.recovered: endpoint_id, odd"]


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_a_type_is_one_that_standard_webhooks_takes(kind: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)+", kind)
