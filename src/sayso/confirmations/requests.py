"""What an assistant may ask, as it says so: ``POST /confirmation``."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from sayso.confirmations.policy import (
    LONGEST_MINUTES,
    MOST_APPROVERS,
    Challenge,
    Need,
    Step,
    Tier,
    When,
    Wish,
    a_span,
)
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Kind, Option, Verdict
from sayso.core import canonical
from sayso.core.api import Input, Text
from sayso.core.errors import InputInvalidError
from sayso.messages.recipients import Recipient

#: Bytes of an action's canonical JSON: many times what a question can show.
LARGEST_ACTION = 16_384
_MOST_OPTIONS = 10
_RESERVED = frozenset({"confirm", "decline", "cancel", "extend", "undo"})

Named = Annotated[Text, Field(min_length=1, max_length=255)]
Label = Annotated[Text, Field(min_length=1, max_length=200)]


def _option_id(text: str) -> str:
    if text in _RESERVED:
        raise ValueError(f"is a word of ours; an option's id is none of {', '.join(sorted(_RESERVED))}")
    return text


class OptionIn(Input):
    """Something to choose. Without an `id` it goes by its number: `1` is the first."""

    id: Annotated[
        Annotated[Text, Field(pattern=r"^[a-z0-9_-]{1,20}$"), AfterValidator(_option_id)] | None,
        Field(description="What comes back when it is chosen: 1 to 20 of a-z, 0-9, `_` and `-`."),
    ] = None
    label: Annotated[Text, Field(min_length=1, max_length=200, description="At most 24 characters.")]
    description: Annotated[
        Text | None, Field(max_length=400, description="At most 72 characters; shown in a list alone.")
    ] = None


class StepIn(Input):
    """Who is asked next: `to`, when the question was not delivered, read or answered `after` a span such as `10m`."""

    after: Annotated[
        Text,
        Field(
            max_length=10,
            description="How long after the question: `90s`, `10m`, `2h` or `1d`, at most 7 days.",
            examples=["10m"],
        ),
        AfterValidator(a_span),
    ]
    when: Annotated[
        When,
        Field(description="What is missing by then for them to be asked: delivery, reading or an answer."),
    ] = "unanswered"
    to: Annotated[
        Named,
        Field(description="Who is asked: an external id of a user, a phone number or a WhatsApp user id."),
    ]


class LabelsIn(Input):
    """Other words on the buttons, at most 20 characters each; each has to say what its button does."""

    confirm: Annotated[Label | None, Field(description="In place of “Confirm”, at most 20 characters.")] = (
        None
    )
    decline: Annotated[Label | None, Field(description="In place of “Decline”, at most 20 characters.")] = (
        None
    )
    cancel: Annotated[Label | None, Field(description="In place of “Cancel”, at most 20 characters.")] = None


class ConfirmationIn(Input):
    """What the assistant wants to do, and until when it may be answered. See `docs/asking.md`."""

    action_type: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=64,
            description="What kind of action it is: the policy and the order of the fields go by it.",
            examples=["calendar_create"],
        ),
    ]
    action_description: Annotated[
        Text,
        Field(
            min_length=1,
            description="What you want to do, in at most 300 characters: it follows “wants to”.",
            examples=["schedule a meeting with John"],
        ),
    ]
    action_details: Annotated[
        Text,
        Field(
            description="May be left out where `action` or `options` says it all.",
            examples=["tomorrow at 3 PM in Conference Room A"],
        ),
    ] = ""
    action: Annotated[
        Any,
        Field(
            description="The action itself, any JSON: every field is shown, or counted, and all of it is hashed."
        ),
    ] = None
    timeout_minutes: Annotated[
        float | None,
        Field(
            gt=0,
            le=LONGEST_MINUTES,
            allow_inf_nan=False,
            strict=True,
            description="How long it may be answered; seven days at most. Left out: the policy's, or 30.",
        ),
    ] = None
    kind: Annotated[
        Kind,
        Field(description="`approve`: yes or no; `choose`: one of `options`; `ask`: a text."),
    ] = "approve"
    options: Annotated[
        Annotated[list[OptionIn], Field(min_length=2, max_length=_MOST_OPTIONS)] | None,
        Field(description="What there is to choose, for kind `choose`: 2 to 10."),
    ] = None
    labels: Annotated[
        LabelsIn | None, Field(description="Other words on the buttons, for kind `approve`.")
    ] = None
    tier: Annotated[Tier | None, Field(description="Never below the policy's.")] = None
    challenge: Annotated[
        Challenge | None,
        Field(description="For tier `high`: a code in the text, or a number that you show to the user."),
    ] = None
    recipient: Recipient = None
    approvers: Annotated[
        list[Named] | None,
        Field(
            min_length=1,
            max_length=MOST_APPROVERS,
            description="Whom to ask: external ids of your users, phone numbers or WhatsApp user ids.",
        ),
    ] = None
    need: Annotated[
        Need | None, Field(description="How many have to confirm: `any`, `all`, or a number.")
    ] = None
    escalation: Annotated[
        list[StepIn] | None,
        Field(
            max_length=MOST_APPROVERS,
            description="Who is asked next where nobody answers, at most 10 steps. Left out: as the policy has it.",
        ),
    ] = None
    dedupe_key: Annotated[
        Text | None,
        Field(
            min_length=1, max_length=255, description="Of several with the same key the first alone is asked."
        ),
    ] = None
    supersedes: Annotated[
        Text | None,
        Field(max_length=40, description="An open confirmation that this one takes the place of."),
    ] = None
    ask_reason: Annotated[bool, Field(strict=True, description="Ask why, after a decline.")] = False
    undo_seconds: Annotated[
        int | None, Field(ge=0, le=3600, strict=True, description="How long an answer may be taken back.")
    ] = None
    remind_minutes_before: Annotated[
        int | None,
        Field(
            ge=1,
            le=LONGEST_MINUTES,
            strict=True,
            description="Remind whoever has not answered, once, so many minutes before the end; less than the timeout.",
        ),
    ] = None
    sender: Annotated[
        Text | None,
        Field(
            max_length=40,
            description="The phone number id to ask from. Left out: the number the person last wrote to, or the first.",
        ),
    ] = None

    @field_validator("action")
    @classmethod
    def _storable(cls, action: Any) -> Any:
        try:
            size = len(canonical.encode(action))
        except InputInvalidError as error:
            raise ValueError(error.detail) from error
        if size > LARGEST_ACTION:
            raise ValueError(
                f"has {size:,} bytes as canonical JSON, {size - LARGEST_ACTION:,} more than are taken"
            )
        if "\\u0000" in json.dumps(action):
            raise ValueError("contains a NUL character, which cannot be shown or stored")
        return action

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.action_details and self.action is None and self.options is None:
            raise ValueError("action_details: is missing; say what it is about, or give the `action`")
        if (self.kind == "choose") != (self.options is not None):
            raise ValueError("options: kind choose takes 2 to 10 of them, and no other kind takes any")
        if self.labels is not None and self.kind != "approve":
            raise ValueError("labels: belong to kind approve")
        if self.kind != "approve" and self.tier == "high":
            raise ValueError("tier: what is of tier high is approved, not chosen or answered")
        if self.kind == "ask" and self.need not in (None, "any"):
            raise ValueError("need: one answer ends a question of kind ask")
        if self.recipient is not None and self.approvers is not None:
            raise ValueError("recipient: name one person by it, or several in `approvers`")
        return self

    def what(self) -> Action:
        """The action."""
        return Action(self.action_type, self.action_description, self.action_details, self.action)

    def choices(self) -> Sequence[Option]:
        """What there is to choose. Raises :class:`InputInvalidError` for two of one id."""
        options = [
            Option(each.id or str(number), each.label, each.description)
            for number, each in enumerate(self.options or [], start=1)
        ]
        if len({each.id for each in options}) < len(options):
            raise InputInvalidError("options: two have the same id")
        return options

    def worded(self) -> dict[Verdict, str]:
        """Other words on the buttons."""
        said = self.labels or LabelsIn()
        pairs: list[tuple[Verdict, str | None]] = [
            ("confirm", said.confirm),
            ("decline", said.decline),
            ("cancel", said.cancel),
        ]
        return {verdict: text for verdict, text in pairs if text is not None}

    def wish(self) -> Wish:
        """What the policy is asked about."""
        steps = self.escalation
        return Wish(
            action_type=self.action_type,
            tier=self.tier,
            challenge=self.challenge,
            timeout_minutes=self.timeout_minutes,
            approvers=self.approvers,
            recipient_named=self.recipient is not None,
            need=self.need,
            escalation=None if steps is None else [Step(**each.model_dump()) for each in steps],
            undo_seconds=self.undo_seconds,
            remind_minutes_before=self.remind_minutes_before,
            ask_reason=self.ask_reason,
        )


def lasting(minutes: float) -> timedelta:
    """How long a question stands: a second at least."""
    return max(timedelta(minutes=minutes), timedelta(seconds=1))
