"""What one leaf of the log says: openly as commitments, and to the person alone in full."""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aizu_vault.log.errors import AppendError, UnreadableError

_NONCE = 12


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be logged.

    Attributes:
        kind: of event: release, consent, erasure and so on.
        facts: what everybody who reads the log may know; nothing that tells one person from another.
        person: whom it is about, if it is about one.
        private: what only that person reads: which fields, how many rows, of what time.
    """

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    person: UUID | None = None
    private: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """What is stored of an entry: canonical JSON that is hashed, and what goes with it."""

    body: bytes
    tag: bytes | None = None
    sealed: bytes | None = None


class EntryKey:
    """The key of a person's entry number `number`; one cannot be had from another."""

    def __init__(self, log_key: bytes, number: int) -> None:
        """Derives it; the number counts the person's entries from 1."""
        self._key = hmac.digest(log_key, b"aizu entry %d" % number, "sha256")

    @property
    def tag(self) -> bytes:
        """Marks the leaf; whoever lacks the key cannot tell whose it is, nor which belong together."""
        return hmac.digest(self._key, b"tag", "sha256")

    def commit(self, content: bytes) -> bytes:
        """Binds the leaf to its private content without showing it."""
        return hmac.digest(self._key, b"content" + content, "sha256")

    def seal(self, content: bytes) -> bytes:
        """Encrypts the content; the nonce is random, since a number returns after a rollback."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, self.tag)

    def unseal(self, sealed: bytes) -> bytes:
        """The content again."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self.tag)
        except (InvalidTag, ValueError):
            raise UnreadableError("an entry was altered, or is not the person's own") from None

    @property
    def _cipher(self) -> AESGCM:
        return AESGCM(hmac.digest(self._key, b"seal", "sha256"))


def leaf_of(entry: Entry, at: datetime, log_key: bytes | None, number: int) -> Leaf:
    """Makes the leaf of an entry."""
    public = {"v": 1, "kind": entry.kind, "at": as_text(at), "facts": dict(entry.facts)}
    if entry.person is None or log_key is None:
        return Leaf(body=canonical(public))
    key = EntryKey(log_key, number)
    content = canonical({**entry.private, "person": str(entry.person), "number": number})
    sealed = key.seal(content)
    public |= {
        "tag": key.tag.hex(),
        "content": key.commit(content).hex(),
        "sealed": hashlib.sha256(sealed).hexdigest(),
    }
    return Leaf(body=canonical(public), tag=key.tag, sealed=sealed)


def private_content(leaf: Leaf, log_key: bytes, number: int) -> bytes:
    """The private content of a person's leaf, exactly as it was committed to.

    Raises:
        UnreadableError: leaf and content do not belong together.
    """
    key = EntryKey(log_key, number)
    content = key.unseal(leaf.sealed or b"")
    said = json.loads(leaf.body)
    if said["tag"] != key.tag.hex() or said["content"] != key.commit(content).hex():
        raise UnreadableError(f"entry {number} does not fit its leaf")
    return content


def canonical(said: Mapping[str, Any]) -> bytes:
    """Canonical JSON (RFC 8785).

    Raises:
        AppendError: it holds what JSON has no form for.
    """
    try:
        return rfc8785.dumps(dict(said))
    except rfc8785.CanonicalizationError as error:
        raise AppendError(f"the log takes JSON only: {error}") from None


def as_text(at: datetime) -> str:
    """A time as the log writes it: UTC, to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
