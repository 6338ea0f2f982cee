"""The fixtures for other people's tests, in pytest runs of their own (pytest's own ``pytester``)."""

from importlib.metadata import entry_points

import pytest

from sayso.simulator.pytest_plugin import configured

pytest_plugins = ["pytester"]

SYNC = """
import json, urllib.error, urllib.request

def call(simulator, body, token="sim-token"):
    request = urllib.request.Request(
        simulator.base_url + "/v25.0/100000000000001/messages", json.dumps(body).encode(),
        {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["messages"][0]["id"]

TEXT = {"messaging_product": "whatsapp", "to": "+15550001111", "type": "text", "text": {"body": "Shall I?"}}

def test_a_conversation(simulator, person):
    ana = person("+15550001111")
    ana.says("hello")
    wamid = call(simulator, TEXT)
    asked = ana.hears(containing="Shall I", status="read")
    assert asked["wamid"] == wamid
    ana.reacts(asked, "\\N{THUMBS UP SIGN}")
    ana.changes_number("+15550007777")
    assert ana.phone == "+15550007777"
    simulator.advance(25 * 3600)
    simulator.settled()
    assert simulator.state()["people"][-1]["window_open"] is False
    assert "says" in dir(ana) and "messages" in dir(simulator)

def test_what_lives_in_the_loop_stays_there(simulator):
    for name in ("parts", "world", "live", "start"):
        assert not hasattr(simulator, name)

def test_waits_end(simulator):
    try:
        simulator.expect_message(containing="never", timeout_s=0.01)
    except AssertionError as problem:
        assert "never" in str(problem)
    else:
        raise AssertionError("it came")
"""

ASYNC = """
import aiohttp, pytest

@pytest.mark.asyncio
async def test_a_conversation(async_simulator):
    ana = async_simulator.person("+15550001111")
    await ana.says("hello")
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": "Bearer sim-token"}
        body = {"messaging_product": "whatsapp", "to": ana.phone, "text": {"body": "Shall I?"}}
        url = async_simulator.base_url + "/100000000000001/messages"
        async with session.post(url, json=body, headers=headers) as answer:
            assert answer.status == 200
    assert (await ana.hears("Shall I"))["text"]["body"] == "Shall I?"
"""

IDLE = """
import sys

def test_nothing_was_imported():
    assert "sayso.simulator.pytest_plugin" in sys.modules
    assert "aiohttp" not in sys.modules and "sayso.simulator.server" not in sys.modules
"""

OVERRIDDEN = """
import dataclasses, pytest

@pytest.fixture
def simulator_config(simulator_config):
    return dataclasses.replace(simulator_config, verified_name="Flower Shop")

def test_it(simulator):
    assert simulator.config.token == "mine" and simulator.config.keep_messages == 5
    assert simulator.config.auto_read is False
    assert simulator.state()["business"]["verified_name"] == "Flower Shop"
"""


def run(pytester: pytest.Pytester, test: str, *flags: str, ini: str = "") -> pytest.RunResult:
    pytester.makepyfile(test_it=test)
    if "no:asyncio" not in flags:
        ini += "asyncio_default_fixture_loop_scope = function\n"
    pytester.makeini(f"[pytest]\nfilterwarnings = error\n{ini}")
    return pytester.runpytest_subprocess("-p", "no:randomly", *flags)


def test_a_synchronous_test_with_nothing_but_urllib(pytester: pytest.Pytester) -> None:
    run(pytester, SYNC).assert_outcomes(passed=3)


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_an_asynchronous_test(pytester: pytest.Pytester, mode: str) -> None:
    run(pytester, ASYNC, f"--asyncio-mode={mode}").assert_outcomes(passed=1)


def test_in_parallel_processes(pytester: pytest.Pytester) -> None:
    run(pytester, SYNC, "-n", "2").assert_outcomes(passed=3)


@pytest.mark.parametrize("flags", [(), ("-p", "no:asyncio"), ("-p", "no:xdist")])
def test_it_costs_nothing_when_unused(pytester: pytest.Pytester, flags: tuple[str, ...]) -> None:
    run(pytester, IDLE, *flags).assert_outcomes(passed=1)


def test_it_can_be_left_out(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_it(simulator): pass", "-p", "no:sayso_simulator")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'simulator' not found*"])


def test_lines_of_the_configuration_and_the_fixture_set_it_up(pytester: pytest.Pytester) -> None:
    ini = "sayso_simulator =\n    token = mine\n    keep_messages = 5\n    auto_read = false\n"
    run(pytester, OVERRIDDEN, ini=ini).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("tokn = x", "`tokn` is not known; did you mean `token`? Known here: `host`, `port`, "),
        ("token", "'token' is not `field = value`"),
        ("port = soon", '`port` must be a whole number; it is "soon".'),
        ("seed = x", '`seed` must be a whole number; it is "x".'),
        ("auto_read = perhaps", '`auto_read` must be true or false; it is "perhaps".'),
        ("review_after_s = x", '`review_after_s` must be a number; it is "x".'),
        (
            "review = moderater",
            '`review` cannot be "moderater"; did you mean `moderator`? Known here: `delayed`, `instant`, `moderator`.',
        ),
        ("allow_hosts = a", "`allow_hosts` holds several: override the fixture simulator_config"),
        ("webhook_url = x", "webhook_url must be an address such as"),
    ],
)
def test_a_line_that_cannot_be_is_named(line: str, named: str) -> None:
    with pytest.raises(pytest.UsageError) as refused:
        configured([line])
    assert str(refused.value).startswith(f"sayso_simulator: {named}")


def test_a_line_that_cannot_be_fails_the_test_in_words(pytester: pytest.Pytester) -> None:
    ini = "sayso_simulator =\n    review = moderater\n"
    result = run(pytester, "def test_it(simulator): pass", ini=ini)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*did you mean `moderator`*"])


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("seed = 7", "seed", 7),
        ("auto_read = false", "auto_read", False),
        ("review_after_s = 0.5", "review_after_s", 0.5),
        ("snapshot = a=b.json", "snapshot", "a=b.json"),
        ("tier = TIER_2K", "tier", "TIER_2K"),
        ("webhook_url =", "webhook_url", ""),
    ],
)
def test_a_line_sets_its_field(line: str, field: str, value: object) -> None:
    assert getattr(configured([line]), field) == value


def test_it_is_registered_by_name() -> None:
    (found,) = entry_points(group="pytest11", name="sayso_simulator")
    assert found.value == "sayso.simulator.pytest_plugin"
