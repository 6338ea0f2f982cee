"""Management calls to the Graph API: templates, numbers, uploads. Every call is told to a budget before and after it.

Shapes: cloud-api 3.1 (templates), 3.2 (resumable upload), 8.1 (numbers), 1.3 (debug_token). None of them reaches a
person, so one that failed may be made again.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import aiohttp
import msgspec
from yarl import URL

from sayso.core.database import in_transaction
from sayso.core.errors import MetaUnreachableError, SaysoError
from sayso.core.redaction import redact_json, redact_text
from sayso.whatsapp.failures import NO_CODE, Failure, GraphError, classify, graph_error
from sayso.whatsapp.tolerant import UnloadableError, load

MAX_ANSWER_BYTES: Final = 16_777_216
PAGE: Final = 100
PAGES_AT_MOST: Final = 200
"""20,000 templates: an account has 6,000 names at most (cloud-api 3.4), most of them in few languages."""

#: What the mirror keeps of a template (cloud-api 3.1).
TEMPLATE_FIELDS: Final = (
    "id,name,language,status,category,correct_category,components,parameter_format,quality_score,rejected_reason,"
    "message_send_ttl_seconds"
)
_SUCCESS: Final = range(200, 300)
_log = logging.getLogger("whatsapp_service")


class RefusedByMetaError(SaysoError):
    """Meta refused a management call: ``error`` as it wrote it, ``failure`` what its code means."""

    status = 502
    code = "meta_refused"
    title = "Meta refused it"

    def __init__(self, error: GraphError, failure: Failure, http_status: int) -> None:
        said = error.details or error.title or failure.meaning
        where = f"{error.code}" + (f"/{error.subcode}" if error.subcode else "")
        super().__init__(f"Meta refused it ({where}): {said}")
        self.error = error
        self.failure = failure
        self.http_status = http_status


class Budget(Protocol):
    """What management calls may still be made for an account (cloud-api 6)."""

    async def spend(self, waba_id: str) -> None:
        """Count one call that is about to be made; raise a SaysoError when none is left."""

    async def learn(self, waba_id: str, headers: Mapping[str, str]) -> None:
        """Take note of the usage headers of an answer."""


class Unlimited:
    """A budget without an end."""

    async def spend(self, waba_id: str) -> None:
        """Let every call through."""

    async def learn(self, waba_id: str, headers: Mapping[str, str]) -> None:
        """Take no note."""


class ManagementClient:
    """Speaks to one Graph API about one account (``waba_id``), over a session of ``wire.graph_session``.

    ``token`` is asked for before each call, since it may have been replaced. Methods raise
    :class:`RefusedByMetaError`, :class:`MetaUnreachableError`, and whatever the budget raises; RuntimeError inside a
    transaction.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        base_url: str,
        version: str,
        waba_id: str,
        token: Callable[[], str],
        budget: Budget | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        self._http = http
        self._root = base_url.rstrip("/") + (f"/{version}" if version else "")
        self._waba_id = waba_id
        self._token = token
        self._budget = budget or Unlimited()
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._app_id: str | None = None

    async def templates(self) -> list[dict[str, Any]]:
        """Every template of the account in every language, following the cursors to the end.

        What is no whole list raises :class:`MetaUnreachableError`: a template that is missing on it counts as deleted.
        """
        found: list[dict[str, Any]] = []
        query = {"fields": TEMPLATE_FIELDS, "limit": str(PAGE)}
        for _ in range(PAGES_AT_MOST):
            page = await self._call("GET", f"{self._waba_id}/message_templates", query=query)
            data, paging = page.get("data"), page.get("paging")
            if not isinstance(data, list):
                raise MetaUnreachableError("The Graph API answered without a list of templates.")
            found += [each for each in data if isinstance(each, dict)]
            if not (isinstance(paging, dict) and paging.get("next")):
                return found
            cursors = paging.get("cursors")
            after = cursors.get("after") if isinstance(cursors, dict) else None
            if not isinstance(after, str) or after in ("", query.get("after")):
                break
            query["after"] = after
        raise MetaUnreachableError("The Graph API's list of templates has no end that could be found.")

    async def create_template(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Submit a template in one language; ``id``, ``status`` and the ``category`` it was given, maybe another."""
        return await self._call("POST", f"{self._waba_id}/message_templates", body=body)

    async def edit_template(self, meta_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace what ``body`` holds of a template (its components as a whole); it is reviewed anew."""
        return await self._call("POST", meta_id, body=body)

    async def delete_template(self, name: str, meta_id: str | None = None) -> None:
        """Delete a template: one language by its id, else all of them."""
        query = {"name": name} | ({"hsm_id": meta_id} if meta_id else {})
        await self._call("DELETE", f"{self._waba_id}/message_templates", query=query)

    async def unpause_template(self, meta_id: str) -> dict[str, Any]:
        """Take back a pause that pacing made (cloud-api 3.5); ``success`` and perhaps a ``reason`` why not."""
        return await self._call("POST", f"{meta_id}/unpause", body={})

    async def phone_number(self, phone_number_id: str, fields: str) -> dict[str, Any]:
        """What Meta says of one of our numbers (cloud-api 8.1)."""
        return await self._call("GET", phone_number_id, query={"fields": fields})

    async def upload(self, data: bytes, *, mime_type: str, file_name: str) -> str:
        """Upload the example of a media header; the handle that stands for it (cloud-api 3.2)."""
        app_id = await self.app_id()
        begin = {"file_length": str(len(data)), "file_type": mime_type, "file_name": file_name}
        session = (await self._call("POST", f"{app_id}/uploads", query=begin)).get("id")
        if not isinstance(session, str) or not session.startswith("upload:"):
            raise MetaUnreachableError("Meta opened no upload session where one was asked for.")
        handle = (await self._call("POST", session, data=data)).get("h")
        if not isinstance(handle, str) or not handle:
            raise MetaUnreachableError("Meta gave no handle for the file that was uploaded.")
        return handle

    async def app_id(self) -> str:
        """The app our token belongs to, by asking Meta what the token is (cloud-api 1.3)."""
        if self._app_id is None:
            told = (await self._call("GET", "debug_token", query={"input_token": self._token()})).get("data")
            app_id = told.get("app_id") if isinstance(told, dict) else None
            if not isinstance(app_id, str) or not app_id.isdigit():
                raise MetaUnreachableError("Meta did not say which app the access token belongs to.")
            self._app_id = app_id
        return self._app_id

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        data: bytes | None = None,
    ) -> dict[str, Any]:
        if in_transaction():
            raise RuntimeError("a call to Meta inside a transaction")
        await self._budget.spend(self._waba_id)
        raw = data if body is None else msgspec.json.encode(body)
        status, headers, answer = await self._exchange(
            method, path, query or {}, raw, upload=data is not None
        )
        await self._budget.learn(self._waba_id, headers)
        return _read(status, answer)

    async def _exchange(
        self, method: str, path: str, query: Mapping[str, str], raw: bytes | None, *, upload: bool
    ) -> tuple[int, Mapping[str, str], bytes]:
        token = self._token()
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": "sayso"}
        if (
            upload
        ):  # the one call of Graph's that wants the older word, and where the bytes begin (cloud-api 3.2)
            headers |= {"Authorization": f"OAuth {token}", "file_offset": "0"}
            headers["Content-Type"] = "application/octet-stream"
        elif raw is not None:
            headers["Content-Type"] = "application/json"
        # An upload's session id carries a query of its own ("upload:…?sig=…"), which belongs to the address as given.
        url = URL(f"{self._root}/{path}", encoded=True)
        url = url.update_query(query) if query else url
        try:
            async with self._http.request(
                method, url, data=raw, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                answer = await response.content.read(MAX_ANSWER_BYTES)
                while len(answer) < MAX_ANSWER_BYTES and (more := await response.content.readany()):
                    answer += more
                status, told = response.status, response.headers
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise MetaUnreachableError(
                f"The Graph API did not answer {method} /{path.partition('?')[0]} ({type(error).__name__})."
            ) from error
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s %s -> HTTP %s %s", method, redact_text(url.path), status, _shown(answer))
        return status, told, answer


def _read(status: int, answer: bytes) -> dict[str, Any]:
    """The answer's object; raises for an error of Meta's and for what is no answer of Graph's."""
    try:
        found = load(answer)
    except UnloadableError:
        found = None
    if not isinstance(found, dict):
        raise MetaUnreachableError(
            f"The Graph API answered HTTP {status} with something that is no JSON object."
        )
    error = graph_error(found.get("error"))
    if error is not None and error.code != NO_CODE:
        raise RefusedByMetaError(error, classify(error, status), status)
    if status not in _SUCCESS:
        raise MetaUnreachableError(f"The Graph API answered HTTP {status} without an error code.")
    return found


def _shown(answer: bytes) -> str:
    try:
        return msgspec.json.encode(redact_json(load(answer))).decode()[:2000]
    except Exception:  # noqa: BLE001 - a log line never fails the call that it tells of
        return f"<{len(answer)} bytes that cannot be shown>"
