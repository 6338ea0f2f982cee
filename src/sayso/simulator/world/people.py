"""People with phones: who they are towards a business, and what they allow it (cloud-api.md 4.7, 7.4)."""

from dataclasses import dataclass, field

from sayso.simulator.world.quotas import Burst, Marketing


@dataclass(slots=True)
class Person:
    """Somebody with a phone. ``user_id`` is the BSUID towards the portfolio (4.7).

    With a ``username`` and ``phone_hidden``, webhooks leave the number out, as Meta does for users who adopted
    one. ``parent_user_id`` is there for enrolled managed businesses only.
    """

    wa_id: str
    name: str
    user_id: str
    username: str | None = None
    phone_hidden: bool = False
    parent_user_id: str | None = None
    identity_hash: str = ""
    on_whatsapp: bool = True  # False: messages fail with 131026
    read_receipts: bool = True
    phone_off: bool = False  # messages wait at `sent` until it is on again, or outlive their time (2.1)
    blocked_by: set[str] = field(default_factory=set)  # phone number ids this person blocked
    no_marketing: set[str] = field(default_factory=set)  # phone number ids whose marketing they stopped
    marketing: Marketing = field(default_factory=Marketing)  # 7.4

    @property
    def phone(self) -> str:
        """The number in E.164 with its plus."""
        return "+" + self.wa_id


@dataclass(slots=True)
class Thread:
    """A conversation of one business number with one person (7.1, 7.2)."""

    last_inbound_at: float | None = None
    typing_until: float = 0.0
    #: A click-to-WhatsApp ad brought them: answered within 24 h, it opens 72 free hours (7.2).
    entry_point_at: float | None = None
    free_until: float | None = None
    burst: Burst = field(default_factory=Burst)  # pair rate, 6
