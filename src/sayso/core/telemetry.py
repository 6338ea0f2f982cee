"""What the service says about itself: redacted logs on stderr, and counters for Prometheus.

``docs/metrics.md`` has a row for each metric (a test keeps them equal).
"""

import logging
import os
import select
import sys
from typing import Final, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from structlog.typing import EventDict, Processor, WrappedLogger

from sayso.core.redaction import redact_json, redact_text, redact_trace

# ``whatsapp_service`` is the name the set-up guide tells people to set to DEBUG: the exchanges with Meta.
OUR_LOGGERS: Final = ("sayso", "whatsapp_service")
_OWN_HANDLERS: Final = ("uvicorn", "uvicorn.access", "uvicorn.error")
PATIENCE_S: Final = 0.1
_TRACES: Final = ("exception", "stack")

_ENRICH: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def configure_logging(level: str, fmt: Literal["console", "json"]) -> None:
    """Send every record, ours and of libraries, through one redacting formatter to stderr.

    ``level`` is for our own loggers; libraries speak from WARNING up. The handler lets everything pass, so
    that a level set on one logger later, as the guide does, is all it takes. May be called again.
    """
    handler = _Stderr()
    handler.setFormatter(_formatter(fmt))
    root = logging.getLogger()
    root.handlers = [old for old in root.handlers if not isinstance(old, _Stderr)] + [handler]
    root.setLevel(logging.WARNING)
    for name in _OWN_HANDLERS:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in OUR_LOGGERS:
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_ENRICH,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # module-level loggers follow a second call, too
    )


def _formatter(fmt: Literal["console", "json"]) -> logging.Formatter:
    shapes: dict[str, Processor] = {
        "console": structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        "json": structlog.processors.JSONRenderer(ensure_ascii=False),
    }
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_ENRICH, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact_record,
            shapes[fmt],
        ],
    )


def redact_record(_logger: WrappedLogger, _method: str, record: EventDict) -> EventDict:
    """Redact one record: the last step before it becomes text. A record that defies it is withheld."""
    try:
        event = record.get("event", "")
        said = redact_text(event) if isinstance(event, str) else redact_json(event)
        fields = {key: value for key, value in record.items() if key not in ("event", *_TRACES)}
        traces = {key: redact_trace(str(record[key])) for key in _TRACES if record.get(key)}
        return {"event": said, **redact_json(fields), **traces}
    except Exception as error:  # noqa: BLE001 a log call never fails its caller, nor leaks by failing
        return {"event": f"<a record was withheld: {type(error).__name__} while redacting it>"}


class _Stderr(logging.Handler):
    """Writes to whatever stderr is at the moment, and never waits long for its reader.

    A record that cannot be formatted is not shown raw. When nobody empties the pipe, records are dropped and
    their number is told later: the service goes on.
    """

    dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 logging's own report would print the arguments unredacted
            line = f"<a record of {record.name} was withheld: {type(error).__name__} while formatting it>"
        if self.dropped:
            line = f"<{self.dropped} records were dropped: nobody read stderr>\n{line}"
        try:
            # Who did not read the last record is not waited for a second time.
            written = _write(f"{line}\n", patience_s=0 if self.dropped else PATIENCE_S)
        except (OSError, ValueError):
            return  # nobody listens any more
        self.dropped = 0 if written else self.dropped + 1


def _write(text: str, *, patience_s: float) -> bool:
    """Write to stderr; False when its reader did not take it in time."""
    try:
        out = sys.stderr.fileno()
    except (OSError, ValueError):  # not a file: a test's capture
        sys.stderr.write(text)
        return True
    data = text.encode(errors="backslashreplace")
    for begin in range(0, len(data), select.PIPE_BUF):  # what a pipe that has room takes without blocking
        if not select.select([], [out], [], patience_s)[1]:
            return False
        os.write(out, data[begin : begin + select.PIPE_BUF])
    return True


METRICS: Final = CollectorRegistry()

