"""A business written in Python: pywa as it comes from its index, calling and called by a simulator.

pywa takes the HTTP client it shall use, so only that client knows where Meta is: see :class:`Elsewhere`.
"""

import queue
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
import uvicorn
from pywa import WhatsApp, handlers, types
from starlette.applications import Starlette

from clients.stage import APP_ID, APP_SECRET, PHONE_ID, TOKEN, VERIFY_TOKEN, WABA_ID, WAIT_S, Background

U = TypeVar("U")

HANDLERS: tuple[type[Any], ...] = (
    handlers.MessageHandler,
    handlers.MessageStatusHandler,
    handlers.CallbackButtonHandler,
    handlers.CallbackSelectionHandler,
    handlers.FlowCompletionHandler,
    handlers.TemplateStatusUpdateHandler,
    handlers.TemplateCategoryUpdateHandler,
    handlers.TemplateQualityUpdateHandler,
    handlers.UserMarketingPreferencesHandler,
    handlers.PhoneNumberChangeHandler,
)


class Elsewhere(httpx.HTTPTransport):
    """Carries requests meant for Meta's hosts to another address, everything else unchanged."""

    def __init__(self) -> None:
        super().__init__()
        self.base = httpx.URL()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on its way."""
        if request.url.host in ("graph.facebook.com", "api.facebook.com"):
            here = self.base
            request.url = request.url.copy_with(scheme=here.scheme, host=here.host, port=here.port)
            request.headers["Host"] = here.netloc.decode()
        return super().handle_request(request)


class PythonBusiness:
    """pywa, its webhook server, and whatever its handlers were told."""

    def __init__(self, server: Starlette) -> None:
        self._meta = Elsewhere()
        self.session = httpx.Client(transport=self._meta, timeout=2 * WAIT_S)
        self.url = ""
        self._told: queue.Queue[Any] = queue.Queue()
        self._passed: list[Any] = []
        self.wa = self.client(server=server, session=self.session)
        self.wa.add_handlers(*(handler(self._note) for handler in HANDLERS))

    def client(self, **differently: Any) -> WhatsApp:
        """Make a pywa client of this business's account, or of one that differs in something."""
        given: dict[str, Any] = {
            "phone_id": PHONE_ID,
            "waba_id": WABA_ID,
            "app_id": APP_ID,
            "token": TOKEN,
            "app_secret": APP_SECRET,
            "verify_token": VERIFY_TOKEN,
            "webhook_endpoint": "/hook",
        }
        given["session"] = httpx.Client(transport=self._meta, timeout=2 * WAIT_S)
        return WhatsApp(**given | differently)

    def connect(self, base_url: str) -> None:
        """Tell where Meta is."""
        self._meta.base = httpx.URL(base_url)

    def hears(self, kind: type[U], **like: Any) -> U:
        """Wait for the next update of a kind, with these attributes; what else comes is kept for later."""
        for update in self._passed:
            if _is(update, kind, like):
                self._passed.remove(update)
                return update  # type: ignore[no-any-return]
        while True:
            try:
                update = self._told.get(timeout=WAIT_S)
            except queue.Empty:
                raise AssertionError(f"no {kind.__name__} like {like}; there were {self._passed}") from None
            if _is(update, kind, like):
                return update  # type: ignore[no-any-return]
            self._passed.append(update)

    def status(self, wamid: str, status: types.MessageStatusType) -> types.MessageStatus[Any]:
        """Wait for a status of a message."""
        return self.hears(types.MessageStatus, id=wamid, status=status)

    def _note(self, _: WhatsApp, update: Any) -> None:
        self._told.put(update)


def _is(update: Any, kind: type[Any], like: dict[str, Any]) -> bool:
    return isinstance(update, kind) and all(getattr(update, key) == value for key, value in like.items())


@contextmanager
def serving(background: Background) -> Iterator[PythonBusiness]:
    """Serve a business's webhook."""
    app = Starlette()
    business = PythonBusiness(app)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    served = background.start(server.serve(sockets=[listening]))
    business.url = f"http://127.0.0.1:{listening.getsockname()[1]}/hook"
    try:
        yield business
    finally:
        server.should_exit = True
        served.result(WAIT_S)
        business.session.close()
