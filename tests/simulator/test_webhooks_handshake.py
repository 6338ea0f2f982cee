"""The verification of callbacks, as soon as they can be reached (cloud-api.md 4.2)."""

import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from sayso.simulator import Simulator, SimulatorConfig
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Receiver

Answer = Callable[[web.Request], web.Response]


async def test_an_unreachable_callback_gets_everything_once_it_is_there(
    config: SimulatorConfig, receiver: "Receiver"
) -> None:
    away = dataclasses.replace(config, webhook_url="http://127.0.0.1:1/hook", verify_at_start=True)
    async with Simulator(away) as sim:
        await sim.inbound(ANA, text="hi")
        assert await sim.live.until(lambda: sim.webhooks()[0]["attempt_count"] > 1 or None, 10)
        verification = sim.state()["webhooks"]["verification"]
        assert verification in ("not yet tried", "callback not reachable yet")
        subscription = sim.world.accounts.apps[sim.config.app_id].subscription
        assert subscription is not None
        subscription.callback_url = receiver.url
        await sim.settled()
        assert "ConnectionRefusedError" in sim.webhooks()[0]["attempts"][0]["error"]
        assert sim.webhooks()[0]["attempts"][-1]["status_code"] == 200


async def test_what_waited_for_a_callback_goes_as_soon_as_it_is_there(
    config: SimulatorConfig, receiver: "Receiver"
) -> None:
    patient = dataclasses.replace(config, retry_first_ms=3_600_000, retry_cap_ms=3_600_000)
    away = dataclasses.replace(patient, webhook_url="http://127.0.0.1:1/hook", verify_at_start=True)
    async with Simulator(away) as sim:
        await sim.inbound(ANA, text="hi")
        assert await sim.live.until(lambda: sim.webhooks()[0]["attempts"] or None, 10)
        sim.subscribe(receiver.url)
        await receiver.until(lambda hooks: len(hooks) == 1)


@pytest.mark.parametrize(("token", "verdict"), [("sim-verify", "verified"), ("other", "refused: HTTP 403")])
async def test_handshake_is_a_verdict(
    config: SimulatorConfig, receiver: "Receiver", token: str, verdict: str
) -> None:
    receiver.verify_token = token
    async with Simulator(config) as sim:

        def verdict_found() -> bool | None:
            return str(sim.state()["webhooks"]["verification"]).startswith(verdict) or None

        assert await sim.live.until(verdict_found, 10), sim.state()["webhooks"]


@pytest.fixture
async def callback() -> AsyncIterator[Callable[[Answer], None]]:
    """A callback that answers the handshake as it is told to; its URL is the attribute ``url``."""
    answers: list[Answer] = []

    async def handle(request: web.Request) -> web.Response:
        return answers[-1](request)

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    def tell(answer: Answer) -> None:
        answers.append(answer)

    tell.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"  # type: ignore[attr-defined]
    yield tell
    await runner.cleanup()


def challenge(request: web.Request) -> str:
    assert request.query["hub.mode"] == "subscribe"
    assert request.query["hub.challenge"].isdecimal()
    return request.query["hub.challenge"]


HANDSHAKES: dict[str, tuple[Answer, str]] = {
    "as it should": (lambda request: web.Response(text=challenge(request)), "verified"),
    "beside another parameter": (
        lambda request: web.Response(text=challenge(request) * (request.query["tenant"] == "7")),
        "verified",
    ),
    "in quotes": (
        lambda request: web.json_response(challenge(request)),
        "refused: the challenge did not come back as the whole body",
    ),
    "with a newline": (
        lambda request: web.Response(text=challenge(request) + "\n"),
        "refused: the challenge did not come back as the whole body",
    ),
    "another status": (
        lambda request: web.Response(text=challenge(request), status=201),
        "refused: HTTP 201 to the verification request",
    ),
    "elsewhere": (
        lambda _: web.Response(status=302, headers={"Location": "/other"}),
        "refused: HTTP 302 to the verification request",
    ),
    "not at all": (lambda _: web.Response(status=403), "refused: HTTP 403 to the verification request"),
}


@pytest.mark.parametrize(("answer", "verdict"), HANDSHAKES.values(), ids=HANDSHAKES.keys())
async def test_what_counts_as_verified(
    sim: Simulator, callback: Callable[[Answer], None], answer: Answer, verdict: str
) -> None:
    callback(answer)
    url = f"{callback.url}?tenant=7"  # type: ignore[attr-defined]
    assert await sim.parts.deliverer.verify(url, "any-token") == verdict


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/hook", "nonsense", "", "http://[::bad"])
async def test_what_cannot_be_reached(sim: Simulator, url: str) -> None:
    assert await sim.parts.deliverer.verify(url, "any-token") == "callback not reachable yet"
