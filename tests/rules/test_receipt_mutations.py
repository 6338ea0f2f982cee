"""Whatever is changed in a receipt, it is refused: every byte of the signed form, every member of the other."""

import base64
import copy
import json
import random
import string
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import OctKey, OKPKey

from harness import proof
from harness.decisions import ACTION
from harness.proof import AT, Made, changed, places
from sayso.client import verify
from sayso.client.verify import NotProvenError, Receipt
from sayso.core import keys
from sayso.core.keys import Keys
from sayso.core.settings import TokenSettings

_ALPHABET = string.ascii_letters + string.digits + "-_"


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return new_keys(tmp_path_factory.mktemp("keys"))


def new_keys(folder: Path) -> Keys:
    return keys.load(TokenSettings(sayso_data_dir=folder), now=lambda: AT)


@pytest.fixture(scope="module")
def made(held: Keys) -> Made:
    return proof.receipt(held)


def refused(receipt: Receipt, made: Made, **wanted: Any) -> bool:
    return not verify.check(receipt, made.jwks, **wanted).proven


def test_the_receipt_itself_holds(made: Made) -> None:
    for receipt in (Receipt(made.jws), verify.read(made.text), verify.read(f"\n{made.jws}\n")):
        verdict = verify.check(receipt, made.jwks, action=ACTION, audience="bot", issuer="sayso")
        assert verdict.proven, verdict.reasons


def test_ten_thousand_changes_of_bytes_are_all_refused(made: Made) -> None:
    """Each place is changed several times, so that every character that may stand there is tried somewhere."""
    dice = random.Random(5)
    tried = 0
    for place, was in enumerate(made.jws):
        others = dice.sample([each for each in _ALPHABET + ".=+/ \n" if each != was], 4)
        for other in others:
            forged = made.jws[:place] + other + made.jws[place + 1 :]
            if forged.strip() != made.jws:
                tried += 1
                assert refused(Receipt(forged), made), (place, was, other)
    assert tried > 10_000


def test_every_spelling_of_the_last_character_but_its_own_is_refused(made: Made) -> None:
    """Four bits of it carry nothing: most readers of base64 take sixteen characters for the same signature."""
    accepted = [each for each in _ALPHABET if not refused(Receipt(made.jws[:-1] + each), made)]
    assert accepted == [made.jws[-1]]


