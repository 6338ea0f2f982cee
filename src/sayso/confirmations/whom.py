"""Who is asked: the people behind the names of a request or of the policy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sayso.confirmations import absences
from sayso.confirmations.policy import Rule, Step
from sayso.core.database import Tx
from sayso.core.errors import Fault, PersonUnknownError
from sayso.core.faults import wrong
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.messages.recipients import find, resolve
from sayso.people import links, rules, service
from sayso.people.service import Person


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who is asked, and the name to greet them by."""

    person: Person
    greet: str | None = None
    delegated_from: str | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Somebody who may be asked later."""

    step: Step
    person: Person


async def at_once(
    tx: Tx, rt: Runtime, actor: Actor, rule: Rule, *, recipient: str | None, may: Collection[str]
) -> Sequence[Asked]:
    """Who is asked at once: the approvers, or the recipient, or the token's user; ``may``: who alone may approve.

    Raises :class:`PersonUnknownError`, and :class:`InputInvalidError` where two names are one person's, or too few are
    left because one stands in for the other.
    """
    if rule.approvers is None:
        person, name = await resolve(tx, rt, actor, recipient)
        return await _in_their_place(tx, rt, actor, [Asked(person, name or person.name)], may)
    asked = [await _named(tx, rt, actor, name, "/approvers") for name in rule.approvers]
    if len({each.person.id for each in asked}) < len(asked):
        raise wrong("/approvers", "two of them are the same person")
    left, count = await _in_their_place(tx, rt, actor, asked, may), rule.needed(len(asked))
    if len(left) < count:
        raise wrong(
            "/approvers", f"{count} have to confirm, and with those who are away {len(left)} can be asked"
        )
    return left


async def _in_their_place(
    tx: Tx, rt: Runtime, actor: Actor, asked: Sequence[Asked], may: Collection[str]
) -> Sequence[Asked]:
    """Who is absent is not asked, but their delegate is; one who is asked anyway counts once."""
    instead = await stand_ins(tx, rt, actor, [each.person for each in asked], may)
    present = [each for each in asked if each.person.id not in instead]
    known = {each.person.id for each in present}
    for each in asked:
        delegate = instead.get(each.person.id)
        if delegate is not None and delegate.id not in known:
            known.add(delegate.id)
            present.append(Asked(delegate, delegate.name, delegated_from=each.person.id))
    return present


async def stand_ins(
    tx: Tx, rt: Runtime, actor: Actor, persons: Sequence[Person], may: Collection[str]
) -> dict[str, Person]:
    """Who is asked in whose place. Where it is said who ``may`` approve, nobody else stands in."""
    found = await absences.stand_ins(tx, rt, actor.client_id, persons)
    if not found or not may:
        return found
    names = await called(tx, actor, may, list(found.values()))
    return {
        person_id: delegate
        for (person_id, delegate), name in zip(found.items(), names, strict=True)
        if name in may
    }


async def later(tx: Tx, rt: Runtime, actor: Actor, rule: Rule, asked: Sequence[Asked]) -> Sequence[Later]:
    """Who is asked when time passes; who is asked already is not asked again."""
    known = {each.person.id for each in asked}
    steps: list[Later] = []
    for step in rule.escalation:
        person = (await _named(tx, rt, actor, step.to, "/escalation")).person
        if person.id not in known:
            known.add(person.id)
            steps.append(Later(step, person))
    return steps


async def _named(tx: Tx, rt: Runtime, actor: Actor, name: str, at: str) -> Asked:
    """By a number or user id, which mean the same person whoever asks; else by the assistant's own external id."""
    if _is_everybodys(name):
        person, _ = await resolve(tx, rt, actor, name)
        return Asked(person, person.name)
    found = await service.linked(tx, client_id=actor.client_id, external_id=name)
    if found is None:
        detail = f"the user {name!r} has no WhatsApp number yet; link one with PUT /people/{name}"
        raise PersonUnknownError(detail, faults=[Fault(detail, at)])
    person, called = found
    return Asked(person, called or person.name)


async def called(tx: Tx, actor: Actor, names: Collection[str], persons: Sequence[Person]) -> list[str]:
    """Which of ``names`` each person goes by; who goes by none is told by the assistant's own, or a number's end."""
    known: dict[str, str] = {}
    for name in sorted(names):
        found = await _meant(tx, actor, name)
        known |= dict.fromkeys(found.ids if found else (), name)
    return [known.get(each.id) or await _in_short(tx, actor, each) for each in persons]


async def _meant(tx: Tx, actor: Actor, name: str) -> Person | None:
    """Whom a name means, as far as anybody is known by it."""
    if _is_everybodys(name):
        return await find(tx, actor, name)
    found = await service.linked(tx, client_id=actor.client_id, external_id=name)
    return found[0] if found else None


async def _in_short(tx: Tx, actor: Actor, person: Person) -> str:
    users = (await links.users_of(tx, person)).get(actor.client_id)
    return users[0] if users else f"…{(person.to or '')[-4:]}"


def _is_everybodys(name: str) -> bool:
    """Whether it means the same person whoever says it."""
    return name.startswith("+") or rules.is_bsuid(name)
