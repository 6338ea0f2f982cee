"""Errors that know their destiny: HTTP status, stable code, human words, and what to do.

Each class is one row of ``docs/errors.md`` (a test keeps the two equal). Services raise them; ``app``
turns them into RFC 9457 problem details, the worker into an outcome, the command line into a sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: a sentence and the JSON Pointer (RFC 6901) of the field."""

    detail: str
    pointer: str = ""


class SaysoError(Exception):
    """Something went wrong inside Sayso; nothing was lost, the log has the cause."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(
        self, detail: str, *, faults: Sequence[Fault] = (), retry_after_s: int | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.retry_after_s = retry_after_s


class InputInvalidError(SaysoError):
    """The request does not have the shape the route takes; ``errors`` points at each field."""

    status = 422
    code = "input_invalid"
    title = "The request is not valid"


class ContentTooLongError(SaysoError):
    """A text is longer than WhatsApp takes; the detail says by how much. Nothing is ever cut silently."""

    status = 422
    code = "content_too_long"
    title = "The text is too long"


class FileTooLargeError(SaysoError):
    """A file is larger than WhatsApp takes of its kind; the detail says by how much."""

    status = 413
    code = "file_too_large"
    title = "The file is too large"


class UnauthenticatedError(SaysoError):
    """The bearer token is missing, malformed, expired, or not ours."""

    status = 401
    code = "unauthenticated"
    title = "A valid bearer token is needed"


class ForbiddenError(SaysoError):
    """The token is valid but lacks the scope this route asks for."""

    status = 403
    code = "forbidden"
    title = "The token lacks a scope"


class OptedOutError(SaysoError):
    """The person has opted out; nothing was queued. Only the person comes back, by the way that `detail` tells."""

    status = 403
    code = "opted_out"
    title = "The person has opted out"


class ConsentMissingError(SaysoError):
    """We may not begin: the person has not opted in to this category; record their opt-in, with its proof, first."""

    status = 403
    code = "consent_missing"
    title = "The person has not opted in"


class WindowClosedError(SaysoError):
    """The 24-hour window is known to be closed, and no template was given for outside it: give a ``fallback``."""

    status = 409
    code = "window_closed"
    title = "Only a template may be sent now"


class NotFoundError(SaysoError):
    """No such object, or it belongs to another assistant; the two are not told apart."""

    status = 404
    code = "not_found"
    title = "Not found"


class MethodNotAllowedError(SaysoError):
    """The route exists, but not for this HTTP method; the ``Allow`` header names those it takes."""

    status = 405
    code = "method_not_allowed"
    title = "The route does not take this method"


class RequestUnreadableError(SaysoError):
    """The request or its body cannot be read at all; the detail says what it should be."""

    status = 400
    code = "request_unreadable"
    title = "The request cannot be read"


class PersonUnknownError(SaysoError):
    """The token's user has no WhatsApp number yet: link one with ``PUT /people/{external_id}``."""

    status = 422
    code = "person_unknown"
    title = "No WhatsApp number is linked to this user"


class TemplateUnknownError(SaysoError):
    """The WhatsApp account has no such template, or none that can be sent to this person; the detail says more."""

    status = 422
    code = "template_unknown"
    title = "No such template"


class MetaUnreachableError(SaysoError):
    """The Graph API did not answer a management call, or not as the Graph API; it may be made again."""

    status = 503
    code = "meta_unreachable"
    title = "The Graph API does not answer"
    retryable = True


class TooLateError(SaysoError):
    """The message may be on its way, or has ended: it cannot be cancelled any more."""

    status = 409
    code = "too_late"
    title = "It is too late for that"


class NotRetryableError(SaysoError):
    """The message is not sent again; the detail says why, and what to do instead."""

    status = 409
    code = "not_retryable"
    title = "The message is not sent again"


class NotUnknownError(SaysoError):
    """What became of the message is known, or it may still be being posted: there is nothing to settle."""

    status = 409
    code = "not_unknown"
    title = "There is nothing to settle"


class IdempotencyMismatchError(SaysoError):
    """The ``Idempotency-Key`` was used before with another body; use a new key for a new request."""

    status = 422
    code = "idempotency_mismatch"
    title = "The idempotency key was used with another body"


class BodyTooLargeError(SaysoError):
    """The request body exceeds the limit the detail names."""

    status = 413
    code = "body_too_large"
    title = "The request body is too large"


class StillSendingError(SaysoError):
    """A message to this person is on its way to Meta; nothing is forgotten while it is. Ask again in a moment."""

    status = 503
    code = "still_sending"
    title = "A message to this person is under way"
    retryable = True


class DatabaseUnavailableError(SaysoError):
    """PostgreSQL cannot be reached or cannot commit; try again after ``Retry-After`` seconds."""

    status = 503
    code = "database_unavailable"
    title = "The database is not available"
    retryable = True


class SettingError(SaysoError):
    """A setting is missing or malformed; the service does not start. The detail says how to get it."""

    code = "setting"
    title = "A setting is missing or malformed"
