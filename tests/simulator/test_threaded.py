"""The simulator in a thread: what tests that are not asynchronous do to it happens in its own loop."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sayso.simulator import SimulatorConfig
from sayso.simulator.threaded import ThreadedSimulator
from simulator.known import ANA, HOUR

NUMBER = "100000000000001"


class _Taking(BaseHTTPRequestHandler):
    """Takes every webhook."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def callback() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Taking) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
        server.shutdown()
        serving.join()


@pytest.fixture
def sim(callback: str) -> Iterator[ThreadedSimulator]:
    config = SimulatorConfig(port=0, webhook_url=callback, verify_at_start=False)
    with ThreadedSimulator(config) as running:
        yield running


def events(sim: ThreadedSimulator) -> list[tuple[str, str]]:
    sim.settled()
    return [(each["fields"][0], each["state"]) for each in sim.webhooks()]


def test_the_desk_acts_in_the_loop(sim: ThreadedSimulator) -> None:
    template_id = sim.desk.listed()[0]["id"]
    sim.desk.pause(template_id, 1)
    assert events(sim) == [("message_template_status_update", "delivered")]
    sim.advance(HOUR)
    assert events(sim) == [("message_template_status_update", "delivered")] * 2, "its end came on the clock"
    assert sim.desk.template(template_id).status == "APPROVED"
    with pytest.raises(LookupError):
        sim.desk.approve("nope")


def test_accounts_change_in_the_loop(sim: ThreadedSimulator) -> None:
    sim.accounts.change_number(NUMBER, throughput="HIGH")
    assert events(sim) == [("phone_number_quality_update", "delivered")]
    assert sim.accounts.listed()["numbers"][0]["throughput"] == "HIGH"


def test_only_what_may_be_touched_is_there(sim: ThreadedSimulator) -> None:
    assert not {"world", "parts", "_world"} & {*dir(sim), *dir(sim.desk), *dir(sim.accounts)}
    assert "approve" in dir(sim.desk)
    assert "change_waba" in dir(sim.accounts)
    assert sim.config.verify_at_start is False


def test_what_stays_is_still_told_when_it_has_stopped(callback: str) -> None:
    with ThreadedSimulator(SimulatorConfig(port=0, webhook_url=callback)) as sim:
        ana, url = sim.person(ANA), sim.base_url
    assert (sim.base_url, ana.phone) == (url, ANA)
