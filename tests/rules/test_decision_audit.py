"""Whatever is changed in the decision log behind a checkpoint is found, by whomever and however well it was hidden."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from sayso.confirmations import auditing, log
from sayso.confirmations.auditing import Walk
from sayso.confirmations.log import Logged
from sayso.core import canonical
from sayso.core.chains import NOTHING
from sayso.core.errors import InputInvalidError
from sayso.core.notes import Checkpoint

SIZE, VOUCHED = 16, 12
TRIES = 10_000

Log = list[Logged]


def entry(number: int, outcome: str = "confirmed") -> bytes:
    return canonical.encode({"jti": f"cnf_{number}", "outcome": outcome})


def chained(entries: Sequence[tuple[str, bytes]], before: Sequence[Logged] = ()) -> Log:
    """A log as it is written, behind what stands there."""
    lines = list(before)
    for confirmation_id, text in entries:
        leaf = log.leaf_of(text)
        head = log.head_of(lines[-1].head if lines else NOTHING, leaf)
        lines.append(Logged(len(lines), confirmation_id, text, leaf, head))
    return lines


WHOLE = chained([(f"cnf_{number}", entry(number)) for number in range(SIZE)])
CHECKPOINT = Checkpoint("sayso/decisions", VOUCHED, WHOLE[VOUCHED - 1].head)


def findings(lines: Log, *, checkpoints: Sequence[Checkpoint] = (CHECKPOINT,)) -> list[str]:
    """What an audit says; the head of the log was made to fit, as whoever tampers would."""
    walk = Walk(checkpoints)
    for line in lines:
        walk.step(line)
    end = (lines[-1].index + 1, lines[-1].head) if lines else (0, NOTHING)
    return [finding.what for finding in walk.end(*end)]


def edited(dice: random.Random, lines: Log, at: int) -> None:
    was = bytearray(lines[at].entry)
    was[dice.randrange(len(was))] ^= 1 << dice.randrange(8)
    lines[at] = replace(lines[at], entry=bytes(was))


def deleted(dice: random.Random, lines: Log, at: int) -> None:
    del lines[at : at + dice.randrange(1, VOUCHED - at + 1)]


def swapped(dice: random.Random, lines: Log, at: int) -> None:
    other = dice.choice([each for each in range(SIZE) if each != at])
    lines[at], lines[other] = lines[other], lines[at]


def truncated(_dice: random.Random, lines: Log, at: int) -> None:
    del lines[at:]


def inserted(dice: random.Random, lines: Log, at: int) -> None:
    text = entry(SIZE)
    new = Logged(at, f"cnf_{SIZE}", text, log.leaf_of(text), lines[at].head)
    lines.insert(at, dice.choice([new, lines[dice.randrange(SIZE)]]))


def rehashed(dice: random.Random, lines: Log, at: int) -> None:
    other = dice.randbytes(32)
    lines[at] = dice.choice([replace(lines[at], leaf=other), replace(lines[at], head=other)])


def renamed(_dice: random.Random, lines: Log, at: int) -> None:
    lines[at] = replace(lines[at], confirmation_id=f"cnf_{SIZE}")


#: Ways to tamper; the first ones can be hidden by writing the chain anew from there on.
HIDEABLE = (edited, deleted, swapped, truncated, inserted)
WAYS = (*HIDEABLE, rehashed, renamed)


def tampered(dice: random.Random) -> Log:
    """The log with something changed behind the checkpoint, left as it is or chained anew from there on."""
    lines, way = list(WHOLE), dice.choice(WAYS)
    way(dice, lines, dice.randrange(VOUCHED))
    if way in HIDEABLE and dice.choice([True, False]):
        return chained([(line.confirmation_id, line.entry) for line in lines])
    return lines


def test_the_log_itself_is_whole() -> None:
    assert findings(WHOLE) == []
    assert findings([], checkpoints=()) == []


def test_ten_thousand_changes_behind_a_checkpoint_are_all_found() -> None:
    dice = random.Random(11)
    tried = 0
    while tried < TRIES:
        lines = tampered(dice)
        if lines != WHOLE:
            tried += 1
            assert findings(lines), lines


def test_an_audit_that_does_not_look_at_checkpoints_would_be_noticed() -> None:
    dice = random.Random(11)
    overlooked = sum(not findings(tampered(dice), checkpoints=()) for _ in range(500))
    assert overlooked > 50


def test_what_came_after_the_last_checkpoint_can_be_written_anew_unseen() -> None:
    """The limit that the command and the documentation tell of."""
    forged = chained([(f"cnf_{SIZE - 1}", entry(SIZE - 1, "declined"))], before=WHOLE[:-1])
    assert forged != WHOLE
    assert findings(forged) == []
    assert findings(forged, checkpoints=[CHECKPOINT, Checkpoint("sayso/decisions", SIZE, WHOLE[-1].head)])


def test_every_change_after_the_checkpoint_that_is_not_chained_anew_is_found() -> None:
    for at in range(VOUCHED, SIZE):
        changes = [replace(WHOLE[at], entry=entry(at, "declined")), replace(WHOLE[at], head=bytes(32))]
        for changed in changes:
            assert findings([*WHOLE[:at], changed, *WHOLE[at + 1 :]])


def test_two_checkpoints_that_differ_show_that_there_were_two_logs() -> None:
    other = Checkpoint("sayso/decisions", VOUCHED, bytes(32))
    assert any("two logs" in what for what in findings(WHOLE, checkpoints=[CHECKPOINT, other]))


@pytest.mark.parametrize("field", ["index", "confirmation_id", "entry", "leaf", "head"])
def test_an_export_whose_lines_were_changed_is_found(field: str) -> None:
    about = {"format": auditing.FORM, "origin": "sayso/decisions", "size": SIZE, "head": WHOLE[-1].head.hex()}
    rows = [auditing.as_json(line) for line in WHOLE]
    for at in range(SIZE):
        changed = [dict(row) for row in rows]
        changed[at][field] = {"index": 99, "leaf": "ab" * 32, "head": "cd" * 32}.get(field, "x")
        text = "\n".join(json.dumps(row) for row in [about, *changed])
        assert auditing.verify_export(auditing.read_export(text), None, []).findings
    whole = "\n".join(json.dumps(row) for row in [about, *rows])
    assert auditing.verify_export(auditing.read_export(whole), None, []).findings == []


@pytest.mark.parametrize("text", ["", "{}", "[]", "no JSON", '{"format": "another"}'])
def test_what_is_no_export_is_said_to_be_none(text: str) -> None:
    with pytest.raises(InputInvalidError, match="no export of a decision log"):
        auditing.read_export(text)
