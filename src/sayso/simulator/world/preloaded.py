"""The templates that exist and are approved from the start."""

from copy import deepcopy
from dataclasses import replace

from sayso.simulator.world.ids import number_id
from sayso.simulator.world.templates import Template


def preloaded(waba_id: str, *, first: bool) -> list[Template]:
    """Return a WABA's templates from the start; beyond the first WABA only ``hello_world``, as Meta gives one."""
    given = (_CONFIRMATION_REQUEST, _DAILY_SUMMARY, _HELLO_WORLD) if first else (_HELLO_WORLD,)
    return [
        replace(
            deepcopy(each), waba_id=waba_id, id=each.id if first else number_id(waba_id, each.name), edits=[]
        )
        for each in given
    ]


_CONFIRMATION_REQUEST = Template(
    id="1900000000000001",
    name="confirmation_request",
    language="en",
    category="UTILITY",
    components=(
        {
            "type": "BODY",
            "text": "Hi {{1}}, \n\nThe AI Assistant wants to {{2}}. \n\nReply with:\n• Y to confirm\n"
            "• N to decline  \n• CANCEL to stop\n\nThis action will {{3}}.",
            "example": {"body_text": [["Ana", "send the weekly report", "e-mail 14 people"]]},
        },
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Confirm"},
                {"type": "QUICK_REPLY", "text": "Decline"},
                {"type": "QUICK_REPLY", "text": "Cancel"},
            ],
        },
    ),
)
_DAILY_SUMMARY = Template(
    id="1900000000000002",
    name="daily_summary",
    language="en",
    category="UTILITY",
    components=(
        {
            "type": "BODY",
            "text": "Your summary for {{1}}.\n\nCompleted: {{2}}\n\nComing up: {{3}}\n\nReply STOP to end.",
            "example": {"body_text": [["3 March", "2 tasks", "Stand-up at 09:30"]]},
        },
    ),
)
_HELLO_WORLD = Template(
    id="1900000000000003",
    name="hello_world",
    language="en_US",
    category="UTILITY",
    components=(
        {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
        {
            "type": "BODY",
            "text": "Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp "
            "message notification from the Cloud API, hosted by Meta. Thank you for taking the time to test "
            "with us.",
        },
        {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"},
    ),
)
