"""The simulator in Python as newcomers write it: what they may leave out, and what they are told when it is wrong."""

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.faults.model import RefuseWithError
from sayso.simulator.strict import ControlError
from sayso.simulator.threaded import ThreadedSimulator
from simulator.known import ANA
from simulator.test_faults import MISTYPED

if TYPE_CHECKING:
    from simulator.conftest import Graph

FAULT = {"kind": "error", "code": 131026}


@pytest.mark.parametrize("way", ["class", "dictionary", "arguments", "both"])
async def test_a_fault_is_armed_in_any_of_these_ways(sim: "Simulator", graph: "Graph", way: str) -> None:
    match way:
        case "class":
            number = sim.arm(RefuseWithError(code=131026))
        case "dictionary":
            number = sim.arm(FAULT)
        case "arguments":
            number = sim.arm(**FAULT)
        case _:
            number = sim.arm({"kind": "error"}, code=131026)
    assert [(each["id"], each["kind"], each["code"]) for each in sim.faults()["armed"]] == [
        (number, "error", 131026)
    ]
    assert (await graph.text()).code == 131026


@pytest.mark.parametrize(("body", "named"), [each for each in MISTYPED if "hold_webhooks" not in each[0]])
def test_a_mistyped_fault_is_named_as_by_the_control_api(
    sim: "Simulator", body: dict[str, Any], named: tuple[str, ...]
) -> None:
    for positional, keys in (((body,), {}), ((), body)):
        with pytest.raises(ControlError) as refused:
            sim.arm(*positional, **keys)
        assert all(each in str(refused.value) for each in named), str(refused.value)
    assert sim.faults()["armed"] == []


def test_a_made_fault_takes_no_further_keys(sim: "Simulator") -> None:
    with pytest.raises(ControlError, match="no further keys: next"):
        sim.arm(RefuseWithError(code=1), next=2)
    with pytest.raises(ControlError, match="`on` cannot be 'message'; did you mean `messages`"):
        sim.arm(RefuseWithError(code=1, on="message"))


NO_ADDRESSES = [
    "not a url",
    "127.0.0.1:3000",
    "ftp://a.example",
    "http://",
    "http://a:b",
    "http://a b",
    "http://[1",
]


