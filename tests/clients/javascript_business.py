"""Businesses written in JavaScript: clients as they come from their index, in a process beside the tests."""

import base64
import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clients.stage import ANA, APP_SECRET, PHONE_ID, TOKEN, VERIFY_TOKEN, WAIT_S, Json, Stage

HERE = Path(__file__).parent / "javascript"


class RefusedError(Exception):
    """What a library threw."""

    def __init__(self, told: Json) -> None:
        super().__init__(told["message"])
        self.kind: str = told["kind"]
        self.told = told


class Driver:
    """The process in which the libraries run; see ``javascript/driver.mjs``."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, name="driver", daemon=True).start()

    def ask(self, do: str, **more: Any) -> Any:
        """Give a command and return the answer; raise what the library threw."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._answers.get(timeout=3 * WAIT_S))
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer["answer"]

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put('{"error": {"kind": "Ended", "message": "the driver ended"}}')


class JavascriptBusiness:
    """One client library, its webhook, and whatever it was told."""

    def __init__(self, driver: Driver, client: str, **differently: Any) -> None:
        self._driver = driver
        self.meta: Stage
        given = {"token": TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN, "version": "v26.0"}
        opened = driver.ask("open", client=client, **given | differently)
        self._business: int = opened["business"]
        self.url: str = opened["url"]

    def connect(self, meta: Stage) -> None:
        """Tell where Meta is."""
        self.meta = meta
        self._driver.ask("connect", business=self._business, base_url=meta.base_url)

    def __call__(self, path: str, *given: Any) -> Any:
        """Call a method of the library's client."""
        return self._driver.ask("call", business=self._business, path=path, **{"with": given})

    def hears(self, kind: str, **like: Any) -> Json:
        """Wait for the next update of a kind, with these properties."""
        within_ms = WAIT_S * 1000
        found: Json = self._driver.ask(
            "hear", business=self._business, kind=kind, like=like, within_ms=within_ms
        )
        return found

    def arrived(self, wamid: str, kind: str) -> Any:
        """Return what of this kind arrived, once it was delivered."""
        self.hears("status", id=wamid, status="delivered")
        message = self.meta.arrived(wamid)
        assert message["type"] == kind
        return message[kind]


class Kapso(JavascriptBusiness):
    """@kapso/whatsapp-cloud-api: an object of named values for every call."""

    def __init__(self, driver: Driver, **differently: Any) -> None:
        super().__init__(driver, "kapso", **differently)

    def send(self, kind: str, *, to: str = ANA, message: Json | None = None, **more: Any) -> str:
        """Send a message by the method named after its kind; return its id."""
        given = {"phoneNumberId": PHONE_ID, "to": to, **(message or {}), **more}
        return wamid_of(self(f"messages.send{kind}", given))

    def send_text(self, to: str, words: str) -> str:
        """Send a text."""
        return self.send("Text", to=to, body=words)

    def send_button(self, to: str, words: str, button_id: str, title: str) -> str:
        """Send a question with one button."""
        buttons = [{"id": button_id, "title": title}]
        return self.send("InteractiveButtons", to=to, bodyText=words, buttons=buttons)


class Waj(JavascriptBusiness):
    """whatsapp-api-js: an instance of a class for every message."""

    def __init__(self, driver: Driver, **differently: Any) -> None:
        super().__init__(driver, "waj", **differently)

    def send(self, kind: str, *given: Any, to: str = ANA, context: str | None = None) -> str:
        """Send a message of the class of this name; return its id."""
        more = [] if context is None else [context]
        return wamid_of(self("sendMessage", PHONE_ID, {"phone": to}, make(kind, *given), *more))

    def send_text(self, to: str, words: str) -> str:
        """Send a text."""
        return self.send("Text", words, to=to)

    def send_button(self, to: str, words: str, button_id: str, title: str) -> str:
        """Send a question with one button."""
        action = make("ActionButtons", make("Button", button_id, title))
        return self.send("Interactive", action, make("Body", words), to=to)


def wamid_of(answer: Json) -> str:
    """Return the id of an accepted message."""
    assert "messages" in answer, answer
    wamid: str = answer["messages"][0]["id"]
    return wamid


def make(name: str, *given: Any) -> Json:
    """Stand for an instance, or the result, of what the library exports under this name."""
    return {"$make": name, "with": given}


def blob(content: bytes, mime_type: str) -> Json:
    """Stand for a Blob."""
    return {"$bytes": base64.b64encode(content).decode(), "type": mime_type}


def unpacked(answer: Json) -> bytes:
    """Return the bytes of an answer that holds some."""
    return base64.b64decode(answer["$bytes"])


@contextmanager
def driving() -> Iterator[Driver]:
    """Start the process, and end it."""
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules").is_dir():
        pytest.fail("The JavaScript clients are not installed: scripts/javascript does it.", pytrace=False)
    command = [node, "driver.mjs"]
    with subprocess.Popen(
        command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        yield Driver(process)
        assert process.stdin is not None
        process.stdin.close()
