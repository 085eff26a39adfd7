"""Heads of the log of deep data as the vault gives them, the expected table out, whose signatures hold.

After a wanted change, `AIZU_WRITE_EXPECTED=1 pytest tests/unit/harvesters/test_deep_log.py` writes the expected
file anew; look at the difference before committing it.
"""

import csv
import io
import os
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from aizu_vault.log.notes import PublicKey, read
from harvesters import validate
from harvesters.city import load_city
from harvesters.sources import deep_log

from .conftest import ROOT, alone, only, snapshot_of

RECORDING = ROOT / "tests" / "recordings" / "deep-log" / "week.csv"
EXPECTED = ROOT / "tests" / "expected" / "deep-log" / "week.csv"
LIST = RECORDING.read_text(encoding="utf-8")

# Whose key signed the recording; it signs nothing else.
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = PublicKey(name="city.example/deep/log", key=SIGNER.public_key().public_bytes_raw())


def checked(text):
    """The list as a table, and its verdict."""
    city = load_city("aizuwakamatsu", portal_url="http://127.0.0.1")
    feed = city.feeds["deep-log"]
    assert feed.url == "http://127.0.0.1/deep/log/heads.csv"
    (table,) = deep_log.normalise(snapshot_of(text.encode()), feed, city, alone).tables
    return table, validate.validate(only(table), feed, city)


def test_the_list_becomes_the_expected_table():
    """Valid; of a signature the last line break is not kept, which says nothing."""
    table, verdict = checked(LIST)
    assert verdict.valid, verdict.report
    made = verdict.csv["heads"]
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        EXPECTED.write_bytes(made)
    assert made == EXPECTED.read_bytes()
    assert {(one.column, one.rule) for one in table.repairs} == {("署名", "spaces")}


def test_a_published_signature_can_be_checked():
    """It holds as it stands in one cell of the table."""
    _, verdict = checked(LIST)
    published = csv.DictReader(io.StringIO(verdict.csv["heads"].decode("utf-8-sig"), newline=""))
    for row in published:
        head, signed_at = read(row["署名"], KEY)
        assert (head.size, head.root.hex()) == (int(row["記録数"]), row["ルート"])
        assert signed_at == datetime.fromisoformat(row["署名日時"]).replace(microsecond=0)


@pytest.mark.parametrize(
    ("before", "after"),
    [("2026-11-22", "2026-11-21"), ("e3b0c442", "E3B0"), (",0,", ",-1,"), ("2026-11-23,", ",")],
)
def test_a_wrong_head_is_refused(before, after):
    """Two heads of a day, a root that is none, a size that cannot be, a head without a day."""
    _, verdict = checked(LIST.replace(before, after, 1))
    assert not verdict.valid


def test_without_a_portal_there_is_no_address():
    """As for a source of the city's without its server."""
    assert load_city("aizuwakamatsu").feeds["deep-log"].url == ""