def test_a_reader_that_takes_any_spelling_would_be_noticed(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verified(text: str, key: OKPKey, algorithms: list[str]) -> None:
        signed, _, signature = text.rpartition(".")
        try:
            cast("Ed25519PublicKey", key.public_key).verify(lenient(signature), signed.encode())
        except InvalidSignature as error:
            raise BadSignatureError from error

    def lenient(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    monkeypatch.setattr(verify, "_decoded", lenient)
    monkeypatch.setattr(jws, "deserialize_compact", verified)
    accepted = [each for each in _ALPHABET if not refused(Receipt(made.jws[:-1] + each), made)]
    assert len(accepted) == 16


@pytest.mark.parametrize("cut", [slice(0, -1), slice(1, None), slice(0, 100), slice(0, 0)])
def test_a_part_of_it_is_refused(made: Made, cut: slice) -> None:
    assert refused(Receipt(made.jws[cut]), made)


def test_every_member_of_the_other_form_is_bound(made: Made) -> None:
    tried = 0
    for place in places(made.beside):
        for forged in forgeries(made.beside, place):
            tried += 1
            assert refused(verify.read(json.dumps(forged)), made), place
    assert tried > 500


def forgeries(document: dict[str, Any], place: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """The document with the member at that place changed in every way, and without it."""
    for other in changed(at(document, place)):
        forged = copy.deepcopy(document)
        at(forged, place[:-1])[place[-1]] = other
        if place != ("receipt",) or isinstance(other, str):  # else it is no receipt at all
            yield forged
    if place != ("receipt",):
        forged = copy.deepcopy(document)
        del at(forged, place[:-1])[place[-1]]
        yield forged


def at(document: Any, place: tuple[Any, ...]) -> Any:
    for name in place:
        document = document[name]
    return document


def test_whatever_the_statement_is_changed_to_nobody_else_can_sign_it(made: Made, tmp_path: Path) -> None:
    """Signed anew by a stranger, by the key's public half as a shared secret, or by nobody: refused."""
    stranger = new_keys(tmp_path)
    header, payload, _ = made.jws.split(".")
    claims = verify.check(Receipt(made.jws), made.jwks).claims
    body = json.dumps(claims).encode()
    assert refused(Receipt(stranger.sign(body, typ=verify.TYP)), made)
    mine = {**json.loads(base64.urlsafe_b64decode(header + "=="))}
    public = OctKey.import_key(made.jwks["keys"][0]["x"] * 2)
    symmetric = jws.serialize_compact({**mine, "alg": "HS256"}, body, public, algorithms=["HS256"])
    assert refused(Receipt(symmetric), made)
    unsigned = base64.urlsafe_b64encode(json.dumps({**mine, "alg": "none"}).encode()).rstrip(b"=").decode()
    assert refused(Receipt(f"{unsigned}.{payload}."), made)
    assert refused(Receipt(f"{unsigned}.{payload}.{made.jws.split('.')[2]}"), made)


def test_what_the_same_key_signed_for_another_purpose_is_no_receipt(made: Made, held: Keys) -> None:
    claims = verify.check(Receipt(made.jws), made.jwks).claims
    assert refused(Receipt(held.sign(json.dumps(claims).encode(), typ="JWT")), made)
    for odd in (b"[]", b"no JSON", b"{}", b'{"v": 2}', json.dumps({**claims, "more": 1}).encode()):
        assert refused(Receipt(held.sign(odd, typ=verify.TYP)), made)


def test_parts_of_two_receipts_do_not_make_a_third(made: Made, held: Keys) -> None:
    other = proof.receipt(held, confirmation_id="cnf_" + "1" * 26, outcome="declined")
    one, two = made.jws.split("."), other.jws.split(".")
    for pick in ((0, 0, 1), (0, 1, 0)):
        parts = [(one, two)[which][place] for place, which in enumerate(pick)]
        assert refused(Receipt(".".join(parts)), made)
    assert refused(Receipt(made.jws, other.beside), made)
    for name in ("opened", "claims", "confirmation_id"):
        assert refused(Receipt(made.jws, {**made.beside, name: other.beside[name]}), made) is (
            made.beside[name] != other.beside[name]
        )


def test_a_key_that_was_not_given_verifies_nothing(made: Made, tmp_path: Path) -> None:
    others: list[dict[str, Any]] = [{"keys": []}, {}, new_keys(tmp_path).published()]
    for jwks in others:
        verdict = verify.check(Receipt(made.jws), jwks)
        assert (verdict.proven, verdict.claims) == (False, {})


@pytest.mark.parametrize("place", list(places(ACTION)), ids=str)
def test_any_other_action_is_refused(made: Made, place: tuple[str]) -> None:
    for other in changed(ACTION[place[0]]):
        assert refused(Receipt(made.jws), made, action={**ACTION, place[0]: other})
    less = {name: value for name, value in ACTION.items() if name != place[0]}
    assert refused(Receipt(made.jws), made, action=less)
    assert refused(Receipt(made.jws), made, action={**ACTION, "more": 1})
    reordered = dict(sorted(ACTION.items(), reverse=True))
    assert not refused(Receipt(made.jws), made, action=reordered)


NOW = AT + timedelta(minutes=1)


def test_acting_is_permitted_once(made: Made) -> None:
    used: set[str] = set()
    claims = ask(made, used=used)
    assert claims["outcome"] == "confirmed"
    with pytest.raises(NotProvenError, match="was used before"):
        ask(made, used=used)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"action": {**ACTION, "action_details": "tomorrow at 4 PM"}}, "is not what was asked about"),
        ({"action": None}, "not given"),
        ({"audience": "other"}, "not “other”"),
        ({"issuer": "other"}, "not “other”"),
        ({"now": AT + timedelta(minutes=15, seconds=1)}, "could be acted on until"),
    ],
)
def test_acting_is_refused_with_the_reason(made: Made, changes: dict[str, Any], reason: str) -> None:
    used: set[str] = set()
    with pytest.raises(NotProvenError, match=reason):
        ask(made, used=used, **changes)
    assert used == set(), "a use that is refused is not used up"


def test_acting_is_permitted_to_the_last_moment(made: Made) -> None:
    assert ask(made, now=AT + timedelta(minutes=15))


def test_another_outcome_permits_nothing(held: Keys) -> None:
    for outcome in ("declined", "cancelled", "expired", "withdrawn", "opted_out"):
        with pytest.raises(NotProvenError, match="not confirmed"):
            ask(proof.receipt(held, outcome=outcome))


def test_a_forged_receipt_permits_nothing(made: Made) -> None:
    with pytest.raises(NotProvenError, match="signature"):
        ask(Made(made.jws[:-8] + "AAAAAAAA", made.beside, made.jwks))


def ask(
    made: Made,
    *,
    used: set[str] | None = None,
    action: Any = ACTION,
    audience: str = "bot",
    issuer: str = "sayso",
    now: datetime = NOW,
) -> Any:
    seen = set() if used is None else used

    def first_use(confirmation_id: str) -> bool:
        fresh = confirmation_id not in seen
        seen.add(confirmation_id)
        return fresh

    return verify.may_execute(
        Receipt(made.jws),
        made.jwks,
        action=action,
        audience=audience,
        issuer=issuer,
        now=now,
        first_use=first_use,
    )
