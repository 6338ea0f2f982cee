"""The faults that can be armed: whom they strike, how often, and what they do; never by accident.

Every class is one ``kind`` of the JSON that arms it. Times are seconds: real ones for answers, simulated ones for
webhooks. Section numbers are those of the project's wire-contract sheet, ``cloud-api.md``.
"""

from typing import Annotated, Any, Literal, get_args

import msgspec

from sayso.simulator.config import Course
from sayso.simulator.strict import Strict

#: Ways to sign a webhook wrongly.
Forgery = Literal["forged", "missing", "wrong_secret", "sha1_only"]
#: What a webhook can say that nobody knows yet.
Novelty = Literal["unknown_field", "unknown_type", "extra_keys"]
Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
HttpStatus = Annotated[int, msgspec.Meta(ge=400, le=599)]

#: The route that sends, and takes receipts.
SENDS = "messages"
#: `on` for webhooks themselves; every other word is the name of a route, or `*` for all of them.
WEBHOOKS = "webhooks"
EVERYWHERE = "*"
#: Read receipts and typing indicators: the same route as sends, but nothing is sent (2.7).
RECEIPTS = "receipts"
ARMED = "Fault armed in the simulator."


class Armable(Strict, tag_field="kind", kw_only=True, omit_defaults=True):
    """What all faults share: which calls they concern, and which of those they strike.

    ``to`` is a phone or a BSUID; everything left out concerns any. Of the calls concerned the first ``after`` are
    spared; of the rest every one is struck, or each ``every``-th, or each with ``probability`` (by ``seed``), until
    ``next`` were. ``next`` is 1, or without end when ``until_cleared``, ``every`` or ``probability`` is given.
    """

    on: str = SENDS
    method: Literal["GET", "POST", "DELETE"] | None = None
    to: str | None = None
    phone_number_id: str | None = None
    waba_id: str | None = None
    template: str | None = None
    token: str | None = None
    next: Count | None = None
    every: Count | None = None
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    seed: int | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    until_cleared: bool = False

    @property
    def times(self) -> int | None:
        """How often it strikes at most; None: until it is cleared."""
        if self.next is not None:
            return self.next
        endless = self.until_cleared or self.every is not None or self.probability is not None
        return None if endless else 1


class RefuseWithError(Armable, tag="error"):
    """Answer with a Graph error (5.1); nothing is accepted, except with ``after_accept``."""

    code: int
    http_status: HttpStatus | None = None
    subcode: int | None = None
    details: str = ARMED
    retry_after_s: Annotated[int, msgspec.Meta(ge=0)] | None = None
    after_accept: bool = False


class PlainHttp(Armable, tag="http"):
    """Answer with an HTTP status and no Graph error, as a gateway before the API does."""

    http_status: HttpStatus = 502
    body: str | None = None  # a page saying the status, when left out
    content_type: str = "text/html"
    retry_after_s: Annotated[int, msgspec.Meta(ge=0)] | None = None
    after_accept: bool = False


class DropBefore(Armable, tag="drop_before"):
    """Cut the connection: nothing is accepted, no answer."""


class DropAfter(Armable, tag="drop_after"):
    """Accept the call, then cut the connection: a message's statuses come, the answer never does."""


class CutAnswer(Armable, tag="cut_answer"):
    """Accept the call and cut the connection in mid-answer: the headers and half the body arrive."""


class Delay(Armable, tag="delay"):
    """Answer late; with ``after_accept`` statuses arrive before the answer (9)."""

    delay_s: Seconds
    after_accept: bool = False


class Hang(Armable, tag="hang"):
    """Never answer: until the caller gives up, or all faults are cleared."""

    after_accept: bool = False


class Garbage(Armable, tag="garbage"):
    """Answer 200 with bytes that are no JSON, though the header says so."""

    after_accept: bool = True


class Truncate(Armable, tag="truncate"):
    """Accept and answer with half the JSON, complete by its Content-Length."""


class Empty(Armable, tag="empty"):
    """Answer 200 with no body."""

    after_accept: bool = True


class FailLate(Armable, tag="fail_late"):
    """Accept with 200, then report ``failed`` with this code by webhook, at once or after ``sent`` (9)."""

    code: int
    details: str = ARMED
    after_status: Literal["sent"] | None = None


class TakeCourse(Armable, tag="course"):
    """Let a message's statuses come in another order, twice, or not at all (4.9, 9)."""

    course: Course


class WebhookFault(Armable, kw_only=True):
    """What faults of webhooks share: on `webhooks` each strikes webhooks; on a route, those of the messages sent there.

    One update to one app counts as one. ``field`` and ``status`` narrow it to these (4.1, 4.9).
    """

    on: str = WEBHOOKS
    field: str | None = None
    status: Literal["sent", "delivered", "read", "played", "failed"] | None = None
    app_id: str | None = None


class WebhookLoss(WebhookFault, tag="webhook_loss"):
    """Never post it."""


class WebhookDuplicate(WebhookFault, tag="webhook_duplicate"):
    """Post the same bytes ``copies`` times at once (4.5: duplicates are expected)."""

    copies: Annotated[int, msgspec.Meta(ge=2, le=100)] = 2


class WebhookDelay(WebhookFault, tag="webhook_delay"):
    """Post it this much later, in simulated time."""

    delay_s: Seconds


class WebhookReorder(WebhookFault, tag="webhook_reorder"):
    """Gather the webhooks it strikes, and post them one by one in a shuffled order.

    That is when ``next`` (default 3) have come, or ``span_s`` simulated seconds after the first; on a route, after
    ``span_s`` alone, and ``next`` counts calls.
    """

    span_s: Seconds = 2.0

    @property
    def times(self) -> int | None:
        """How many are gathered in all; None: again and again until it is cleared."""
        times = super().times
        if self.next is None and times is not None and self.on == WEBHOOKS:
            return 3  # sent, delivered, read
        return times


class WebhookSignature(WebhookFault, tag="webhook_signature"):
    """Sign wrongly: ``forged`` digits, none at all, with a ``wrong_secret``, or the sha1 header alone (9)."""

    how: Forgery = "forged"


class WebhookInject(WebhookFault, tag="webhook_inject"):
    """Say something new: a field or a type that nobody knows, or extra keys on every level (4.4, 9)."""

    what: Novelty = "extra_keys"


Fault = (
    RefuseWithError
    | PlainHttp
    | DropBefore
    | DropAfter
    | CutAnswer
    | Delay
    | Hang
    | Garbage
    | Truncate
    | Empty
    | FailLate
    | TakeCourse
    | WebhookLoss
    | WebhookDuplicate
    | WebhookDelay
    | WebhookReorder
    | WebhookSignature
    | WebhookInject
)

_SHARED = frozenset(Armable.__struct_fields__)


def _described(kind: type[Armable]) -> dict[str, Any]:
    own = [each for each in msgspec.structs.fields(kind) if each.name not in _SHARED]
    return {
        "kind": kind.__struct_config__.tag,
        "does": (kind.__doc__ or "").partition("\n")[0],
        "keys": [each.name for each in own],
        "required": [each.name for each in own if each.required],
        "defaults": {
            each.name: each.default for each in own if not each.required and each.default is not None
        },
    }


#: Every kind of fault for those who choose one: what it does, the keys of its own, those it needs, what others are.
KINDS: list[dict[str, Any]] = [_described(kind) for kind in get_args(Fault)]
#: What the keys of a kind's own are when they are left out, unless that is null.
DEFAULTS: dict[str, dict[str, Any]] = {each["kind"]: each["defaults"] for each in KINDS}
