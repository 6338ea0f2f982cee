"""What of a person's entries an assistant sees: not what others wrote, nor by what other names the person is known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sayso.consent.chain import Line
from sayso.consent.ledger import OURSELVES
from sayso.consent.rules import IN_CHAT, METAS
from sayso.core.database import Tx
from sayso.core.tokens import Actor
from sayso.messages import forgetting
from sayso.people import rules
from sayso.people import service as people
from sayso.people.service import Person


@dataclass(frozen=True, slots=True)
class View:
    """Whose view it is (None: that of a token with ``admin``, who sees all), and what they called the person by."""

    client_id: str | None
    knows: bool
    names: frozenset[str]

    def sees(self, line: Line) -> bool:
        """Their own entries; the person's and Meta's, if they know the person; never an operator's."""
        if self.client_id is None or line.client_id == self.client_id:
            return True
        spoken = line.method in IN_CHAT or line.action in METAS
        return self.knows and line.client_id == OURSELVES and spoken

    def shown(self, line: Line) -> Line:
        """An entry without the identifiers they did not ask by."""
        if self.client_id is None or line.personal is None:
            return line
        return replace(line, personal={**line.personal, "identifiers": self._named(line.personal)})

    def exported(self, line: Line) -> Line:
        """The same in a file that can be verified: what is personal is there as it was written, or not at all."""
        shown = self.shown(line)
        return line if shown == line else replace(line, personal=None, salt=None)

    def _named(self, personal: Mapping[str, Any]) -> dict[str, str]:
        known = personal.get("identifiers", {})
        return {kind: value for kind, value in known.items() if _name(value) in self.names}


async def view_of(tx: Tx, actor: Actor, person: Person, recipient: str | None) -> View:
    """What this token sees of the person it asked for by ``recipient``, or by its user's link."""
    if actor.may("admin"):
        return View(None, knows=True, names=frozenset())
    asked = recipient or person.phone
    if asked is not None and not rules.is_bsuid(asked):
        asked = rules.phone(asked, pointer="/recipient")
    knows = actor.client_id in await people.clients_of(tx, person) or (
        actor.client_id in await forgetting.clients(tx, person)
    )
    return View(actor.client_id, knows, frozenset([_name(asked)] if asked else []))


def _name(identifier: str) -> str:
    """A user id as it is; one name for all spellings of a line."""
    return identifier if rules.is_bsuid(identifier) else rules.line(identifier)
