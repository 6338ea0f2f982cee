"""The Python client, in a blocking and an async form of one shape; imports nothing of the server.

from sayso.client import Sayso

with Sayso("http://127.0.0.1:8000", token) as sayso:
    answer = sayso.confirm("calendar_create", "schedule a meeting with John", "tomorrow at 3 PM")
    if answer.confirmed:
        ...
"""

from sayso.client.asking import Asking, Choice, Escalation, Labels
from sayso.client.calls import Listening, OptingIn, OptingOut, Reporting, Sending
from sayso.client.faces import AsyncSayso, Sayso
from sayso.client.model import Confirmation, Consents, Events, Message, ProblemError, UnreachableError

__all__ = [
    "Asking",
    "AsyncSayso",
    "Choice",
    "Confirmation",
    "Consents",
    "Escalation",
    "Events",
    "Labels",
    "Listening",
    "Message",
    "OptingIn",
    "OptingOut",
    "ProblemError",
    "Reporting",
    "Sayso",
    "Sending",
    "UnreachableError",
]