@pytest.mark.parametrize("url", ["", *NO_ADDRESSES])
def test_a_callback_that_is_no_address_is_refused(sim: "Simulator", url: str) -> None:
    before = sim.state()["webhooks"]["url"]
    app, number = sim.config.app_id, sim.config.phone_number_id
    for refused in (
        lambda: sim.subscribe(url),
        lambda: sim.accounts.change_app(app, callback_url=url),
        lambda: sim.accounts.change_number(number, quality_rating="RED", override={"callback_url": url}),
    ):
        with pytest.raises(ControlError, match=r"callback_url` must (be an address such as|have at least)"):
            refused()
    assert sim.state()["webhooks"]["url"] == before
    assert sim.world.number.quality_rating == "GREEN", "nothing is done by halves"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        *[
            ("webhook_url", each, "must be an address such as http://127.0.0.1:3000/webhook")
            for each in NO_ADDRESSES
        ],
        ("webhook_version", "25", 'must be a version such as v25.0; it is "25".'),
        ("phone_number_id", "abc", 'must be digits, such as 100000000000001; it is "abc".'),
        ("waba_id", "", "must be digits"),
        (
            "business_number",
            "123",
            'must be a number in international form, such as +1 555 010 0000; it is "123".',
        ),
        ("business_number", "15550100000", "must be a number in international form"),
        ("business_number", "+123456", "must be a number in international form"),
        ("business_number", "+1234567890123456", "must be a number in international form"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(field: str, value: str, words: str) -> None:
    given: dict[str, Any] = {field: value}
    with pytest.raises(ValueError, match=field) as refused:
        SimulatorConfig(**given)
    assert words in str(refused.value)


@pytest.mark.parametrize("number", ["+1234567", "+123456789012345", "+1 (555) 010-0000"])
def test_numbers_of_any_length_and_writing_are_taken(number: str) -> None:
    assert SimulatorConfig(business_number=number, webhook_url="").business_number == number


@pytest.mark.parametrize(
    "moment",
    [
        1_924_992_000,
        "2031-01-01T00:00:00Z",
        "2031-01-01",
        "2031-01-01T01:00:00+01:00",
        datetime(2031, 1, 1, tzinfo=UTC),
        datetime(2031, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_time_is_moved_by_names_that_can_be_read(moment: float | str | datetime) -> None:
    with ThreadedSimulator(SimulatorConfig(port=0, webhook_url="")) as sim:
        stood = sim.freeze()
        assert sim.state()["speed"] == 0
        assert sim.advance(60) == stood + 60
        assert sim.set_time(moment) == 1_924_992_000
        sim.run(speed=60)
        assert sim.state()["speed"] == 60
        sim.run()
        assert sim.state()["speed"] == 1
        for wrong in ("tomorrow", "2020-01-01"):
            with pytest.raises(
                ValueError, match=r"`set` must be unix seconds or a moment|only moves forward"
            ):
                sim.set_time(wrong)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("webhook_inject", {"what": "extra_keys"}),
        ("webhook_signature", {"how": "forged"}),
        ("webhook_duplicate", {"copies": 2}),
        ("http", {"http_status": 502, "content_type": "text/html"}),
    ],
)
def test_what_is_armed_is_told_with_what_was_left_out(
    sim: "Simulator", kind: str, told: dict[str, Any]
) -> None:
    sim.arm(kind=kind)
    (armed,) = sim.faults()["armed"]
    assert told.items() <= armed.items()
    assert [key for key, value in armed.items() if value is None and key != "next"] == []


async def test_a_mistyped_method_is_guessed(sim: "Simulator") -> None:
    ana = sim.person(ANA)
    for there, name, words in (
        (ana, "say", "PersonHandle has no `say`; did you mean `says`?"),
        (ana, "turn_phone_off", "PersonHandle has no `turn_phone_off`; did you mean `turns_phone_off`?"),
        (sim, "expect_mesage", "Simulator has no `expect_mesage`; did you mean `expect_message`?"),
        (sim, "xyzzy", "Simulator has no `xyzzy`."),
        (sim, "_wrld", "Simulator has no `_wrld`."),
    ):
        with pytest.raises(AttributeError) as refused:
            getattr(there, name)
        assert str(refused.value) == words


async def test_nobody_is_called_who_was_not_named() -> None:
    async with Simulator(SimulatorConfig(port=0)) as sim:
        await sim.inbound(ANA, text="hi")
        await sim.settled()
        assert sim.webhooks() == []


def test_a_mistyped_method_is_guessed_from_outside_the_loop() -> None:
    with ThreadedSimulator(SimulatorConfig(port=0, webhook_url="")) as sim:
        for there, name, words in (
            (sim.person(ANA), "say", "ThreadedPerson has no `say`; did you mean `says`?"),
            (sim, "mesages", "ThreadedSimulator has no `mesages`; did you mean `messages`?"),
            (sim.desk, "aprove", "ThreadedDesk has no `aprove`; did you mean `approve`?"),
            (sim.accounts, "add_nmber", "ThreadedAccounts has no `add_nmber`; did you mean `add_number`?"),
            (
                sim,
                "clock",
                "ThreadedSimulator has no `clock`, which lives in the simulator's own loop: use freeze(), ",
            ),
            (
                sim,
                "world",
                "ThreadedSimulator has no `world`, which lives in the simulator's own loop: state(), ",
            ),
            (sim, "_loops", "ThreadedSimulator has no `_loops`."),
            (ThreadedSimulator.__new__(ThreadedSimulator), "_inside", "ThreadedSimulator has no `_inside`."),
        ):
            with pytest.raises(AttributeError) as refused:
                getattr(there, name)
            assert str(refused.value).startswith(words)
