"""Whether one decision is proved: its receipt, its entry in the log, and the checkpoint that covers it, looked at."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from sayso.confirmations import log, receipts, statement
from sayso.confirmations.log import Logged
from sayso.core import canonical, keys, notes
from sayso.core.chains import instant, salted
from sayso.core.database import Record, Tx
from sayso.core.errors import InputInvalidError
from sayso.core.notes import NoteError
from sayso.core.runtime import Runtime

#: What each person asked has answered, in the receipt's order.
_ANSWERS: Final = """
SELECT a.said, a.wamid AS reply, a.verdict, a.how, p.verdict AS counted FROM receipts r
CROSS JOIN unnest(r.persons) WITH ORDINALITY AS w (person_id, place)
LEFT JOIN approvers p ON p.confirmation_id = r.confirmation_id AND p.person_id = w.person_id
LEFT JOIN answers a ON a.id = p.answer_id WHERE r.confirmation_id = $1 ORDER BY w.place
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``ok``: None where there is nothing to compare with (yet)."""

    name: str
    ok: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at, and what the receipt says, as far as it can be read: ``claims``, and the key's id."""

    checks: tuple[Check, ...]
    claims: Mapping[str, Any]
    kid: str | None
    entry: Logged | None
    checkpoint: Record | None

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return all(check.ok is not False for check in self.checks)


async def examine(tx: Tx, rt: Runtime, row: Record) -> Proof:
    """Look at the proof of a decision; ``row`` is of ``receipts.get``, with a receipt."""
    published = keys.load(rt.settings, now=rt.now).published()
    claims, kid, signature = _signature(row["jws"], published)
    entry = await log.entry_of(tx, row["id"])
    checkpoint = await log.covering(tx, entry.index) if entry else None
    checks = [signature]
    if claims:
        checks += [_decision(row, claims), *_contents(row, claims), *await _answers(tx, row, claims)]
    checks.append(_logged(claims, entry))
    if entry:
        checks.append(await _covered(tx, rt, entry, checkpoint, published))
    return Proof(tuple(checks), claims, kid, entry, checkpoint)


def _signature(signed: str, published: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None, Check]:
    kid = None
    try:
        found = jws.extract_compact(signed.encode())
        kid = str(found.headers()["kid"])
        key = next(OKPKey.import_key(jwk) for jwk in published["keys"] if jwk["kid"] == kid)
        genuine = jws.deserialize_compact(signed, key, algorithms=[keys.ALGORITHM])
        claims = json.loads(genuine.payload)
        if genuine.headers()["typ"] != statement.TYP or not isinstance(claims, dict):
            return {}, kid, Check("signature", ok=False, said="what is signed is no receipt")
    except StopIteration:
        said = f"made with the key {kid}, which is none of this installation's"
        return {}, kid, Check("signature", ok=False, said=said)
    except (JoseError, ValueError, KeyError, TypeError):
        return {}, kid, Check("signature", ok=False, said="it does not fit what is signed")
    return claims, kid, Check("signature", ok=True, said=f"genuine, by the key {kid}")


def _decision(row: Record, claims: Mapping[str, Any]) -> Check:
    """The receipt is about this decision, as its own row has it."""
    same = (
        (row["id"], row["client_id"]) == (claims.get("jti"), claims.get("aud"))
        and row["outcome"] == claims.get("outcome")
        and instant(row["decided_at"]) == claims.get("decided_at")
        and row["action_hash"].hex() == claims.get("action_hash")
        and (instant(row["use_by"]) if row["use_by"] else None) == claims.get("use_by")
    )
    said = "outcome, time and action are those of the decision" if same else "it is about another decision"
    return Check("decision", ok=same, said=said)


def _contents(row: Record, claims: Mapping[str, Any]) -> Iterator[Check]:
    """The action and the texts are those that are signed, as far as they are still there."""
    if row["opened"] is None:
        yield Check("contents", ok=None, said="erased: the hashes stay, what they are of is gone")
        return
    yield _hashed("action", [(row["action"], claims["action_hash"])], "it is the one that is signed")
    try:
        shown = list(_shown(receipts.shown(row), claims))
    except (ValueError, KeyError, TypeError):
        yield Check("words shown", ok=False, said="what is stored does not fit what is signed")
        return
    if shown:
        yield _hashed("words shown", shown, "they are those that are signed")


