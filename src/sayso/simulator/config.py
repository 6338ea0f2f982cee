"""What a simulator can be told: where it listens, whom it calls, which account it plays, how fast it is."""

import re
from dataclasses import dataclass
from typing import Literal

from sayso.simulator.mistakes import seen, wrong_callback

#: Messaging limits of a portfolio (6).
Tier = Literal["TIER_50", "TIER_250", "TIER_1K", "TIER_2K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED"]
#: Which statuses are told of a message, and in which order (9). ``usual``: sent, delivered, read. ``no_delivered``:
#: sent, read. ``read_first``: sent, read, delivered. ``twice``: each of the usual ones two times. ``silent``: nothing,
#: until the message has outlived its time.
Course = Literal["usual", "no_delivered", "read_first", "twice", "silent"]
#: How a submitted template is reviewed (3.3): at once, after a while, or by the desk's moderator.
Review = Literal["instant", "delayed", "moderator"]
#: People whose phones exist from the start: (name, number). More arrive by the page or by being written to.
FIRST_PEOPLE = (
    ("Ana Quiroga", "+15550001111"),
    ("Ben Okafor", "+15550002222"),
    ("Mei Lindholm", "+15550003333"),
)
#: An id of Graph.
_ID = re.compile(r"[0-9]{1,20}")
#: E.164: 7 to 15 digits behind the plus, with what people put between them.
_INTERNATIONAL = re.compile(r"\+[ (]*[0-9](?:[-() ]*[0-9]){6,14}")


class ConfigError(ValueError):
    """A simulator cannot be started like this: ``words`` say what is wrong with the ``field``."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(f"{field} {words}")
        self.field, self.words = field, words


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Everything a simulator is started with; the defaults are those of ``sayso simulator``, but for the webhook.

    Lengths of time ending in ``_ms`` are milliseconds of simulated time: while the clock runs at its usual speed
    they are real ones, while it stands still they do not pass.
    """

    host: str = "127.0.0.1"
    port: int = 8001  # 0: any free port, told by Simulator.base_url
    webhook_url: str = ""  # "": nobody has subscribed yet; the command has a service beside it to call
    token: str = "sim-token"  # noqa: S105  # public default of a development tool
    app_id: str = "900000000000001"
    app_secret: str = "sim-secret"  # noqa: S105  # same
    verify_token: str = "sim-verify"  # noqa: S105  # same
    phone_number_id: str = "100000000000001"
    waba_id: str = "200000000000001"
    portfolio_id: str = "300000000000001"  # BSUIDs are scoped to it (cloud-api.md 4.7)
    business_number: str = "+1 555 010 0000"
    verified_name: str = "Sayso Assistant"
    people: tuple[tuple[str, str], ...] = FIRST_PEOPLE
    #: Names besides this machine's own by which the page and the control API may be called (Host header).
    allow_hosts: tuple[str, ...] = ()
    #: A file that is loaded at the start if it is there, and written at the end and on request.
    snapshot: str | None = None

    #: Read for the person. While a phone page is open and visible, what it shows is what gets read instead.
    auto_read: bool = True
    sent_after_ms: int = 40
    delivered_after_ms: int = 120  # after `sent`
    read_after_ms: int = 400  # after `delivered`

    #: Which statuses are told, and in which order (9); one message can be given another by a fault.
    course: Course = "usual"

    #: Refuse at once, not by webhook, what Meta refuses either way: 131047, 131026, 131049 and the like (5.1, 9).
    refuse_at_once: bool = False
    #: Enforce throughput per number (130429) and the pair rate (131056), section 6.
    enforce_rates: bool = True
    #: Refuse management calls beyond 200 (or 5,000) an hour per app and WABA with 80008, section 6.
    enforce_management_limits: bool = True
    #: Say Retry-After with 130429 and 80008; Meta documents none (6).
    retry_after: bool = False
    tier: Tier = "TIER_UNLIMITED"  # of the portfolio, section 6
    #: Marketing templates one person takes in a rolling 24 h before 131049; the real cap is dynamic (7.4).
    marketing_cap: int = 2
    #: How a submitted template is reviewed (3.3): at once, after `review_after_s`, or by the desk's moderator.
    review: Review = "delayed"
    review_after_s: float = 2.0
    #: Refuse `hello_world` from numbers that are no test numbers (SANDBOX) with 131058; off, as it is a first send.
    sample_from_test_numbers_only: bool = False
    #: Write languages as `en-US` in webhooks about templates, as Meta sometimes does, not as `en_US` (3.8).
    hyphens_in_webhooks: bool = False

    #: Webhooks: first pause before a retry, doubled up to the cap (cloud-api.md 4.5, quickened).
    retry_first_ms: int = 200
    retry_cap_ms: int = 900_000
    webhook_timeout_ms: int = 10_000  # real time
    verify_at_start: bool = True  # the GET handshake of cloud-api.md 4.2
    #: Updates put into one webhook when several wait (4.5: up to 1,000); 1 never joins any.
    batch_at_most: int = 1
    batch_wait_ms: int = 50  # the first of a batch waits this long for company
    #: Post the retry of a webhook to every other subscribed app as well (4.5).
    retry_to_all_apps: bool = False
    #: `failed` statuses of messages sent to a phone have `contacts:[{"wa_id":...}]`, as in traffic of August 2026 shown
    #: by clients that need it; off: no contacts, as Meta's documentation has it (4.6, 4.7).
    failed_contacts: bool = True
    #: Webhook payload version: below v24.0 statuses carry `conversation` (4.9).
    webhook_version: str = "v25.0"

    #: Bounds on memory: the oldest go first, with everything known about them.
    keep_messages: int = 20_000
    keep_people: int = 100_000
    keep_webhooks: int = 2_000
    keep_pending_webhooks: int = 50_000
    keep_exchanges: int = 1_000
    keep_media_bytes: int = 500_000_000

    #: Seeds the ids, so that the same script gives the same ones; None: never the same twice.
    seed: int | None = None

    def __post_init__(self) -> None:
        """Refuse at once what would fail in the middle of a webhook, or be reached by nobody."""
        if not re.fullmatch(r"v\d+\.\d+", self.webhook_version):
            raise ConfigError(
                "webhook_version", f"must be a version such as v25.0; it is {seen(self.webhook_version)}."
            )
        if self.webhook_url and (words := wrong_callback(self.webhook_url)):
            raise ConfigError("webhook_url", words)
        for field in ("token", "app_secret", "verify_token"):
            if not getattr(self, field):
                raise ConfigError(field, "must not be empty.")
        self._check_ids()
        if not _INTERNATIONAL.fullmatch(self.business_number):
            raise ConfigError(
                "business_number",
                f"must be a number in international form, such as +1 555 010 0000; it is {seen(self.business_number)}.",
            )

    def _check_ids(self) -> None:
        """Refuse ids that Graph could not tell apart: one node has one path."""
        taken: dict[str, str] = {}
        for field in ("phone_number_id", "waba_id", "portfolio_id", "app_id"):
            found: str = getattr(self, field)
            if not _ID.fullmatch(found):
                raise ConfigError(field, f"must be digits, such as 100000000000001; it is {seen(found)}.")
            if found in taken:
                raise ConfigError(field, f"must be an id of its own; {found} is the {taken[found]}.")
            taken[found] = field
