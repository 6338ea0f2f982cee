"""The blocking client and the async one: the same calls, driven in two ways."""

import asyncio
import time
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack

import httpx2

from sayso.client import calls
from sayso.client.asking import Asking
from sayso.client.calls import (
    Answer,
    Call,
    Listening,
    OptingIn,
    OptingOut,
    Pause,
    Reporting,
    Request,
    Sending,
)
from sayso.client.model import Confirmation, Consents, Events, Message
from sayso.client.unreached import why
from sayso.client.verify import Receipt

_Result = TypeVar("_Result")


class Sayso:
    """Speaks to a Sayso service for one assistant; blocks.

    ``url`` is where the service is, without a path: ``http://127.0.0.1:8000``. ``token`` comes from ``sayso token``; a
    text that cannot be one raises ValueError. Calls raise :class:`ProblemError` when the service refuses and
    :class:`UnreachableError` when it does not answer.
    """

    def __init__(self, url: str, token: str, *, transport: httpx2.BaseTransport | None = None) -> None:
        self._http = httpx2.Client(base_url=url, headers=_headers(token), transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def link(self, user: str, phone: str, *, name: str | None = None) -> None:
        """Say which WhatsApp number a user has."""
        self._drive(calls.link(user, phone, name=name))

    def opt_in(self, wording: str, *, evidence: str, **options: Unpack[OptingIn]) -> None:
        """Record that the token's user (or ``recipient``) agreed to be messaged: their words, and what proves them.

        Options: :class:`sayso.client.OptingIn`; left out, the opt-in is for everything, and given now.
        """
        self._drive(calls.opt_in(wording, evidence, options))

    def ask(
        self, action_type: str, description: str, details: str = "", **options: Unpack[Asking]
    ) -> Confirmation:
        """Ask the token's user (or ``recipient``, or ``approvers``), and return at once.

        ``details`` may be left out where ``action`` or ``options`` says it all. Options: :class:`sayso.client.Asking`.
        """
        return self._drive(calls.ask(action_type, description, details, options))

    def confirm(
        self, action_type: str, description: str, details: str = "", **options: Unpack[Asking]
    ) -> Confirmation:
        """Ask, and return with the outcome; at the latest when the time is up. Options as of :meth:`ask`."""
        return self._drive(calls.confirm(action_type, description, details, options))

    def confirmation(self, confirmation_id: str, *, wait_s: float = 0) -> Confirmation:
        """Look at a confirmation, waiting up to ``wait_s`` seconds for its outcome."""
        return self._drive(calls.confirmation(confirmation_id, wait_s=wait_s))

    def withdraw(self, confirmation_id: str) -> None:
        """Take a question back; whoever was asked is told. Raises :class:`ProblemError` ``already_decided``."""
        self._drive(calls.withdraw(confirmation_id))

    def receipt(self, confirmation_id: str) -> Receipt:
        """The signed proof of a decision; :mod:`sayso.client.verify` verifies it."""
        return self._drive(calls.receipt(confirmation_id))

    def keys(self) -> dict[str, Any]:
        """The public keys that receipts are verified with (a JWK set). Keep them: a receipt then needs no service."""
        return self._drive(calls.keys())

    def claim(
        self, confirmation_id: str, action: Any, *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """The right to do what was confirmed, given once: ``action`` is what you are about to do, as it was asked.

        That is ``{"action_type": …, "action_description": …, "action_details": …}``, with ``"action"`` where one was
        given, and an empty text for details that were left out.

        Raises :class:`ProblemError`: ``not_confirmed``, ``action_mismatch``, ``claim_expired``, ``already_claimed``.
        """
        return self._drive(calls.claim(confirmation_id, action, idempotency_key))

    def executed(
        self, confirmation_id: str, status: Literal["done", "failed"], **options: Unpack[Reporting]
    ) -> dict[str, Any]:
        """Report what came of a claimed action, with a ``note``; with ``tell_person`` the person hears of it."""
        return self._drive(calls.executed(confirmation_id, status, options))

    def send(self, text: str | None = None, **options: Unpack[Sending]) -> Message:
        """Send a text, a template or another type (``message_type``, ``body``) to the token's user or ``recipient``.

        Options: :class:`sayso.client.Sending`.
        """
        return self._drive(calls.send(text, options))

    def message(self, message_id: str) -> Message:
        """Look at a message; ``raw["timeline"]`` has everything that happened to it."""
        return self._drive(calls.message(message_id))

    def cancel(self, message_id: str) -> Message:
        """Take a message out of the queue; raises :class:`ProblemError` ``too_late`` once it may be on its way."""
        return self._drive(calls.cancel(message_id))

    def retry(self, message_id: str) -> Message:
        """Send a message again that failed or expired; ``raw["retried"]`` is false when it is on its way already."""
        return self._drive(calls.retry(message_id))

    def settle(self, message_id: str, said: Literal["delivered", "failed", "retry"]) -> Message:
        """Say what became of an ``unknown`` message; ``retry`` may send it a second time."""
        return self._drive(calls.settle(message_id, said))

    def opt_out(self, reason: str, **options: Unpack[OptingOut]) -> None:
        """Opt the token's user (or ``recipient``) out: what waits to go to them is taken back.

        Options: :class:`sayso.client.OptingOut`; left out, they are out of everything, and told so.
        """
        self._drive(calls.opt_out(reason, options))

    def consents(self, recipient: str | None = None) -> Consents:
        """How the token's user (or ``recipient``) stands, and what the ledger has on it."""
        return self._drive(calls.consents(recipient))

    def senders(self) -> list[dict[str, Any]]:
        """Every number that sends: its rate, its limit, what holds it. Needs the scope ``operate``."""
        return self._drive(calls.senders())

    def events(self, after: str = "", **options: Unpack[Listening]) -> Events:
        """What happened after the ``next`` of an earlier answer; ``now``: what comes from now on.

        Options: ``types``, a list such as ``["confirmation.*"]``, and ``wait_s``: how long to wait for one.
        """
        return self._drive(calls.events(after, options))

    def alerts(self, state: str = "open") -> list[dict[str, Any]]:
        """What an operator must know of, newest first. Needs the scope ``operate``."""
        return self._drive(calls.alerts(state))

    def _drive(self, call: Call[_Result]) -> _Result:
        try:
            step = next(call)
            while True:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    step = next(call)
                else:
                    step = call.send(self._exchange(step))
        except StopIteration as end:
            result: _Result = end.value
            return result

    def _exchange(self, request: Request) -> Answer:
        try:
            return _answer(self._http.request(**_arguments(request)))
        except httpx2.TransportError as error:
            return Answer(0, None, f"{self._http.base_url} does not answer: {why(error)}")


class AsyncSayso:
    """Speaks to a Sayso service for one assistant; awaits. See :class:`Sayso`."""

    def __init__(self, url: str, token: str, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._http = httpx2.AsyncClient(base_url=url, headers=_headers(token), transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def link(self, user: str, phone: str, *, name: str | None = None) -> None:
        """Say which WhatsApp number a user has."""
        await self._drive(calls.link(user, phone, name=name))

    async def opt_in(self, wording: str, *, evidence: str, **options: Unpack[OptingIn]) -> None:
        """Record that the token's user (or ``recipient``) agreed to be messaged: their words, and what proves them.

        Options: :class:`sayso.client.OptingIn`; left out, the opt-in is for everything, and given now.
        """
        await self._drive(calls.opt_in(wording, evidence, options))

    async def ask(
        self, action_type: str, description: str, details: str = "", **options: Unpack[Asking]
    ) -> Confirmation:
        """Ask the token's user (or ``recipient``, or ``approvers``), and return at once.

        ``details`` may be left out where ``action`` or ``options`` says it all. Options: :class:`sayso.client.Asking`.
        """
        return await self._drive(calls.ask(action_type, description, details, options))

    async def confirm(
        self, action_type: str, description: str, details: str = "", **options: Unpack[Asking]
    ) -> Confirmation:
        """Ask, and return with the outcome; at the latest when the time is up. Options as of :meth:`ask`."""
        return await self._drive(calls.confirm(action_type, description, details, options))

    async def confirmation(self, confirmation_id: str, *, wait_s: float = 0) -> Confirmation:
        """Look at a confirmation, waiting up to ``wait_s`` seconds for its outcome."""
        return await self._drive(calls.confirmation(confirmation_id, wait_s=wait_s))

    async def withdraw(self, confirmation_id: str) -> None:
        """Take a question back; whoever was asked is told. Raises :class:`ProblemError` ``already_decided``."""
        await self._drive(calls.withdraw(confirmation_id))

    async def receipt(self, confirmation_id: str) -> Receipt:
        """The signed proof of a decision; :mod:`sayso.client.verify` verifies it."""
        return await self._drive(calls.receipt(confirmation_id))

    async def keys(self) -> dict[str, Any]:
        """The public keys that receipts are verified with (a JWK set). Keep them: a receipt then needs no service."""
        return await self._drive(calls.keys())

    async def claim(
        self, confirmation_id: str, action: Any, *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """The right to do what was confirmed, given once: ``action`` is what you are about to do, as it was asked.

        That is ``{"action_type": …, "action_description": …, "action_details": …}``, with ``"action"`` where one was
        given, and an empty text for details that were left out.

        Raises :class:`ProblemError`: ``not_confirmed``, ``action_mismatch``, ``claim_expired``, ``already_claimed``.
        """
        return await self._drive(calls.claim(confirmation_id, action, idempotency_key))

    async def executed(
        self, confirmation_id: str, status: Literal["done", "failed"], **options: Unpack[Reporting]
    ) -> dict[str, Any]:
        """Report what came of a claimed action, with a ``note``; with ``tell_person`` the person hears of it."""
        return await self._drive(calls.executed(confirmation_id, status, options))

    async def send(self, text: str | None = None, **options: Unpack[Sending]) -> Message:
        """Send a text, a template or another type (``message_type``, ``body``) to the token's user or ``recipient``.

        Options: :class:`sayso.client.Sending`.
        """
        return await self._drive(calls.send(text, options))

    async def message(self, message_id: str) -> Message:
        """Look at a message; ``raw["timeline"]`` has everything that happened to it."""
        return await self._drive(calls.message(message_id))

    async def cancel(self, message_id: str) -> Message:
        """Take a message out of the queue; raises :class:`ProblemError` ``too_late`` once it may be on its way."""
        return await self._drive(calls.cancel(message_id))

    async def retry(self, message_id: str) -> Message:
        """Send a message again that failed or expired; ``raw["retried"]`` is false when it is on its way already."""
        return await self._drive(calls.retry(message_id))

    async def settle(self, message_id: str, said: Literal["delivered", "failed", "retry"]) -> Message:
        """Say what became of an ``unknown`` message; ``retry`` may send it a second time."""
        return await self._drive(calls.settle(message_id, said))

    async def opt_out(self, reason: str, **options: Unpack[OptingOut]) -> None:
        """Opt the token's user (or ``recipient``) out: what waits to go to them is taken back.

        Options: :class:`sayso.client.OptingOut`; left out, they are out of everything, and told so.
        """
        await self._drive(calls.opt_out(reason, options))

    async def consents(self, recipient: str | None = None) -> Consents:
        """How the token's user (or ``recipient``) stands, and what the ledger has on it."""
        return await self._drive(calls.consents(recipient))

    async def senders(self) -> list[dict[str, Any]]:
        """Every number that sends: its rate, its limit, what holds it. Needs the scope ``operate``."""
        return await self._drive(calls.senders())

    async def events(self, after: str = "", **options: Unpack[Listening]) -> Events:
        """What happened after the ``next`` of an earlier answer; ``now``: what comes from now on.

        Options: ``types``, a list such as ``["confirmation.*"]``, and ``wait_s``: how long to wait for one.
        """
        return await self._drive(calls.events(after, options))

    async def alerts(self, state: str = "open") -> list[dict[str, Any]]:
        """What an operator must know of, newest first. Needs the scope ``operate``."""
        return await self._drive(calls.alerts(state))

    async def _drive(self, call: Call[_Result]) -> _Result:
        try:
            step = next(call)
            while True:
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    step = next(call)
                else:
                    step = call.send(await self._exchange(step))
        except StopIteration as end:
            result: _Result = end.value
            return result

    async def _exchange(self, request: Request) -> Answer:
        try:
            return _answer(await self._http.request(**_arguments(request)))
        except httpx2.TransportError as error:
            return Answer(0, None, f"{self._http.base_url} does not answer: {why(error)}")


def _headers(token: str) -> dict[str, str]:
    """Raises ValueError for what no header can hold; the token itself is never in a sentence."""
    bare = (token or "").strip()  # read from a file it ends with the line; of an environment it may be None
    if not bare or not bare.isascii() or not bare.isprintable():
        raise ValueError(
            f"The token {'is not one line of ASCII' if bare else 'is empty'}; "
            "`sayso token --user … --client …` prints one."
        )
    return {"Authorization": f"Bearer {bare}", "Accept": "application/json"}


def _arguments(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.path,
        "json": request.json,
        "params": request.params or None,
        "headers": request.headers,
        "timeout": request.timeout_s,
    }


def _answer(response: httpx2.Response) -> Answer:
    try:
        return Answer(response.status_code, response.json())
    except ValueError:
        return Answer(response.status_code, None, response.text[:200])
