"""Marketing templates: the cap per person, the United States, stopped by the person, switched off (7.4, 7.5)."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.simulator import Simulator
from sayso.simulator.rules import marketing
from sayso.simulator.world.people import Person
from sayso.simulator.world.templates import Template
from simulator.known import ANA, BEN, DAY, HELLO, HOUR

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph, Receiver

GERMANY, BRITAIN, JAPAN, KOREA, NEW_YORK = (
    "+4917612345678",
    "+447400123456",
    "+818012345678",
    "+821012345678",
    "+12125550123",
)
OFFER: dict[str, Any] = {"type": "template", "template": {"name": "offer", "language": {"code": "en"}}}


@pytest.fixture(autouse=True)
def offer(sim: Simulator) -> Template:
    """An approved marketing template."""
    components = ({"type": "BODY", "text": "Three for two, this week only."},)
    made = Template("1900000000000777", "offer", "en", "MARKETING", components, waba_id=sim.config.waba_id)
    sim.parts.world.templates[made.id] = made
    return made


async def ends(receiver: "Receiver", answer: "Answer") -> int:
    """Wait for the end of a message: 0 when it arrived, else the code it failed with."""
    wamid = answer.wamid
    await receiver.until(
        lambda _: any(s["status"] in ("failed", "delivered") for s in receiver.statuses(wamid))
    )
    (last,) = [s for s in receiver.statuses(wamid) if s["status"] in ("failed", "delivered")]
    code: int = last["errors"][0]["code"] if last["status"] == "failed" else 0
    return code


async def test_a_person_takes_two_a_day(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    codes = [await ends(receiver, await graph.send(**OFFER)) for _ in range(3)]
    assert codes == [0, 0, 131049]
    assert await ends(receiver, await graph.send(to=BEN, **OFFER)) == 0, "others take theirs"
    assert await ends(receiver, await graph.send(**HELLO)) == 0, "utility is not concerned"
    sim.advance(DAY)
    assert await ends(receiver, await graph.send(**OFFER)) == 0


async def test_the_failure_is_the_documented_one(graph: "Graph", receiver: "Receiver") -> None:
    for _ in range(2):
        await graph.send(**OFFER)
    failed = await receiver.status((await graph.send(**OFFER)).wamid, "failed")
    (error,) = failed["errors"]
    assert error["error_data"] == {"details": marketing.NOT_DELIVERED.details}
    assert "recipient_user_id" not in failed
    assert "pricing" not in failed


async def test_a_retry_within_the_day_shields_for_a_day_more(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    codes = [await ends(receiver, await graph.send(**OFFER)) for _ in range(3)]
    sim.advance(20 * HOUR)
    codes.append(await ends(receiver, await graph.send(**OFFER)))
    sim.advance(20 * HOUR)  # 40 h after the first two, 20 h after the retry
    codes.append(await ends(receiver, await graph.send(**OFFER)))
    sim.advance(DAY)
    codes.append(await ends(receiver, await graph.send(**OFFER)))
    assert codes == [0, 0, 131049, 131049, 131049, 0]


async def test_a_send_refused_for_its_shape_does_not_shield(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    assert [await ends(receiver, await graph.send(**OFFER)) for _ in range(2)] == [0, 0]
    for _ in range(2):
        assert (await graph.send(**OFFER, context={})).code == 131008
    sim.advance(DAY)
    assert await ends(receiver, await graph.send(**OFFER)) == 0


async def test_however_often_somebody_tries_the_shield_lasts_a_day_at_most(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    codes = [await ends(receiver, await graph.send(**OFFER)) for _ in range(2)]
    for _ in range(6):  # the second refusal, after 12 h, shields until 36 h have passed
        sim.advance(6 * HOUR)
        codes.append(await ends(receiver, await graph.send(**OFFER)))
    assert codes == [0, 0, 131049, 131049, 131049, 131049, 131049, 0]


async def test_within_an_open_window_marketing_neither_counts_nor_is_capped(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="tell me more")
    assert [await ends(receiver, await graph.send(**OFFER)) for _ in range(4)] == [0] * 4
    sim.advance(DAY)
    assert [await ends(receiver, await graph.send(**OFFER)) for _ in range(3)] == [0, 0, 131049]


@pytest.mark.parametrize("where", [GERMANY, BRITAIN, JAPAN, KOREA])
async def test_where_there_is_no_cap(graph: "Graph", receiver: "Receiver", where: str) -> None:
    assert [await ends(receiver, await graph.send(to=where, **OFFER)) for _ in range(4)] == [0] * 4


@pytest.mark.parametrize("written", [False, True])
async def test_the_united_states_take_none(
    sim: Simulator, graph: "Graph", receiver: "Receiver", written: bool
) -> None:
    if written:
        await sim.inbound(NEW_YORK, text="hi")
    assert await ends(receiver, await graph.send(to=NEW_YORK, **OFFER)) == 131049
    assert await ends(receiver, await graph.send(to=NEW_YORK, **HELLO)) == 0


async def test_who_stopped_marketing_gets_everything_else(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    sim.parts.world.people[ANA[1:]].no_marketing.add(sim.config.phone_number_id)
    assert await ends(receiver, await graph.send(**OFFER)) == 131050
    assert await ends(receiver, await graph.send(**HELLO)) == 0
    assert await ends(receiver, await graph.send(to=BEN, **OFFER)) == 0


async def test_switched_off_it_goes_by_the_marketing_messages_api_only(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    sim.parts.world.accounts.wabas[sim.config.waba_id].marketing_disabled = True
    assert (await graph.send(**OFFER)).code == 131063
    assert (await graph.send(**HELLO)).status == 200
    path = f"/v25.0/{sim.config.phone_number_id}/marketing_messages"
    body = {"messaging_product": "whatsapp", "to": ANA, **OFFER}
    sent = await receiver.status((await graph.call("POST", path, json=body)).wamid, "sent")
    assert sent["pricing"]["category"] == "marketing_lite"


@pytest.mark.parametrize(
    ("wrong", "code"), [(HELLO, 134100), ({"type": "text", "text": {"body": "hi"}}, 131055)]
)
async def test_the_marketing_messages_api_takes_marketing_templates_only(
    sim: Simulator, graph: "Graph", wrong: dict[str, Any], code: int
) -> None:
    path = f"/v25.0/{sim.config.phone_number_id}/marketing_messages"
    body = {"messaging_product": "whatsapp", "to": ANA, **wrong}
    assert (await graph.call("POST", path, json=body)).code == code


@pytest.mark.parametrize("config", [{"refuse_at_once": True, "marketing_cap": 0}], indirect=True)
async def test_at_once_when_asked_for(graph: "Graph") -> None:
    assert (await graph.send(**OFFER)).code == 131049


@given(
    st.integers(min_value=0, max_value=4),
    st.lists(st.sampled_from([0, 1, 6, 11, 12, 13, 23, 24, 25, 48]), max_size=40),
)
def test_never_more_than_the_cap_in_any_day(cap: int, hours: list[int]) -> None:
    person, now = Person("5511987654321", "Bia", "BR.1"), 1_795_000_000.0
    passed: list[float] = []
    for pause in hours:
        now += pause * HOUR
        shielded = now < person.marketing.blocked_until
        refused = marketing.over(person, cap, now)
        of_today = [at for at in passed if now - at < DAY]
        assert (refused is not None) is (shielded or len(of_today) >= cap)
        if refused is None:
            marketing.spend(person.marketing, cap, now)
            passed.append(now)
        else:
            marketing.refused(person.marketing, now)
    assert len(person.marketing.taken) <= cap
