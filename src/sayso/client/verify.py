"""Verifying a receipt without the service, and the rule for acting on one; needs nothing but the public keys.

from sayso.client import verify

receipt = verify.read(text)                      # what GET /confirmations/{id}/receipt gave, either form
verdict = verify.check(receipt, jwks, action=what_i_am_about_to_do, audience="my-assistant")
claims = verify.may_execute(receipt, jwks, action=what_i_am_about_to_do, audience="my-assistant",
                            now=datetime.now(UTC), first_use=lambda confirmation_id: …)
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import rfc8785
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

TYP: Final = "sayso-receipt+jwt"
ALGORITHM: Final = "Ed25519"
VERSION: Final = 1

#: The members of a receipt's statement, and of what is said of each person asked.
_MEMBERS: Final = frozenset({
    "v", "iss", "aud", "jti", "iat", "kind", "tier", "challenge", "outcome", "source", "action_hash", "asked_by",
    "business", "approvals", "needed", "answer", "words_version", "policy_version", "asked_at", "expires_at",
    "decided_at", "use_by", "log", "words",
})  # fmt: skip
_APPROVAL: Final = frozenset({
    "because", "person", "shown", "prompt", "posted_at", "verdict", "how", "said", "reply", "quoted", "answered_at",
    "received_at", "webhook", "app_secret",
})  # fmt: skip
#: Those of the latter that are salted digests.
_HIDDEN: Final = ("person", "prompt", "said", "reply", "quoted")
#: The members of the JSON form.
_FORM: Final = frozenset(
    {"confirmation_id", "receipt", "claims", "action", "shown", "rest", "opened", "erased"}
)
_PART: Final = re.compile(r"[A-Za-z0-9_-]+")
_COMPACT: Final = 3


class NotProvenError(Exception):
    """The receipt does not permit what is to be done; ``reasons`` says why, each in a sentence."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class UnreadableError(ValueError):
    """A text is neither a receipt nor the JSON form of one."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it was handed over: the signed statement and, from the JSON form, what stood beside it."""

    jws: str
    beside: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``ok``: None where there was nothing to compare with."""

    name: str
    ok: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of verifying: each check, and what the receipt says (empty where the signature does not hold)."""

    checks: tuple[Check, ...]
    claims: Mapping[str, Any]

    @property
    def proven(self) -> bool:
        """Whether the receipt is genuine, and everything that was compared is as it says."""
        return all(check.ok is not False for check in self.checks)

    @property
    def reasons(self) -> list[str]:
        """What is wrong, in sentences."""
        return [f"{check.name}: {check.said}." for check in self.checks if check.ok is False]


class _RefusedError(Exception):
    """A check that ends all further ones."""


def read(text: str) -> Receipt:
    """A receipt from a file or an answer: a compact JWS, or the JSON form. Raises :class:`UnreadableError`."""
    text = text.strip()
    if not text.startswith("{"):
        return Receipt(text)
    try:
        beside = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not JSON: {error}") from error
    if not isinstance(beside.get("receipt"), str):
        raise UnreadableError("JSON without a member `receipt`")
    return Receipt(beside["receipt"], beside)


def check(
    receipt: Receipt,
    jwks: Mapping[str, Any],
    *,
    action: Any = None,
    audience: str | None = None,
    issuer: str | None = None,
) -> Verdict:
    """Verify a receipt against published keys and, where given, the action, the assistant and the signer it is for."""
    checks: list[Check] = []
    try:
        claims, kid = _signed(receipt.jws, jwks)
        checks.append(Check("signature", ok=True, said=f"by the key {kid}"))
        _whole(claims)
        checks.append(Check("statement", ok=True, said=f"version {VERSION}, of {claims['jti']}"))
    except _RefusedError as refused:
        return Verdict(
            (*checks, Check("signature" if not checks else "statement", ok=False, said=str(refused))), {}
        )
    checks += [
        _log(claims),
        _named("issuer", claims["iss"], issuer),
        _named("audience", claims["aud"], audience),
        _action(claims, action),
        *_beside(receipt, claims),
    ]
    return Verdict(tuple(checks), claims)


