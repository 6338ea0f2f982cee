"""The whole state in one document and back, so that a run goes on as if nothing had been."""

import os
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import msgspec

from sayso.simulator.config import Review
from sayso.simulator.world.accounts import Accounts
from sayso.simulator.world.clock import FASTEST, LATEST, Clock
from sayso.simulator.world.media import Media, Upload
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person, Thread
from sayso.simulator.world.quotas import Quotas
from sayso.simulator.world.soundness import flaws
from sayso.simulator.world.templates import Template
from sayso.simulator.world.world import World

FORMAT, VERSION = "sayso-simulator-snapshot", 1


class SnapshotError(ValueError):
    """A document that is no snapshot, or a snapshot that cannot be written; the words say why."""


class Time(msgspec.Struct, forbid_unknown_fields=True):
    """What the clock said, and how fast it ran; 0: it stood still."""

    now: Annotated[float, msgspec.Meta(ge=0, le=LATEST)]
    speed: Annotated[float, msgspec.Meta(ge=0, le=FASTEST)]


class Everything(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The state of the world. Lists keep the order in which things came."""

    mint: list[Any]  # where the ids stand
    traces: list[Any]
    accounts: Accounts
    people: list[Person]
    threads: list[tuple[str, str, Thread]]  # phone number id, wa_id
    messages: list[Message]
    unread: list[str]  # wamids
    templates: list[Template]
    review: Review | None = None  # None: as the simulator was started
    media: list[Media]
    uploads: list[Upload]
    quotas: Quotas
    left: set[str]
    dead_user_ids: set[str]


class Snapshot(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A whole simulator. ``rooms`` has what parts besides the world keep, as each of them reads it."""

    format: str = FORMAT
    version: int = VERSION
    clock: Time
    world: Everything
    rooms: dict[str, Any]


def of_world(world: World) -> Everything:
    """Gather the state of a world; nothing is copied until it is encoded."""
    return Everything(
        mint=world.mint.state(),
        traces=world.traces.state(),
        accounts=world.accounts,
        people=list(world.people.values()),
        threads=[(number, wa_id, thread) for (number, wa_id), thread in world.threads.items()],
        messages=[*world.beyond.values(), *world.messages.values()],
        unread=[wamid for of_person in world.unread.values() for wamid in of_person],
        templates=list(world.templates.values()),
        review=world.review,
        media=list(world.media.values()),
        uploads=list(world.uploads.values()),
        quotas=world.quotas,
        left=world.left,
        dead_user_ids=world.dead_user_ids,
    )


def of_clock(clock: Clock) -> Time:
    """Tell where a clock stands."""
    return Time(clock.now(), clock.speed)


def put_back(state: Everything, world: World) -> None:
    """Make a world be as it was; timers are the rooms' to set again. Raise SnapshotError where it does not hold."""
    if (flaw := next(flaws(state), None)) is not None:
        raise SnapshotError(f"the snapshot is damaged: {flaw}")
    world.empty()
    world.mint.set_state(state.mint)
    world.traces.set_state(state.traces)
    for there, then in ((world.accounts, state.accounts), (world.quotas, state.quotas)):
        for field in fields(then):
            setattr(there, field.name, getattr(then, field.name))
    world.left |= state.left
    world.dead_user_ids |= state.dead_user_ids
    for person in state.people:
        world.place(person)
    world.review = state.review or world.config.review
    world.threads |= {(number, wa_id): thread for number, wa_id, thread in state.threads}
    world.templates.update({each.id: each for each in state.templates})
    world.media |= {each.id: each for each in state.media}
    world.uploads |= {each.id: each for each in state.uploads}
    world.messages |= {each.wamid: each for each in state.messages}
    for wamid in state.unread:
        message = world.messages[wamid]
        world.unread.setdefault(message.wa_id, {})[wamid] = message
    world.make_room()


def encoded(snapshot: Snapshot) -> bytes:
    """Write a snapshot as JSON."""
    return msgspec.json.encode(snapshot)


def decoded(document: bytes) -> Snapshot:
    """Read a snapshot; raise SnapshotError with words when it is none, or of another version."""
    try:
        head = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
        said = {name: msgspec.json.decode(head[name]) for name in ("format", "version")}
    except (msgspec.DecodeError, KeyError) as problem:
        raise SnapshotError("this is not a snapshot of the simulator") from problem
    if said != {"format": FORMAT, "version": VERSION}:
        raise SnapshotError(f"this simulator reads {FORMAT} version {VERSION}; the document is {said}")
    try:
        return msgspec.json.decode(document, type=Snapshot)
    except msgspec.DecodeError as problem:
        raise SnapshotError(f"the snapshot is damaged: {problem}") from problem


def check_place(path: Path) -> None:
    """Raise OSError, naming the file, when none can be written there: at the end the state would be lost."""
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, str(path)) from None


def write(path: Path, document: bytes) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
