"""Graph errors in both shapes: answered on the spot, or told later by a status webhook (cloud-api.md 5)."""

import json
from typing import Any, NamedTuple

#: Where Meta's webhook errors point (4.9).
HREF = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes"


class _Row(NamedTuple):
    title: str
    http_status: int = 400


#: Titles and HTTP statuses per code (5.3). Meta no longer lists the statuses: nobody should branch on them.
CODES: dict[int, _Row] = {
    0: _Row("AuthException", 401),
    1: _Row("API Unknown", 500),
    2: _Row("API Service", 503),
    3: _Row("Capability or permission issue", 500),
    4: _Row("Application request limit reached", 429),
    10: _Row("Application does not have permission for this action", 403),
    15: _Row("This method must be called with an app access_token"),
    17: _Row("User request limit reached", 429),
    33: _Row("Parameter value is not valid"),
    100: _Row("Invalid parameter"),
    101: _Row("Error validating application"),
    104: _Row("An access token is required to request this resource", 401),
    190: _Row("Invalid OAuth access token", 401),
    200: _Row("Permission denied", 403),
    368: _Row("Temporarily blocked for policies violations", 403),
    803: _Row("Some of the aliases you requested do not exist", 404),
    2200: _Row("Callback verification failed"),
    80007: _Row("Rate limit issues", 429),
    80008: _Row("There have been too many calls to this WhatsApp Business account"),
    130403: _Row("Message cannot be sent to a user whom you have blocked"),
    130429: _Row("Rate limit hit", 429),
    130472: _Row("User's number is part of an experiment"),
    130497: _Row("Business account is restricted from messaging users in this country", 403),
    131000: _Row("Something went wrong", 500),
    131005: _Row("Access denied", 403),
    131008: _Row("Required parameter is missing"),
    131009: _Row("Parameter value is not valid"),
    131016: _Row("Service unavailable", 500),
    131021: _Row("Recipient cannot be sender"),
    131026: _Row("Message undeliverable"),
    131030: _Row("Recipient phone number not in allowed list"),
    131031: _Row("Account has been locked", 403),
    131037: _Row("Display name approval required"),
    131042: _Row("Business eligibility payment issue"),
    131045: _Row("Incorrect certificate", 500),
    131047: _Row("Re-engagement message"),
    131048: _Row("Spam rate limit hit"),
    131049: _Row("This message was not delivered to maintain healthy ecosystem engagement"),
    131050: _Row("User has stopped marketing messages from this business"),
    131051: _Row("Unsupported message type"),
    131052: _Row("Media download error"),
    131053: _Row("Media upload error"),
    131056: _Row("Pair rate limit hit"),
    131057: _Row("Account in maintenance mode", 500),
    131062: _Row("Business-scoped user ID recipients are not supported for this message"),
    131064: _Row("Messaging limit due to misclassified templates"),
    132000: _Row("Number of parameters does not match the expected number of params"),
    132001: _Row("Template name does not exist in the translation", 404),
    132005: _Row("Translated text too long"),
    132007: _Row("Template format character policy violated"),
    132012: _Row("Parameter format does not match format in the created template"),
    132015: _Row("Template is paused"),
    132016: _Row("Template is disabled"),
    132018: _Row("There is an issue with the parameters of the template"),
    133000: _Row("Incomplete deregistration", 500),
    133004: _Row("Server temporarily unavailable", 503),
    133005: _Row("Two step verification PIN mismatch"),
    133006: _Row("Phone number re-verification needed"),
    133008: _Row("Too many two step verification PIN guesses"),
    133009: _Row("Two step verification PIN guessed too fast"),
    133010: _Row("Phone number not registered"),
    133015: _Row("Please wait a few minutes before attempting to register this phone number"),
    133016: _Row("Account register deregister rate limit exceeded"),
    135000: _Row("Generic user error"),
    139100: _Row("Failed to block/unblock users"),
    139101: _Row("Blocklist limit reached"),
    139102: _Row("Blocklist concurrent update"),
    139103: _Row("Internal error", 500),
    147001: _Row("Username not available"),
    147002: _Row("Account not eligible to request a username"),
    147003: _Row("Facebook Page not linked"),
    147004: _Row("Instagram account not linked"),
    147005: _Row("Username transfer required"),
    200005: _Row("Template insights are not available"),
    200006: _Row("Template insights cannot be disabled"),
    200007: _Row("Template insights are not enabled"),
}
_UNLISTED = _Row("Unknown error")


class GraphError(Exception):
    """A refusal of the Graph API: its code, what is wrong in words, and its HTTP status."""

    def __init__(
        self,
        code: int,
        details: str,
        *,
        http_status: int | None = None,
        subcode: int | None = None,
        message: str | None = None,
        kind: str = "OAuthException",
        beside: dict[str, Any] | None = None,
    ) -> None:
        """Compose a refusal.

        ``message`` takes the place of the code's title, ``kind`` is its ``type`` (5.1), and ``beside`` stands next
        to ``error``, as the lists of a partial failure do (8.4).
        """
        super().__init__(f"(#{code}) {details}")
        row = CODES.get(code, _UNLISTED)
        self.code = code
        self.details = details
        self.http_status = http_status or row.http_status
        self.subcode = subcode
        self.message = message
        self.kind = kind
        self.beside = beside or {}

    def envelope(self, trace: str) -> bytes:
        """Compose the answer body (5.1)."""
        row = CODES.get(self.code, _UNLISTED)
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {self.message or row.title}",
            "type": self.kind,
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": trace,
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return json.dumps({**self.beside, "error": error}).encode()


def told_later(code: int, details: str) -> dict[str, Any]:
    """Compose the error object of a ``failed`` status: no ``type``, no ``fbtrace_id`` (5.1)."""
    title = CODES.get(code, _UNLISTED).title
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details},
        "href": HREF,
    }