def may_execute(
    receipt: Receipt,
    jwks: Mapping[str, Any],
    *,
    action: Any,
    audience: str,
    now: datetime,
    first_use: Callable[[str], bool],
    issuer: str | None = None,
) -> Mapping[str, Any]:
    """What the receipt says, if all of this holds; else raises :class:`NotProvenError`, and nothing may be done.

    The signature is genuine, the receipt is for this assistant, the outcome is ``confirmed``, ``now`` is not later than
    its use-by time, the action about to be done is the one that was shown, and this is the first use of the
    confirmation. ``first_use`` is asked last: it must remember the id for good, and give True only once for each.
    """
    verdict = check(receipt, jwks, action=action, audience=audience, issuer=issuer)
    reasons = list(verdict.reasons)
    if verdict.claims:
        reasons += _no_permission(verdict.claims, now)
    if action is None:
        reasons.append("action: not given, so it cannot be the one that was confirmed.")
    if not reasons and not first_use(verdict.claims["jti"]):
        reasons.append(f"use: {verdict.claims['jti']} was used before.")
    if reasons:
        raise NotProvenError(reasons)
    return verdict.claims


def _no_permission(claims: Mapping[str, Any], now: datetime) -> Iterator[str]:
    if claims["outcome"] != "confirmed":
        yield f"outcome: {claims['outcome']}, not confirmed."
    elif claims["use_by"] is None or now > datetime.fromisoformat(claims["use_by"]):
        yield f"time: it could be acted on until {claims['use_by']}."


def action_hash(action: Any) -> str:
    """SHA-256 (hex) of an action's canonical JSON (RFC 8785); raises ValueError for what has none."""
    return hashlib.sha256(rfc8785.dumps(action)).hexdigest()