WEBHOOK_POSTS: Final = Counter(
    "sayso_webhook_posts_total", "Webhook POSTs received from Meta.", ["result"], registry=METRICS
)
UPDATES: Final = Counter("sayso_updates_total", "Updates digested.", ["kind", "result"], registry=METRICS)
UPDATES_DUPLICATE: Final = Counter(
    "sayso_updates_duplicate_total", "Updates received again and absorbed.", registry=METRICS
)
MESSAGES: Final = Counter(
    "sayso_messages_total", "Outbound messages that reached a state.", ["state"], registry=METRICS
)
META_REQUESTS: Final = Counter(
    "sayso_meta_requests_total", "Calls to the Graph API.", ["outcome"], registry=METRICS
)
META_REQUEST_SECONDS: Final = Histogram(
    "sayso_meta_request_seconds",
    "Time from the start of a Graph API call to its answer, in seconds.",
    registry=METRICS,
    buckets=(0.025, 0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30),
)
META_ERRORS: Final = Counter(
    "sayso_meta_errors_total", "Errors of the Graph API and failed statuses.", ["code"], registry=METRICS
)
EARLIER_ATTEMPTS: Final = Counter(
    "sayso_earlier_attempts_total",
    "Statuses of attempts that another one had followed.",
    ["status"],
    registry=METRICS,
)
CONFIRMATIONS: Final = Counter(
    "sayso_confirmations_total", "Confirmations decided.", ["outcome"], registry=METRICS
)
OPEN_CONFIRMATIONS: Final = Gauge(
    "sayso_open_confirmations", "Confirmations waiting for a decision.", registry=METRICS
)
HTTP_REQUESTS: Final = Counter(
    "sayso_http_requests_total", "HTTP requests answered.", ["route", "status"], registry=METRICS
)
WORK_READY: Final = Gauge("sayso_work_ready", "Rows due and not yet done.", ["queue"], registry=METRICS)
WORK_OLDEST_SECONDS: Final = Gauge(
    "sayso_work_oldest_seconds", "How long the oldest due row has waited.", ["queue"], registry=METRICS
)
LEASE_LOST: Final = Counter(
    "sayso_lease_lost_total", "Results refused since another worker took over.", ["queue"], registry=METRICS
)
ALERTS: Final = Counter("sayso_alerts_total", "Alerts raised.", ["severity"], registry=METRICS)
ALERTS_OPEN: Final = Gauge("sayso_alerts_open", "Alerts open now.", ["severity"], registry=METRICS)
SLOTS_MISSED: Final = Counter(
    "sayso_slots_missed_total",
    "Messages that missed their slot and took another.",
    ["sender"],
    registry=METRICS,
)
SENDER_RATE: Final = Gauge(
    "sayso_sender_rate", "Messages a second that a sender may send now.", ["sender"], registry=METRICS
)
SENDER_HELD: Final = Gauge(
    "sayso_sender_held", "Whether a sender is on hold (1) or sends (0).", ["sender"], registry=METRICS
)
SENDER_HOLDS: Final = Counter(
    "sayso_sender_holds_total", "Holds put on senders, by Meta's error code.", ["code"], registry=METRICS
)
DELIVERIES: Final = Counter(
    "sayso_deliveries_total", "Calls of endpoints, by what came of them.", ["result"], registry=METRICS
)
DELIVERY_SECONDS: Final = Histogram(
    "sayso_delivery_seconds",
    "Time of one call of an endpoint, in seconds.",
    registry=METRICS,
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
ENDPOINTS: Final = Gauge("sayso_endpoints", "Endpoints by how they stand.", ["state"], registry=METRICS)
STREAMS: Final = Gauge("sayso_streams", "Streams of events open now.", registry=METRICS)


def render_metrics() -> tuple[bytes, str]:
    """Return the page for Prometheus and its content type."""
    return generate_latest(METRICS), CONTENT_TYPE_LATEST
