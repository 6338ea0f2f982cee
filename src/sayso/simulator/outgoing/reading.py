"""What the readers of a message have at hand beside its JSON, and where they note what goes wrong later."""

from dataclasses import dataclass

from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.people import Person
from sayso.simulator.world.world import World


@dataclass(slots=True)
class Reading:
    """One message being read: from which number, to whom.

    ``late`` is the code and the words of a failure that Meta tells only by webhook, after it accepted the message
    with 200 (cloud-api.md 9): the first one found counts.
    """

    world: World
    number: BusinessNumber
    person: Person
    late: tuple[int, str] | None = None

    def fail_later(self, code: int, details: str) -> None:
        """Note that the message will be accepted and then fail."""
        if self.late is None:
            self.late = (code, details)
