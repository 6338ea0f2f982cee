"""Who wrote when: the 24-hour window and the free entry window, per person and sender (cloud-api 7.1, 7.2)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.messages.rules import FREE_ENTRY, WINDOW
from sayso.people.service import Person

#: A person's id and the phone number id of a sender of ours.
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Talk:
    """What has passed between a person and a sender of ours, by the messages' own timestamps.

    ``wrote_at``: when the person last wrote, as far as was heard. ``referred_at``: when they came by an ad and were not
    answered yet. ``free_until``: until when everything is free of charge since they came by an ad and were answered.
    ``told_closed_at``: when Meta last said that the window is closed (131047).
    """

    wrote_at: datetime | None = None
    referred_at: datetime | None = None
    free_until: datetime | None = None
    told_closed_at: datetime | None = None

    @property
    def refused_at(self) -> datetime | None:
        """When Meta said that the window is closed, unless the person has written since."""
        told, wrote = self.told_closed_at, self.wrote_at
        return told if told is not None and (wrote is None or told >= wrote) else None

    @property
    def opened_at(self) -> datetime | None:
        """From when the window counts, as if it had ended when Meta said so: its clock or its books are not ours."""
        refused = self.refused_at
        return self.wrote_at if refused is None else refused - WINDOW

    def free(self, now: datetime) -> bool:
        """Whether what is delivered now costs nothing; an answer opens the window that it is in."""
        answers = self.referred_at is not None and now < self.referred_at + WINDOW
        return answers or (self.free_until is not None and now < self.free_until)


NEVER = Talk()


@dataclass(frozen=True, slots=True)
class Talks:
    """What is known of some people. ``heard_since``: since when all that is written to a sender has been heard."""

    by_pair: Mapping[Pair, Talk] = field(default_factory=dict)
    heard_since: Mapping[str, datetime] = field(default_factory=dict)

    def of(self, person: Person, phone_number_id: str) -> Talk:
        """What has passed between them."""
        return self.by_pair.get((person.id, phone_number_id), NEVER)


async def read(tx: Tx, persons: Collection[Person]) -> Talks:
    """What has passed with these people, under any of their records, in one query."""
    owner = {record_id: person.id for person in persons for record_id in person.ids}
    rows = await tx.fetch(
        "SELECT person_id, phone_number_id, last_inbound_at, referred_at, free_entry_until, closed_at "
        "FROM conversations WHERE person_id = ANY($1) "
        "UNION ALL SELECT '', phone_number_id, since, NULL, NULL, NULL FROM heard",
        list(owner),
    )
    by_pair: dict[Pair, Talk] = {}
    since: dict[str, datetime] = {}
    for row in rows:
        sender = row["phone_number_id"]
        if not row["person_id"]:
            since[sender] = row["last_inbound_at"]
            continue
        pair = (owner[row["person_id"]], sender)
        talk = Talk(row["last_inbound_at"], row["referred_at"], row["free_entry_until"], row["closed_at"])
        by_pair[pair] = _later(by_pair.get(pair, NEVER), talk)
    return Talks(by_pair, since)


async def note_inbound(
    tx: Tx, rt: Runtime, person: Person, phone_number_id: str, at: datetime, *, referred: bool = False
) -> None:
    """The person wrote at ``at``: their 24-hour window with this sender runs from there, or from later.

    ``referred``: by an ad that leads to the chat, or a page's button; an answer within 24 hours makes everything free
    for 72. From the first message on we know that we hear what is written to this sender.
    """
    await tx.execute(
        "WITH heard AS (INSERT INTO heard (phone_number_id, since) VALUES ($2, $5) ON CONFLICT DO NOTHING) "
        "INSERT INTO conversations AS c (person_id, phone_number_id, last_inbound_at, referred_at) "
        "VALUES ($1, $2, $3::timestamptz, CASE WHEN $4::boolean THEN $3::timestamptz END) "
        "ON CONFLICT (person_id, phone_number_id) DO UPDATE SET "
        "last_inbound_at = greatest(c.last_inbound_at, $3), strikes = 0, "
        "referred_at = CASE WHEN $4 THEN greatest(c.referred_at, $3) ELSE c.referred_at END "
        "WHERE $4 OR c.last_inbound_at IS NULL OR c.last_inbound_at < $3",
        person.id,
        phone_number_id,
        at,
        referred,
        rt.now(),
    )


async def note_answered(tx: Tx, answers: Sequence[tuple[str, str, datetime]]) -> None:
    """Meta took messages to these people (person id, phone number id, when): who came by an ad is written to for free.

    The free entry window opens with the first answer within 24 hours. It only bears on what is expected to be
    charged, so a row that somebody else has in hand is passed over rather than waited for: the next answer finds it.
    """
    await tx.execute(
        "WITH said AS MATERIALIZED ("
        "SELECT c.person_id, c.phone_number_id, min(a.at) AS at FROM conversations c "
        "JOIN unnest($1::text[], $2::text[], $3::timestamptz[]) AS a (person_id, phone_number_id, at) "
        "USING (person_id, phone_number_id) "
        "WHERE c.referred_at IS NOT NULL AND a.at < c.referred_at + $4::interval GROUP BY 1, 2), "
        "free AS MATERIALIZED (SELECT c.person_id, c.phone_number_id, said.at FROM conversations c "
        "JOIN said USING (person_id, phone_number_id) FOR UPDATE OF c SKIP LOCKED) "
        "UPDATE conversations c SET free_entry_until = free.at + $5::interval, referred_at = NULL FROM free "
        "WHERE c.person_id = free.person_id AND c.phone_number_id = free.phone_number_id",
        [person_id for person_id, _, _ in answers],
        [sender for _, sender, _ in answers],
        [at for _, _, at in answers],
        WINDOW,
        FREE_ENTRY,
    )


def _later(one: Talk, other: Talk) -> Talk:
    """Of two records of one person the later of everything."""
    return Talk(
        *(
            max((each for each in pair if each is not None), default=None)
            for pair in (
                (one.wrote_at, other.wrote_at),
                (one.referred_at, other.referred_at),
                (one.free_until, other.free_until),
                (one.told_closed_at, other.told_closed_at),
            )
        )
    )
