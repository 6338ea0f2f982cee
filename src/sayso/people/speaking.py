"""The language somebody speaks, as a word of their own gives it away."""

from collections.abc import Sequence
from datetime import datetime

from sayso.core.database import Tx
from sayso.people import rules
from sayso.people.persons import Person, lock


async def note_language(tx: Tx, person: Person, languages: Sequence[str], at: datetime) -> None:
    """The person used a word at ``at`` that these languages (BCP 47) have; of several words the last one counts."""
    language = rules.given_away(languages, person.guessed("language"))
    if language in (None, person.language_said):
        return
    await lock(tx, person.ids, exclusive=True)  # whole, since whoever leaves by that word takes it next
    await tx.execute(
        "UPDATE people SET language_said = $2, language_said_at = $3 WHERE id = $1 "
        "AND (language_said_at IS NULL OR language_said_at < $3)",
        person.id,
        language,
        at,
    )
