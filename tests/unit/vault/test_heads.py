"""Heads are signed as C2SP has them, each minute, and never for another log than before."""

import base64
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from aizu_vault.keys import FileSigner
from aizu_vault.log import heads
from aizu_vault.log.errors import ForkError, NoteError, NotReadyError
from aizu_vault.log.heads import LogSigner, check_ready, newest_head
from aizu_vault.log.notes import Checkpoint, PublicKey, read, sign

from .conftest import ORIGIN

# From the specification (c2sp.org/tlog-cosignature), its text and the time in its signature line.
SPECIFIED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    1679315147,
)


class Recording:
    """A signer that shows what it was given to sign."""

    public = b"p" * 32

    def sign(self, message):
        self.message = message
        return b"s" * 64


def test_what_is_signed_is_what_the_specification_says():
    """Header, time, and the three lines of the checkpoint."""
    text, seconds = SPECIFIED
    signer = Recording()
    note = sign(signer, "w.example/1", Checkpoint.of(text), datetime.fromtimestamp(seconds, UTC))
    assert signer.message.decode() == f"cosignature/v1\ntime 1679315147\n{text}"
    body, line = note.split("\n\n")
    assert body + "\n" == text
    dash, name, signature = line.split(" ")
    raw = base64.b64decode(signature)
    assert (dash, name, len(raw)) == ("—", "w.example/1", 4 + 8 + 64)
    assert raw[4:12] == seconds.to_bytes(8, "big")


@pytest.mark.parametrize(
    "text",
    ["", "a\n1\n", "a\n1\nAA==\n", "a\n01\n" + "A" * 43 + "=\n", "a\nx\n" + "A" * 43 + "=\n"],
)
def test_what_is_no_checkpoint_is_refused(text):
    """Missing lines, leading zeros, a root of another length."""
    with pytest.raises(NoteError, match="three lines"):
        Checkpoint.of(text)


def test_a_head_is_read_back_and_only_with_the_right_key(log, tmp_path):
    """Also when a witness has signed in front."""
    log.add(0)
    note = log.sign().note
    trusted = log.signer.trusted
    assert str(trusted).startswith(f"{ORIGIN}+{trusted.identity.hex()}+B")
    assert read(note, trusted)[0].size == 1
    text, line = note.split("\n\n")
    assert read(f"{text}\n\n— witness.example/w AAAA\n{line}", trusted)[0].size == 1
    other = FileSigner.open(tmp_path / "other.pem")
    with pytest.raises(NoteError):
        read(note, PublicKey(name=ORIGIN, key=other.public))
    with pytest.raises(NoteError, match="does not fit"):
        read(note.replace("\n1\n", "\n2\n"), trusted)


def test_the_tree_is_signed_again_while_it_does_not_grow(log, monkeypatch):
    """One row for each size, with the time of the last signature."""
    log.add(0)
    first = log.sign()

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + timedelta(minutes=1)

    monkeypatch.setattr(heads, "datetime", Later)
    again = log.sign()
    assert again.signed_at > first.signed_at
    newest = newest_head(log.connection, log.signer.trusted)
    assert newest == again
    assert log.connection.execute("SELECT count(*) FROM audit.log_head").fetchone() == (1,)


def test_a_log_cut_short_with_its_heads_is_not_signed(log):
    """The signer remembers outside the database."""
    log.add(1, 2, 3)
    log.sign()
    log.connection.execute("SET session_replication_role = replica")
    log.connection.execute("DELETE FROM audit.log_leaf WHERE leaf_index > 0")
    log.connection.execute("DELETE FROM audit.log_head")
    with pytest.raises(ForkError, match="has 1 leaves, and 3 were signed"):
        log.sign()
    assert newest_head(log.connection, log.signer.trusted) is None


def test_a_log_rewritten_is_not_signed(log):
    """Not even when it is longer."""
    log.add(1, 2)
    log.sign()
    log.connection.execute("SET session_replication_role = replica")
    log.connection.execute("UPDATE audit.log_leaf SET body = 'x' WHERE leaf_index = 0")
    log.connection.execute("SET session_replication_role = origin")
    log.add(3)
    with pytest.raises(ForkError, match="first 2 leaves"):
        log.sign()


def test_the_remembered_head_of_another_key_is_refused(log, tmp_path):
    """A new key begins a new log; it does not go on with this one."""
    log.add(1)
    log.sign()
    other = FileSigner.open(tmp_path / "new.pem")
    signer = LogSigner(origin=ORIGIN, signer=other, last=log.signer.last)
    with pytest.raises(NoteError):
        signer.sign_head(log.connection)


def test_the_database_takes_no_other_head_of_a_size(log):
    """Neither another root nor an earlier time."""
    log.add(1)
    log.sign()
    for change in ("root = 'x'", "signed_at = signed_at - interval '1 s'", "tree_size = 2"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            log.connection.execute(f"UPDATE audit.log_head SET {change}")


def test_nothing_is_released_while_the_signer_is_down(log, monkeypatch):
    """The first unsigned leaf counts; a signature ends the wait."""
    release = log.connect("deep_release")
    check_ready(release)
    log.add(1)
    check_ready(release)
    monkeypatch.setattr(heads, "UNSIGNED_AT_MOST", timedelta(0))
    with pytest.raises(NotReadyError, match="not been signed"):
        check_ready(release)
    log.sign()
    check_ready(release)
    release.close()


def test_nothing_is_released_after_the_clock_went_back(log):
    """A leaf from the future is a clock that was put back."""
    log.add(1)
    log.sign()
    log.connection.execute("SET session_replication_role = replica")
    log.connection.execute("UPDATE audit.log_leaf SET recorded_at = now() + interval '1 minute'")
    with pytest.raises(NotReadyError, match="clock"):
        check_ready(log.connection)
