"""What a question may ask for besides its words: the options of ``ask`` and ``confirm``, as the API has them."""

from typing import Any, Literal, NotRequired, TypedDict


class Choice(TypedDict):
    """Something to choose. Without an ``id`` it goes by its number: ``1`` is the first."""

    label: str  # at most 24 characters
    id: NotRequired[str]
    description: NotRequired[str]  # at most 72 characters; shown in a list alone


class Labels(TypedDict, total=False):
    """Other words on the buttons, at most 20 characters each."""

    confirm: str
    decline: str
    cancel: str


class Escalation(TypedDict):
    """Who is asked next: ``to``, when the question was not delivered, read or answered ``after`` a span (``10m``)."""

    after: str
    to: str
    when: NotRequired[Literal["undelivered", "unread", "unanswered"]]


class Asking(TypedDict, total=False):
    """Options of a question; each may be left out.

    What is asked: ``action`` is the action itself, any JSON, shown and hashed whole; ``kind`` is ``approve`` (yes or
    no), ``choose`` (one of ``options``) or ``ask`` (a text); ``labels`` are other words on the buttons.

    How safely: ``tier`` and ``challenge``, never below the policy's. Of a ``number`` the answer has the one that you
    show to the user.

    Of whom: ``recipient`` (a number; the token's user by default), or ``approvers`` (external ids, numbers or user ids)
    and how many of them ``need`` to confirm; ``escalation`` says who is asked next.

    How long: ``timeout_minutes``, ``remind_minutes_before`` its end, ``undo_seconds`` in which an answer may be taken
    back. ``ask_reason`` asks why, after a no.

    Once: of several questions with one ``dedupe_key`` the first alone is asked; ``supersedes`` names an open one that
    this one takes the place of; ``idempotency_key`` is a key of your own for repeating this very call.

    ``sender``: the phone number id to ask from.
    """

    action: Any
    timeout_minutes: float
    kind: Literal["approve", "choose", "ask"]
    options: list[Choice]
    labels: Labels
    tier: Literal["low", "medium", "high"]
    challenge: Literal["code", "number"]
    recipient: str
    approvers: list[str]
    need: Literal["any", "all"] | int
    escalation: list[Escalation]
    dedupe_key: str
    supersedes: str
    ask_reason: bool
    undo_seconds: int
    remind_minutes_before: int
    sender: str
    idempotency_key: str