def _shown(opened: Mapping[str, Any], claims: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """Each text that a person saw, the whole of what the question left out among them, and its signed hash."""
    for name, digest in (("shown", "hash"), ("rest", "rest")):
        for text, said in zip(opened[name], claims["approvals"], strict=True):
            if text is not None:
                yield text, said["shown"][digest]


def _hashed(name: str, pairs: list[tuple[Any, str]], good: str) -> Check:
    try:
        same = all(canonical.digest(value).hex() == digest for value, digest in pairs)
    except InputInvalidError:
        same = False
    return Check(name, ok=same, said=good if same else "what is stored is not what is signed")


async def _answers(tx: Tx, row: Record, claims: Mapping[str, Any]) -> list[Check]:
    """What was answered is what is signed, as far as it is still there."""
    if row["opened"] is None:
        return []
    try:
        found = list(_answered(row, claims, await tx.fetch(_ANSWERS, row["id"])))
    except (InputInvalidError, ValueError, KeyError, TypeError):
        found = [False]
    good = "they are those that are signed"
    said = good if all(found) else "what is stored is not what is signed"
    return [Check("answers", ok=all(found), said=said)] if found else []


def _answered(row: Record, claims: Mapping[str, Any], kept: Sequence[Record]) -> Iterator[bool]:
    """Of everybody who answered and was not erased since, and of what was chosen or written."""
    opened = row["opened"]
    for behind, said, answer in zip(opened["approvals"], claims["approvals"], kept, strict=True):
        if behind is not None and said["verdict"] is not None:
            yield all(_opens(behind, said, name, answer[name]) for name in ("said", "reply"))
            yield (statement.verdict(answer["verdict"]), answer["how"]) == (said["verdict"], said["how"])
            yield answer["counted"] == ("confirm" if said["verdict"] == "answer" else said["verdict"])
    if claims["answer"] is not None and opened.get("answer", "") is not None:
        yield _opens(opened, claims, "answer", canonical.encode(row["answer"]).decode())


def _opens(opened: Mapping[str, Any], claims: Mapping[str, Any], name: str, stored: str | None) -> bool:
    """Whether what is signed as a salted digest is what is stored; what is empty has no digest."""
    if not stored:
        return claims[name] is None
    digest = salted(stored.encode(), bytes.fromhex(opened[name]["salt"])).hex()
    return bool(opened[name]["value"] == stored and digest == claims[name])


def _logged(claims: Mapping[str, Any], entry: Logged | None) -> Check:
    """The log has the statement, where the receipt says it stands."""
    if entry is None:
        return Check("decision log", ok=False, said="there is no entry of this decision")
    if not claims:
        return Check(
            "decision log", ok=None, said=f"there is nothing genuine to compare entry {entry.index} with"
        )
    told = {name: value for name, value in claims.items() if name not in statement.BESIDES}
    place = claims.get("log") or {}
    try:
        same = (
            canonical.encode(told) == entry.entry
            and log.leaf_of(entry.entry) == entry.leaf
            and log.head_of(bytes.fromhex(place["before"]), entry.leaf) == entry.head
            and (place["index"], place["head"]) == (entry.index, entry.head.hex())
        )
    except (InputInvalidError, KeyError, TypeError, ValueError):
        same = False
    said = f"entry {entry.index} is the receipt's statement" if same else "its entry says something else"
    return Check("decision log", ok=same, said=said)


async def _covered(
    tx: Tx, rt: Runtime, entry: Logged, checkpoint: Record | None, published: Mapping[str, Any]
) -> Check:
    """A signed checkpoint stands for the entry, and the way from the one to the other is unbroken."""
    if checkpoint is None:
        return Check("checkpoint", ok=None, said="none covers the entry yet; one is made within five minutes")
    try:
        found, kid = notes.read(checkpoint["note"], keys.public_bytes(published))
    except NoteError as error:
        return Check("checkpoint", ok=False, said=f"it is not one of this installation's: {error}")
    reached = await log.onward(tx, entry, checkpoint["size"])
    ours = (found.origin, found.size) == (log.origin(rt.settings), checkpoint["size"])
    if not ours or found.root != reached:
        return Check("checkpoint", ok=False, said="it was made over other entries than these")
    return Check("checkpoint", ok=True, said=f"over the first {found.size}, signed by the key {kid}")
