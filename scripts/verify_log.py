#!/usr/bin/env python3
"""Checks, without network, what the log of deep data says about a person (needs `cryptography`).

verify_log.py KEY BUNDLE [EARLIER ...]    your entries: none missing, none altered, all in the signed log;
                                          what earlier bundles and published heads hold is still there
verify_log.py KEY --heads OLD NEW PROOF   the log of the newer head begins with all of the older one

KEY is the log's public key, one line as published. Ends with 0: all holds, 1: it does not, 2: cannot tell.
"""

import hmac
import json
import sys
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

Head = tuple[int, bytes, datetime]  # size and root of the log, and when that was signed


class WrongError(Exception):
    """What does not hold, in both languages."""


def holds(truth: bool, ja: str, en: str) -> None:
    """Ends the check where something does not."""
    if not truth:
        raise WrongError(ja, en)


def pair(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """The root of a whole tree."""
    if len(leaves) < 2:
        return sha256(b"".join(b"\0" + leaf for leaf in leaves)).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return pair(root_of(leaves[:half]), root_of(leaves[half:]))


def climb(low: int, last: int, path: list[str]) -> Iterator[tuple[bytes, bool]]:
    """The way to the root as in RFC 9162: each node of a proof, and whether it stands on the left."""
    for node in path:
        left = bool(low & 1) or low == last
        while left and low and not low & 1:
            low, last = low >> 1, last >> 1
        yield bytes.fromhex(node), left
        low, last = low >> 1, last >> 1 if last else -1
    holds(last == 0, "証明の長さが合いません", "a proof is too short or too long")


def included(leaf: bytes, index: int, size: int, path: list[str]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    root = sha256(b"\0" + leaf).digest()
    for node, left in climb(index, size - 1, path):
        root = pair(node, root) if left else pair(root, node)
    return root


def check_consistent(earlier: Head, later: Head, path: list[str]) -> None:
    """A later tree begins with an earlier one (RFC 9162, 2.1.4.2)."""
    (old, old_root, _), (new, new_root, _) = earlier, later
    rewritten = "以前の記録が消えたか、書き換えられています", "earlier entries are gone or altered"
    holds(old < new or earlier[:2] == later[:2], *rewritten)
    if 0 < old < new:
        first, *path = path if old & (old - 1) else [old_root.hex(), *path]
        before = after = bytes.fromhex(first)
        full = (old & -old).bit_length() - 1  # levels on which the earlier tree's edge is full
        for node, left in climb((old - 1) >> full, (new - 1) >> full, path):
            before = pair(node, before) if left else before
            after = pair(node, after) if left else pair(after, node)
        holds((before, after) == (old_root, new_root), *rewritten)


def signed(note: str, key: str, below: str = "") -> Head:
    """Reads a signed head (c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    name, _, public = key.strip().split("+", 2)
    text, _, lines = note.rpartition("\n\n")
    line = next((one for one in lines.split("\n") if one.startswith(f"— {name} ")), "")
    raw = b64decode(line[len(name) + 3 :])
    seconds = int.from_bytes(raw[4:12], "big")
    message = f"cosignature/v1\ntime {seconds}\n{text}\n".encode()
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(public)[1:]).verify(raw[12:], message)
    except InvalidSignature:
        raise WrongError("署名が正しくありません", "a head is not signed by this key") from None
    origin, size, root = text.split("\n")
    holds(origin == name + below, "別の記録の署名です", "a head is of another log")
    return int(size), b64decode(root), datetime.fromtimestamp(seconds, timezone(timedelta(hours=9)))


def check_bundle(bundle: Any, key: str) -> Head:
    """Each entry is the person's own, has its number and is in the signed log; none is missing."""
    own, last, head = bytes.fromhex(bundle["key"]), -1, signed(bundle["head"], key)
    leaves = [entry["leaf"].encode() for entry in bundle["entries"]]
    for number, (leaf, entry) in enumerate(zip(leaves, bundle["entries"], strict=True), 1):
        one = hmac.digest(own, b"aizu entry %d" % number, "sha256")
        tag = hmac.digest(one, b"tag", "sha256").hex()
        content = hmac.digest(one, b"content" + entry["content"].encode(), "sha256").hex()
        said, index = json.loads(leaf), entry["index"]
        fits = (said["tag"], said["content"]) == (tag, content) and last < index < head[0]
        ja, en = f"{number}件目が欠けているか、違います", f"entry {number} is missing or altered"
        holds(fits and included(leaf, last := index, head[0], entry["proof"]) == head[1], ja, en)
    size, root, at = signed(bundle["own_head"], key, f"/{sha256(b'aizu log of' + own).hexdigest()}")
    ja, en = f"{size}件のはずが{len(leaves)}件です", f"{size} entries signed, {len(leaves)} here"
    whole = (size, root) == (len(leaves), root_of(leaves)) and at >= head[2]
    holds(whole, f"{at:%Y-%m-%d %H:%M}に{ja}", f"{en}, as of {at:%Y-%m-%d %H:%M}")
    return head


def check_earlier(text: str, bundle: Any, head: Head, key: str) -> None:
    """What an earlier bundle or a published head holds is still there."""
    earlier: Any = json.loads(text) if text.startswith("{") else {"head": text}
    old = check_bundle(earlier, key) if "entries" in earlier else signed(text, key)
    check_consistent(old, head, bundle["consistency"][str(old[0])] if old[0] < head[0] else [])
    leaves = [entry["leaf"] for entry in earlier.get("entries", [])]
    now = [entry["leaf"] for entry in bundle["entries"][: len(leaves)]]
    holds(leaves == now, "以前あった自分の記録が消えています", "your own earlier entries are gone")


def main(key: str, first: str, *files: str) -> str:
    """Checks the files and says what was checked."""
    texts = [Path(file).read_text(encoding="utf-8") for file in files]
    if first == "--heads":
        head = signed(texts[1], key)
        check_consistent(signed(texts[0], key), head, json.loads(texts[2])["proof"])
        return f"正しい記録です（全{head[0]}件） / the log holds ({head[0]} entries)"
    head = check_bundle(bundle := json.loads(Path(first).read_text(encoding="utf-8")), key)
    for text in texts:
        check_earlier(text, bundle, head, key)
    when, count = f"{head[2]:%Y-%m-%d %H:%M}", len(bundle["entries"])
    return f"あなたの記録{count}件は正しい（{when}現在） / all {count} entries hold ({when} JST)"


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{main(*sys.argv[1:])}\n")
    except WrongError as error:
        sys.exit(sys.stdout.write(f"誤り: {error.args[0]} / wrong: {error.args[1]}\n") and 1)
    except (ImportError, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        sys.exit(sys.stderr.write(f"確認できません / cannot tell: {error!r}\n{__doc__}") and 2)
