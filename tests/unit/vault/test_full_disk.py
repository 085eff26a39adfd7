"""Releases on a disk that is full: a real one, of a few megabytes, on which the database has its tables."""

import os
import random
import shutil
import subprocess
from collections import Counter
from datetime import timedelta

import pytest

from aizu_vault.log.verify import verify_log
from aizu_vault.pseudonyms import pseudonym
from aizu_vault.refusals import StoppedError
from aizu_vault.settings import UnreachableError

from .conftest import ALL
from .postgres_server import USER
from .releases import begin, crowd, logged, table

EACH = 20
TABLES = "ALTER {} ALL IN TABLESPACE pg_default SET TABLESPACE small"


@pytest.fixture
def disk(server):
    """A small disk with a tablespace of the server's."""
    place = server.folder / "disk"
    place.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", place]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"needs to be allowed to mount a disk: {mounted.stderr.strip()}")
    try:
        tables = place / "tables"
        tables.mkdir()
        shutil.chown(tables, USER, USER)
        with server.connect("postgres") as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{tables}'")
            yield place
            connection.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", place], check=True)


def fill(disk, left):
    """Takes all space but so many bytes."""
    found = os.statvfs(disk)
    with (disk / "other").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, found.f_bavail * found.f_frsize - left)


def test_nothing_goes_that_is_not_in_the_log(disk, city, monkeypatch):
    """Full at any moment: what arrived is in the log, and when there is space again, all goes."""
    monkeypatch.setattr("aizu_vault.progress.MOST_PERSONS", 10)
    people = crowd(city, 200, each=EACH, step=timedelta(seconds=1))
    secret = city.keys.agreement("deal")
    names = {pseudonym(secret, one).hex(): one for one in people}
    admin = city.admin()
    for kind in ("TABLE", "INDEX"):
        admin.execute(TABLES.format(kind))
    signer = city.connect("deep_signer")
    chance, stopped = random.Random(7), Counter()
    kinds = {("unavailable", False), ("unavailable", True)}
    for number in range(200):
        # How much is free behind the server's back is a little different each time.
        if number >= 12 and not ALL and stopped.keys() >= kinds:
            break
        city.vault.signer.sign_head(signer)
        fill(disk, chance.choice([0, *[chance.randrange(400_000)] * 3]))
        sent, reason = taken(city)
        (disk / "other").unlink()
        stopped[reason, bool(sent)] += 1
        known = logged(city)
        assert all(rows <= known.get(names[name], 0) for name, rows in sent.items())
    assert stopped.keys() >= kinds
    city.vault.signer.sign_head(signer)
    assert len(table(b"".join(begin(city)))) == EACH * len(people)
    audit = verify_log(city.connect("deep_audit"), city.vault.signer.trusted)
    assert audit.findings == ()


def taken(city):
    """How many rows under which name arrive, and why no more."""
    pieces, reason = [], None
    try:
        going = begin(city)
    except UnreachableError:
        return Counter(), "unavailable"
    try:
        pieces.extend(going)
    except StoppedError as error:
        reason = error.reason
    going.close()
    rows = b"".join(pieces).splitlines()[1:]
    return Counter(row.split(b",")[0].decode() for row in rows), reason
