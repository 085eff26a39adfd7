"""Signed tree heads as text: checkpoints and timestamped Ed25519 signatures as C2SP defines them.

tlog-checkpoint, tlog-cosignature and signed-note of c2sp.org, so that any witness can check and countersign them.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from aizu_vault.keys import Signer
from aizu_vault.log.errors import NoteError

_TIMESTAMPED_ED25519 = b"\x04"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A tree at one size; the origin names the log."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"

    @classmethod
    def of(cls, text: str) -> Self:
        """Reads what was signed."""
        try:
            origin, size, root, *extensions = text.removesuffix("\n").split("\n")
            checkpoint = cls(origin=origin, size=int(size), root=base64.b64decode(root))
        except ValueError:
            raise NoteError("expected three lines: origin, size of the tree, root") from None
        if extensions or checkpoint.text != text or len(checkpoint.root) != 32:
            raise NoteError("expected three lines: origin, size of the tree, root")
        return checkpoint


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """Whose signature is trusted: a name and an Ed25519 key."""

    name: str
    key: bytes

    @property
    def identity(self) -> bytes:
        """Four bytes by which a signature line says which key made it."""
        return hashlib.sha256(
            self.name.encode() + b"\n" + _TIMESTAMPED_ED25519 + self.key
        ).digest()[:4]

    def __str__(self) -> str:
        """The one line that is published (a `vkey`)."""
        return f"{self.name}+{self.identity.hex()}+{_base64(_TIMESTAMPED_ED25519 + self.key)}"


def sign(signer: Signer, name: str, checkpoint: Checkpoint, at: datetime) -> str:
    """The checkpoint with a signature that says when it was made."""
    seconds = int(at.timestamp())
    signature = signer.sign(_message(seconds, checkpoint.text))
    identity = PublicKey(name=name, key=signer.public).identity
    line = _base64(identity + seconds.to_bytes(8, "big") + signature)
    return f"{checkpoint.text}\n— {name} {line}\n"


def read(note: str, trusted: PublicKey) -> tuple[Checkpoint, datetime]:
    """What the note says and when it was signed.

    Raises:
        NoteError: it is not signed by that key.
    """
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    for line in lines.splitlines():
        prefix = f"— {trusted.name} "
        signature = _decoded(line.removeprefix(prefix)) if line.startswith(prefix) else b""
        if signature[:4] == trusted.identity:
            seconds = int.from_bytes(signature[4:12], "big")
            _verify(trusted, signature[12:], _message(seconds, text))
            return Checkpoint.of(text), datetime.fromtimestamp(seconds, UTC)
    raise NoteError(f"not signed by {trusted}")


def _verify(trusted: PublicKey, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(trusted.key).verify(signature, message)
    except InvalidSignature:
        raise NoteError(f"the signature of {trusted.name} does not fit the text") from None


def _message(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
