"""People with phones: who they are towards a business, and what they allow it (cloud-api.md 4.7, 7.4)."""

from dataclasses import dataclass, field
from typing import Any

from sayso.simulator.world.quotas import Burst, Marketing


@dataclass(slots=True)
class Person:
    """Somebody with a phone.

    ``user_id`` is the BSUID towards the first portfolio, ``user_ids`` are those towards the others, by portfolio id,
    as far as one has been told (4.7).

    With a ``username`` and ``phone_hidden``, webhooks leave the number out wherever the business does not know it
    (see :meth:`World.phone_shown`). ``parent_user_id`` is there for enrolled managed businesses only.
    """

    wa_id: str
    name: str
    user_id: str
    user_ids: dict[str, str] = field(default_factory=dict)
    username: str | None = None
    phone_hidden: bool = False
    parent_user_id: str | None = None
    identity_hash: str = ""
    on_whatsapp: bool = True  # False: messages fail with 131026
    read_receipts: bool = True
    phone_off: bool = False  # messages wait at `sent` until it is on again, or outlive their time (2.1)
    blocked_by: set[str] = field(default_factory=set)  # phone number ids of businesses this person blocked
    no_marketing: set[str] = field(default_factory=set)  # phone number ids whose marketing they stopped
    marketing: Marketing = field(default_factory=Marketing)  # 7.4

    @property
    def phone(self) -> str:
        """The number in E.164 with its plus."""
        return "+" + self.wa_id

    def facts(self) -> dict[str, Any]:
        """Describe everything that can be set about them."""
        return {
            "username": self.username,
            "phone_hidden": self.phone_hidden,
            "parent_user_id": self.parent_user_id,
            "identity_hash": self.identity_hash,
            "on_whatsapp": self.on_whatsapp,
            "read_receipts": self.read_receipts,
            "phone_off": self.phone_off,
            "blocked_by": sorted(self.blocked_by),
            "no_marketing": sorted(self.no_marketing),
        }


@dataclass(slots=True)
class Thread:
    """A conversation of one business number with one person (7.1, 7.2)."""

    last_inbound_at: float | None = None
    typing_until: float = 0.0
    #: A click-to-WhatsApp ad brought them: answered within 24 h, it opens 72 free hours (7.2).
    entry_point_at: float | None = None
    free_until: float | None = None
    #: When a message last went or came by the phone number itself, which shows it for 30 days (4.7).
    phone_known_at: float | None = None
    burst: Burst = field(default_factory=Burst)  # pair rate, 6