def _signed(text: str, jwks: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The claims of a compact JWS, and the id of the key that signed it."""
    parts = text.split(".")
    if len(parts) != _COMPACT or not all(_PART.fullmatch(part) for part in parts):
        raise _RefusedError("not a compact JWS")
    header, payload, _ = map(_decoded, parts)
    head = _object(header, "the header")
    if head.keys() != {"alg", "kid", "typ"} or head["alg"] != ALGORITHM or head["typ"] != TYP:
        raise _RefusedError(f"the header is not that of a receipt ({header.decode('utf-8', 'replace')})")
    key = _key(jwks, head["kid"])
    try:
        jws.deserialize_compact(text, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError) as error:
        raise _RefusedError(
            "it does not fit the text: the receipt was changed, or somebody else signed it"
        ) from error
    return _object(payload, "the statement"), str(head["kid"])


def _key(jwks: Mapping[str, Any], kid: Any) -> OKPKey:
    found = [jwk for jwk in jwks.get("keys", ()) if jwk.get("kid") == kid and jwk.get("crv") == ALGORITHM]
    if len(found) != 1:
        raise _RefusedError(
            f"made with the key {kid}, which is not among the {len(jwks.get('keys', ()))} given"
        )
    try:
        return OKPKey.import_key({name: found[0][name] for name in ("kty", "crv", "x")})
    except (JoseError, KeyError, ValueError) as error:
        raise _RefusedError(f"the key {kid} cannot be used: {error}") from error


def _decoded(part: str) -> bytes:
    """base64url, in its one spelling: a last character with idle bits set would be another text for the same bytes."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:
        raise _RefusedError("not a compact JWS") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise _RefusedError("not a compact JWS: a part is not spelt as it was written")
    return data


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _RefusedError(f"{what} is not JSON") from error
    if not isinstance(found, dict):
        raise _RefusedError(f"{what} is not an object")
    return found


def _whole(claims: Mapping[str, Any]) -> None:
    if claims.get("v") != VERSION:
        raise _RefusedError(f"of version {claims.get('v')}, and only {VERSION} is known here")
    whole = claims.keys() == _MEMBERS and all(each.keys() == _APPROVAL for each in claims["approvals"])
    if not whole:
        raise _RefusedError("it lacks members, or has unknown ones")


def _log(claims: Mapping[str, Any]) -> Check:
    """The head of the decision log must follow from the head before it and from everything the receipt says."""
    place = claims["log"]
    entry = {name: value for name, value in claims.items() if name not in ("log", "words")}
    leaf = hashlib.sha256(b"\x00" + rfc8785.dumps(entry)).digest()
    head = hashlib.sha256(b"\x01" + bytes.fromhex(place["before"]) + leaf).hexdigest()
    if head != place["head"] or place["size"] != place["index"] + 1:
        return Check("log", ok=False, said="the head of the decision log does not follow from this entry")
    return Check("log", ok=True, said=f"entry {place['index']} of the decision log, head {head}")


def _named(what: str, said: str, wanted: str | None) -> Check:
    if wanted is None:
        return Check(what, ok=None, said=f"“{said}”; nothing to compare with")
    return Check(what, ok=said == wanted, said=f"“{said}”" if said == wanted else f"“{said}”, not “{wanted}”")


def _action(claims: Mapping[str, Any], action: Any) -> Check:
    if action is None:
        return Check("action", ok=None, said=f"{claims['action_hash']}; nothing to compare with")
    try:
        found = action_hash(action)
    except (ValueError, RecursionError) as error:
        return Check("action", ok=False, said=f"has no canonical form: {error}")
    if found != claims["action_hash"]:
        return Check("action", ok=False, said=f"{found} is not what was asked about, {claims['action_hash']}")
    return Check("action", ok=True, said=f"{found}, as it was asked about")


def _beside(receipt: Receipt, claims: Mapping[str, Any]) -> Iterator[Check]:
    """What the JSON form shows must be what the statement holds digests of: all of it, and nothing else."""
    shown = receipt.beside
    if shown is None:
        return
    if not _same(shown, claims):
        yield Check("contents", ok=False, said="what stands beside the receipt is not what it says")
    elif shown["opened"] is None:
        yield Check("contents", ok=True, said="erased: whom it was about, and the words, are no longer shown")
    else:
        yield Check("contents", ok=True, said="action, text, person and answer are those of the statement")


def _same(shown: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    try:
        opened = shown["opened"]
        erased = opened is None or None in opened["approvals"]
        told = (
            shown.keys() == _FORM
            and rfc8785.dumps(shown["claims"]) == rfc8785.dumps(dict(claims))
            and shown["confirmation_id"] == claims["jti"]
            and shown["erased"] is erased
        )
        if not told or opened is None:
            return told and shown["action"] is shown["shown"] is shown["rest"] is None
        return _opens(opened, claims) and _shows(shown, claims)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def _shows(shown: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    """Whether the action and every text are those that were hashed; who was erased has none."""
    every = zip(claims["approvals"], shown["opened"]["approvals"], strict=True)
    seen = [each["shown"] if behind is not None else None for each, behind in every]
    for member, texts in (("hash", shown["shown"]), ("rest", shown["rest"])):
        if [each and each[member] for each in seen] != [text and action_hash(text) for text in texts]:
            return False
    hashed: str = claims["action_hash"]
    return action_hash(shown["action"]) == hashed


def _opens(opened: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    """Whether every salted digest is opened, by the value it was made of; all of a person's, or none.

    What was chosen or written may be gone with whoever chose or wrote it.
    """
    gone = bool(claims["answer"]) and None in opened["approvals"] and opened.get("answer", "") is None
    besides = {"user": claims["asked_by"]["user"], "answer": None if gone else claims["answer"]}
    shut = {"approvals", "answer"} if gone else {"approvals"}
    found = {name: _salted(each) for name, each in opened.items() if name not in shut}
    behind = zip(opened["approvals"], claims["approvals"], strict=True)
    return found == {name: digest for name, digest in besides.items() if digest} and all(
        one is None
        or {name: _salted(each) for name, each in one.items()}
        == {name: each[name] for name in _HIDDEN if each[name]}
        for one, each in behind
    )


def _salted(opening: Mapping[str, str]) -> str:
    salt = bytes.fromhex(opening["salt"])
    if opening.keys() != {"salt", "value"} or salt.hex() != opening["salt"]:
        raise ValueError("an opening is a salt, in lower case, and a value")
    return hashlib.sha256(salt + opening["value"].encode()).hexdigest()
