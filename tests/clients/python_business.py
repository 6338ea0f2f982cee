"""A business written in Python: pywa as it comes from its index, calling and called by a simulator.

pywa takes the HTTP client it shall use, so only that client knows where Meta is: see :class:`Elsewhere`.
"""

import itertools
import queue
from typing import Any, TypeVar

import httpx
from pywa import WhatsApp, errors, handlers, types
from pywa.types import templates
from starlette.applications import Starlette

from clients.stage import APP_ID, APP_SECRET, NO_TLS, PHONE_ID, TOKEN, VERIFY_TOKEN, WABA_ID, WAIT_S, Stage

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
    handlers.IdentityChangeHandler,
    handlers.CallPermissionUpdateHandler,
)

#: pywa's classes of refusals of a send, with the first code of each.
FAMILIES = (errors.AuthorizationError, errors.ThrottlingError, errors.IntegrityError, errors.SendMessageError)
KINDS: list[type[errors.WhatsAppError]] = [kind for family in FAMILIES for kind in family.__subclasses__()]
REFUSALS = [(next(iter(kind.__error_codes__)), kind) for kind in KINDS if kind.__error_codes__]


class Doors:
    """A web server at which every business gets a webhook of its own."""

    def __init__(self, app: Starlette, port: int) -> None:
        self.app = app
        self._port = port
        self._numbers = itertools.count(1)

    def another(self) -> tuple[str, str]:
        """Return a path for a webhook, and its address."""
        path = f"/hook/{next(self._numbers)}"
        return path, f"http://127.0.0.1:{self._port}{path}"


class Elsewhere(httpx.HTTPTransport):
    """Carries requests meant for Meta's hosts to another address, everything else unchanged."""

    def __init__(self) -> None:
        super().__init__(verify=NO_TLS)
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

    def __init__(self, doors: Doors) -> None:
        self.meta: Stage
        self._elsewhere = Elsewhere()
        self._endpoint, self.url = doors.another()
        self._told: queue.Queue[Any] = queue.Queue()
        self._passed: list[Any] = []
        self.wa = self.client(server=doors.app)
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
            "webhook_endpoint": self._endpoint,
        }
        session = httpx.Client(transport=self._elsewhere, timeout=2 * WAIT_S)
        return WhatsApp(session=session, **given | differently)

    def close(self) -> None:
        """Close every connection, of all clients made here."""
        self._elsewhere.close()

    def connect(self, meta: Stage) -> None:
        """Tell where Meta is."""
        self.meta = meta
        self._elsewhere.base = httpx.URL(meta.base_url)

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

    def unheard(self, kind: type[U]) -> list[U]:
        """List what came, and was passed over so far."""
        while not self._told.empty():
            self._passed.append(self._told.get())
        return [each for each in self._passed if isinstance(each, kind)]

    def status(self, wamid: str, status: types.MessageStatusType) -> types.MessageStatus[Any]:
        """Wait for a status of a message."""
        return self.hears(types.MessageStatus, id=wamid, status=status)

    def delivers(self, sent: types.SentMessage) -> types.MessageStatus[Any]:
        """Wait until a message is delivered; raise what it failed with instead."""
        final = (types.MessageStatusType.DELIVERED, types.MessageStatusType.FAILED)
        while (status := self.hears(types.MessageStatus, id=sent.id)).status not in final:
            pass
        if status.error is not None:
            raise status.error
        return status

    def _note(self, _: WhatsApp, update: Any) -> None:
        self._told.put(update)


def body(*values: Any, **named: Any) -> templates.BaseParams:
    """Fill a template's body; pywa's own types do not admit what it is made for."""
    filled: templates.BaseParams = templates.BodyText.params(*values, **named)
    return filled


def header(*values: Any, **named: Any) -> templates.BaseParams:
    """Fill a template's header text."""
    filled: templates.BaseParams = templates.HeaderText.params(*values, **named)
    return filled


def _is(update: Any, kind: type[Any], like: dict[str, Any]) -> bool:
    return isinstance(update, kind) and all(getattr(update, key) == value for key, value in like.items())
