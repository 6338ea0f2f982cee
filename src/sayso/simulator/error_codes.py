"""Every error code of the Cloud API, as data (cloud-api.md 5.2, 5.3).

The short titles are partly from memory in the sheet itself; nobody should match on them, nor branch on an HTTP
status: Meta no longer lists those. Subcodes come with the words shown to people, where there are any (3.2, 5.1).
"""

from typing import Literal, NamedTuple

#: What a client is to do (5.2): retry, wait for a window, mend the request, leave this recipient alone, opt-out or
#: policy, token or permission, template, account or number blocked; "-" is not about sending.
Class = Literal["R", "W", "B", "U", "P", "A", "T", "X", "-"]


class Row(NamedTuple):
    """One line of the table. ``graph`` is a refusal of the Graph API as a whole: its message is the details."""

    title: str
    http_status: int = 400
    acts: Class = "B"
    graph: bool = False
    type: str = "OAuthException"

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed when it is made again (``is_transient``)."""
        return self.acts == "R"


CODES: dict[int, Row] = {
    0: Row("AuthException", 401, "A", graph=True),  # token expired or invalidated
    1: Row("API Unknown", 500, "R", graph=True),  # bad request or server error: a few retries
    2: Row("API Service", 503, "R", graph=True),  # down or overloaded
    3: Row("API Method", 500, "A", graph=True),  # capability or permission
    4: Row("Application request limit reached", 429, "W", graph=True),  # hourly, per app
    10: Row("Application does not have permission for this action", 403, "A", graph=True),
    15: Row("This method must be called with an app access_token", acts="A", graph=True),
    17: Row("User request limit reached", 429, "W", graph=True),
    33: Row("Parameter value is not valid", acts="X", graph=True, type="GraphMethodException"),
    100: Row("Invalid parameter", graph=True),  # misspelt, over-long, unknown; templates by subcode
    101: Row("Error validating application", acts="A", graph=True),
    104: Row("An access token is required to request this resource", 401, "A", graph=True),
    190: Row("Invalid OAuth access token", 401, "A", graph=True),  # subcodes 460, 463, 467
    192: Row("Invalid phone number", graph=True),  # template endpoint
    200: Row("Permissions error", 403, "A", graph=True),  # also no token on some GETs
    368: Row("Temporarily blocked for policies violations", 403, "X"),
    613: Row("Calls to this api have exceeded the rate limit", acts="W", graph=True),
    803: Row(
        "Some of the aliases you requested do not exist", 404, "B", graph=True, type="GraphMethodException"
    ),
    2200: Row("Callback verification failed", graph=True),
    80007: Row("Rate limit issues", 429, "W"),  # 200 or 5,000 calls an hour per WABA
    80008: Row("Too many calls to this WhatsApp Business account", acts="W"),
    200005: Row("Template insights not available"),
    200006: Row("Template insights cannot be disabled"),
    200007: Row("Template insights not enabled"),
    130403: Row("You have blocked this user", acts="P"),  # unblock first
    130429: Row("Rate limit hit", 429, "R"),  # more than 80 or 1,000 messages a second
    130472: Row("User's number is part of an experiment", acts="U"),
    130497: Row("Business account is restricted from messaging users in this country", 403, "P"),
    131000: Row("Something went wrong", 500, "R"),
    131005: Row("Access denied", 403, "A"),
    131008: Row("Required parameter is missing"),
    131009: Row("Parameter value is not valid"),  # also a phone number that is not in the WABA
    131016: Row("Service unavailable", 500, "R"),
    131020: Row("Cannot send messages to single member groups"),
    131021: Row("Recipient cannot be sender"),
    131026: Row("Message undeliverable", acts="U"),  # not on WhatsApp, old client, or blocked by the user
    131030: Row("Recipient phone number not in allowed list"),  # test numbers reach 5 recipients
    131031: Row("Account has been locked", 403, "X"),
    131037: Row("Display name approval required", acts="X"),  # 555 numbers
    131041: Row("Group unknown"),
    131042: Row("Business eligibility payment issue", acts="X"),
    131044: Row("Business eligibility payment issue", acts="X"),  # calling
    131045: Row("Incorrect certificate", 500, "X"),  # register the number
    131047: Row("Re-engagement message", acts="W"),  # window closed: send a template
    131048: Row("Spam rate limit hit", acts="X"),
    131049: Row("This message was not delivered to maintain healthy ecosystem engagement", acts="W"),
    131050: Row("User has stopped marketing messages from this business", acts="P"),
    131051: Row("Unsupported message type"),
    131052: Row("Media download error", acts="U"),  # inbound media could not be fetched
    131053: Row("Media upload error"),  # our media: type, size, URL
    131055: Row("Method not allowed"),  # Marketing Messages API
    131056: Row("(Business Account, Consumer Account) pair rate limit hit", acts="W"),  # wait 4^X s
    131057: Row("Account in maintenance mode", 500, "R"),  # about a minute
    131058: Row("hello_world templates can only be sent from the public test numbers"),
    131059: Row("Group cursor is not valid"),
    131060: Row("This message is currently unavailable", acts="U"),  # seen in inbound errors
    131062: Row("Business-scoped user ID recipients are not supported for this message"),
    131063: Row("Marketing templates are disabled on Cloud API for this account", acts="P"),
    131064: Row("Messaging limit due to misclassified templates", acts="X"),
    131201: Row("Group request partially succeeded"),
    131202: Row("Duplicate group participant"),
    131204: Row("Too many group participants"),
    131207: Row("Group suspended"),
    131208: Row("Group rate limit hit", acts="W"),
    131209: Row("Group profile picture must be a square"),
    131210: Row("Group profile picture too small"),
    131211: Row("Group creation limit reached"),
    131212: Row("Participant is not in the group"),
    131213: Row("Group join request does not exist"),
    131214: Row("Group creation temporarily disabled", acts="W"),
    131215: Row("Groups are not available for this phone number", 403),
    132000: Row("Number of parameters does not match the expected number of params"),
    132001: Row("Template name does not exist in the translation", 404, "T"),
    132005: Row("Translated text too long"),
    132007: Row("Template format character policy violated", acts="T"),
    132008: Row("Parameter value is not valid"),
    132012: Row("Parameter format does not match format in the created template"),
    132015: Row("Template is paused", acts="T"),  # also paced messages that are dropped
    132016: Row("Template is disabled", acts="T"),
    132018: Row("There is an issue with the parameters of the template"),
    132068: Row("Flow is blocked", acts="T"),
    132069: Row("Flow is throttled", acts="W"),  # 10 messages an hour
    133000: Row("Incomplete deregistration", 500, "R"),
    133004: Row("Server temporarily unavailable", 503, "R"),
    133005: Row("Two-step verification PIN mismatch"),
    133006: Row("Phone number re-verification needed"),
    133008: Row("Too many two-step verification PIN guesses", acts="W"),
    133009: Row("Two-step verification PIN guessed too fast", acts="W"),
    133010: Row("Phone number not registered", acts="X"),
    133015: Row("Please wait a few minutes before attempting to register this phone number", acts="W"),
    133016: Row("Registration or deregistration attempts exceeded", acts="W"),  # 10 in 72 h
    134011: Row("Payments terms not accepted", acts="X"),
    134100: Row("Only marketing messages are supported"),
    134101: Row("Template is syncing", acts="W"),  # 10 minutes
    134102: Row("Template is unavailable for the Marketing Messages API", 500, "X"),
    135000: Row("Generic user error"),
    137000: Row("Recipient identity key hash mismatch", acts="U"),
    138000: Row("Calling not enabled", acts="-"),
    138001: Row("Receiver uncallable", acts="-"),
    138002: Row("Concurrent calls limit", acts="-"),
    138003: Row("Duplicate call", acts="-"),
    138004: Row("Call connection error", acts="-"),
    138005: Row("Call rate limit exceeded", acts="-"),
    138006: Row("No approved call permission found", acts="-"),
    138007: Row("Call connection timeout", acts="-"),
    138009: Row("Call permission request limit hit", acts="-"),
    138012: Row("Business initiated calls limit hit", acts="-"),
    138013: Row("Call permission status requests limit hit", acts="-"),
    138018: Row("Calling cannot be enabled", acts="-"),
    139100: Row("Failed to block or unblock some users"),  # told together with the lists
    139101: Row("Blocklist limit reached"),  # 64,000 users
    139102: Row("Blocklist concurrent update", acts="W"),
    139103: Row("Block users internal error", 500, "R"),
    141006: Row("Payment method problem", acts="X"),  # only in health status
    141010: Row("Business not verified", acts="X"),  # only in health status
    147001: Row("Username not available"),
    147002: Row("Account not eligible to request a username"),
    147003: Row("Facebook account not linked"),
    147004: Row("Instagram account not linked"),
    147005: Row("Username transfer required"),
    2494100: Row("Phone number in maintenance mode", 500, "R"),  # migration
    2593107: Row("Synchronization request limit exceeded"),  # coexistence
    2593108: Row("Synchronization request outside the allowed window"),  # coexistence
}
#: Codes that mean the same within a range; a row of their own comes first.
RANGES: tuple[tuple[range, Row], ...] = (
    (range(200, 300), Row("API permission", 403, "A", graph=True)),
    (range(131200, 131300), Row("Group error")),
    (range(138000, 139000), Row("Calling error", acts="-")),
    (range(139100, 139200), Row("Block users error")),
)
UNLISTED = Row("Unknown error")

#: Subcodes with the title and the words for people. Below 100: why an object or a token does not do (5.1, 5.3).
SUBCODES: dict[int, tuple[str, str]] = {
    2388019: ("Message template limit exceeded", "The account has as many message templates as it may have."),
    2388024: (
        "Content in This Language Already Exists",
        "There is already content in this language for this template. Make a new template or another language.",
    ),
    2388039: (
        "Message template cannot be edited",
        "A template can be edited while APPROVED, REJECTED or PAUSED.",
    ),
    2388040: ("Character limit exceeded", "A field of the template is longer than it may be."),
    2388047: ("Message header format is incorrect", "The header has something that it cannot have."),
    2388072: ("Message body format is incorrect", "The body has something that it cannot have."),
    2388073: ("Message footer format is incorrect", "The footer has something that it cannot have."),
    2388293: (
        "Parameters to words ratio exceeds limit",
        "This template has too many variables for its length. Reduce them or lengthen the message.",
    ),
    2388299: (
        "Leading or trailing params are not allowed",
        "Variables cannot stand at the start or the end of the template.",
    ),
}


def row_of(code: int) -> Row:
    """Return the line for a code: its own, that of its range, or one that says it is unknown."""
    found = CODES.get(code)
    if found is not None:
        return found
    return next((row for codes, row in RANGES if code in codes), UNLISTED)
