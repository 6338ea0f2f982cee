"""Signed notes as transparency logs write them (C2SP signed-note and tlog-checkpoint), by Ed25519. Pure."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_ROOT_BYTES = 32


class NoteError(ValueError):
    """A text is no signed checkpoint, or not one of these keys'."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: how many entries it had, and the hash that stood for all of them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def sign(checkpoint: Checkpoint, *, public: bytes, by: Callable[[bytes], bytes]) -> str:
    """A note: the text, an empty line, the signature line."""
    text = checkpoint.text()
    signed = _key_id(checkpoint.origin, public) + by(text.encode())
    return f"{text}\n\u2014 {checkpoint.origin} {base64.b64encode(signed).decode()}\n"


def read(note: str, keys: Mapping[str, bytes]) -> tuple[Checkpoint, str]:
    """The checkpoint of a note and the id of the key that signed it; raises :class:`NoteError`.

    Signatures by keys that are not known are passed over, as the format has it; one by a known key must be there.
    """
    checkpoint, lines = _parts(note)
    known = {_key_id(checkpoint.origin, key): (kid, key) for kid, key in keys.items()}
    for line in lines:
        found = known.get(line[:_KEY_ID_BYTES])
        if found is not None:
            try:
                Ed25519PublicKey.from_public_bytes(found[1]).verify(
                    line[_KEY_ID_BYTES:], checkpoint.text().encode()
                )
            except InvalidSignature as error:
                raise NoteError("the signature does not fit the text") from error
            return checkpoint, found[0]
    raise NoteError("it is signed by none of these keys")


def _parts(note: str) -> tuple[Checkpoint, list[bytes]]:
    text, _, signatures = note.partition("\n\n")
    try:
        origin, size, root = text.split("\n")
        checkpoint = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
        prefix = f"\u2014 {origin} "
        lines = [
            _decoded(line.removeprefix(prefix)) for line in signatures.splitlines() if line.startswith(prefix)
        ]
    except (ValueError, binascii.Error) as error:
        raise NoteError(f"no checkpoint: {error}") from error
    if checkpoint.text() != f"{text}\n" or len(checkpoint.root) != _ROOT_BYTES or checkpoint.size < 0:
        raise NoteError("not spelt as a checkpoint is")
    return checkpoint, lines


def _decoded(text: str) -> bytes:
    """Base64 in its one spelling: another text for the same bytes is another note."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("a signature is not spelt as it was written")
    return data


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]
