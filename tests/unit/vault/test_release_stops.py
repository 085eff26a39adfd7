"""What stops a release: whoever says no, an agreement that ends, a log that is not signed, a failure at any step."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from aizu_vault.agreements import Duty, Obligation, Standing, State
from aizu_vault.events import withdraw
from aizu_vault.intake import ingest
from aizu_vault.log.errors import NotReadyError
from aizu_vault.log.verify import verify_log
from aizu_vault.progress import AIM_SECONDS, Pace
from aizu_vault.pseudonyms import pseudonym
from aizu_vault.refusals import RefusedError
from aizu_vault.register import add_obligation, end_member, set_standing
from aizu_vault.register_agreements import turn_agreement
from aizu_vault.release import Release, mark_crashed
from aizu_vault.settings import UnreachableError, Vault
from aizu_vault.subjects import erase
from aizu_vault.wishes import Wish

from .city import PEOPLE, no, yes
from .conftest import ALL
from .releases import (
    HEAD,
    WISH,
    begin,
    beside,
    bring,
    crowd,
    logged,
    measured,
    read,
    release,
    released,
    table,
    until_it_stops,
    whose,
)

ONE, TWO, THREE, *_ = PEOPLE
EACH = 5_000


@pytest.fixture
def going(city, monkeypatch):
    """A release that hands one person over at a time, of which the first was given away."""
    monkeypatch.setattr("aizu_vault.progress.MOST_PERSONS", 1)
    monkeypatch.setattr("aizu_vault.release.Pace", partial(Pace, persons=1))
    ingest(city.vault, "vitals", measured(days=1))
    city.record_all(*[(one, yes(one)) for one in PEOPLE])
    begun = begin(city)
    yield begun
    begun.close()


def first_of(going):
    """The person whose rows go first."""
    (one,) = whose(table(next(iter(going))))
    return one


def test_e03_withdrawn_in_the_middle_of_a_release(city, going):
    """What was handed over was; after that nothing more of that person."""
    first = first_of(going)
    late = next(one for one in PEOPLE if one != first)
    # The fence is held until the next piece is asked for.
    with beside(city, lambda: withdraw(city.recorder, city.keys, late, nonce="w")) as withdrawal:
        assert not withdrawal.done()
        text = HEAD + b"".join(going)
    assert whose(table(text)) == set(PEOPLE) - {first, late}
    assert read(city, late) == []


def test_e15_data_of_a_covered_day_that_comes_after_the_withdrawal(city):
    """It does not go: what counts is what the person says now."""
    bring(city)
    city.record(ONE, no(ONE))
    ingest(city.vault, "vitals", measured([ONE], days=1))
    assert ONE not in whose(table(release(city)))


def suspend(city):
    turn_agreement(city.steward, "deal", State.SUSPENDED, by="mayor")


def stand_down(city):
    set_standing(city.steward, "north", Standing.SUSPENDED, by="mayor")


def leave(city):
    end_member(city.steward, "north", "doctor", by="mayor")


def owe(city):
    (now,) = city.release.execute("SELECT audit.clock()").fetchone()
    owed = Obligation(recipient_id="north", duty=Duty.BENEFIT_REPORT, due=now - timedelta(days=1))
    add_obligation(city.steward, owed, by="mayor")


def pass_by(city):
    """The agreement ends by itself."""
    admin = city.admin()
    admin.execute("SET session_replication_role = replica")
    admin.execute("UPDATE consent.agreement SET valid = tstzrange(NULL, clock_timestamp())")


def put_back_the_clock(city):
    """As seen from a log that was written to an hour from now."""
    admin = city.admin()
    admin.execute("SET session_replication_role = replica")
    admin.execute(
        "UPDATE audit.log_leaf SET recorded_at = recorded_at + interval '1 hour'"
        " WHERE leaf_index = (SELECT max(leaf_index) FROM audit.log_leaf)"
    )


def leave_unsigned(city):
    """The signer has been down for ten minutes."""
    admin = city.admin()
    admin.execute("SET session_replication_role = replica")
    admin.execute("UPDATE audit.log_leaf SET recorded_at = recorded_at - interval '10 minutes'")


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (suspend, "agreement-not-in-force"),
        (stand_down, "recipient"),
        (leave, "recipient"),
        (owe, "obligations"),
        (pass_by, "agreement-not-in-force"),
        (put_back_the_clock, "not-ready"),
        (leave_unsigned, "not-ready"),
    ],
)
def test_the_next_chunk_stops(city, going, happens, reason):
    """Whatever was handed over by then; the answer breaks off, and no other release begins."""
    first = first_of(going)
    with beside(city, lambda: happens(city)):
        text, why = until_it_stops(going)
    assert why == reason
    assert len(text.splitlines()) <= 3
    assert released(city)[:2] == ("stopped", reason)
    assert read(city, first)
    with pytest.raises((RefusedError, NotReadyError)):
        begin(city)


def test_a_slow_reader_does_not_hold_up_a_withdrawal(city):
    """The rest of the chunk is decided anew; what the log says beyond that was not handed over."""
    ingest(city.vault, "vitals", measured(days=1, each=EACH, step=timedelta(seconds=1)))
    city.record_all(*[(one, yes(one)) for one in PEOPLE])
    going = begin(city)
    pieces = iter(going)
    (gone,) = whose(table(next(pieces)))
    read_too = "SELECT subject_id FROM release.person WHERE subject_id <> %s"
    late = city.release.execute(read_too, (gone,)).fetchone()[0]
    with beside(city, lambda: withdraw(city.recorder, city.keys, late, nonce="w")) as withdrawal:
        time.sleep(AIM_SECONDS)
        rest = [next(pieces)]
        assert withdrawal.result()
        rest += pieces
    assert late not in whose(table(HEAD + b"".join(rest)))
    assert len(b"".join(rest).splitlines()) == 3 * EACH
    (entry,) = read(city, late)
    assert entry["rows"] == EACH
    query = "SELECT count(*), count(handed_over_at) FROM release.person WHERE subject_id = %s"
    assert city.release.execute(query, (late,)).fetchone() == (1, 0)


def test_who_loses_the_database_hands_nothing_over_any_more(city):
    """With the connection the fence is gone; also in the middle of a chunk."""
    ingest(city.vault, "vitals", measured(days=1, each=EACH, step=timedelta(seconds=1)))
    city.record_all(*[(one, yes(one)) for one in PEOPLE])
    going = begin(city)
    next(iter(going))
    city.admin().execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_locks WHERE locktype = 'advisory'"
        " AND classid = hashtext('vault.release')::oid"
    )
    assert until_it_stops(going) == (b"", "unavailable")
    assert released(city)[0] == "running"
    assert mark_crashed(city.release) == 1
    assert released(city)[0] == "crashed"


def test_e40_nothing_goes_without_the_database(city):
    """Neither at the beginning nor later; a release that runs is not marked as crashed."""
    bring(city)
    going = begin(city)
    assert mark_crashed(city.release) == 0
    going.close()
    (city.vault.places.folder / "database").write_text("host=/nowhere dbname=deep\n")
    with pytest.raises(UnreachableError):
        Release.begin(Vault.open(city.vault.places.folder), "doctor", Wish(**WISH))


SABOTAGE = {
    "persons are recorded": "BEFORE INSERT ON release.person FOR EACH ROW",
    "the chunk is counted": "BEFORE UPDATE ON release.release FOR EACH ROW",
    "the log is taken": "BEFORE INSERT ON audit.log_count FOR EACH ROW",
    "leaves are appended": "BEFORE INSERT ON audit.log_leaf FOR EACH ROW",
    "persons are logged": "BEFORE UPDATE ON release.person FOR EACH ROW",
}


@pytest.mark.parametrize("step", [*SABOTAGE, "it is committed"])
def test_nothing_goes_if_a_step_fails(city, step):
    """As on a full disk; nothing is left, not even in the log, and later it goes."""
    bring(city)
    admin = city.admin()
    admin.execute(
        "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
    )
    if step in SABOTAGE:
        admin.execute(f"CREATE TRIGGER fails {SABOTAGE[step]} EXECUTE FUNCTION public.fail()")
    else:
        admin.execute(
            "CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON audit.log_leaf"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.fail()"
        )
    leaves = city.count("audit.log_leaf")
    assert until_it_stops(begin(city)) == (b"", "unavailable")
    assert city.count("audit.log_leaf") == leaves
    assert city.release.execute("SELECT count(*) FROM release.person").fetchone() == (0,)
    admin.execute("DROP FUNCTION public.fail CASCADE")
    assert len(table(release(city))) == 24


def test_who_is_being_erased_is_left_out(city):
    """Also if the key is gone and the tables do not know yet."""
    bring(city)
    erase(city.steward, city.keys, ONE)
    city.keys.destroy(TWO)
    assert whose(table(release(city))) == set(PEOPLE[2:4])


def test_an_altered_block_stops_the_release(city):
    """Before anything of its chunk goes; the message names no person."""
    bring(city)
    admin = city.admin()
    admin.execute("SET session_replication_role = replica")
    admin.execute("UPDATE vault.block SET sealed = overlay(sealed PLACING 'x' FROM 30)")
    assert until_it_stops(begin(city)) == (b"", "failed")


TAKING = """
import os, sys
from pathlib import Path
from aizu_vault import progress
from aizu_vault.release import Release
from aizu_vault.settings import Vault
from aizu_vault.wishes import Wish

for line in sys.stdin:
    out, size = line.split()
    if child := os.fork():
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
        continue
    progress.MOST_PERSONS = int(size)
    wish = Wish(agreement="deal", purpose="diabetes")
    with open(out, "wb", buffering=0) as file:
        for piece in Release.begin(Vault.open(Path(sys.argv[1])), "doctor", wish):
            file.write(piece)
    os._exit(0)
"""


@pytest.fixture
def recipient(city):
    """A program that takes a release into a file; each in a process of its own, which can be killed."""
    command = [sys.executable, "-c", TAKING, str(city.vault.places.folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as program:
        yield program
        program.stdin.close()


def test_what_was_sent_is_in_the_log_whoever_is_killed_when(city, recipient, tmp_path):
    """Killed at any moment: no more rows arrived than the log says of each person, and the next release begins."""
    people = crowd(city, 40, each=400, step=timedelta(seconds=1))
    secret = city.keys.agreement("deal")
    names = {pseudonym(secret, one).hex(): one for one in people}
    size = len(b"".join(begin(city)))
    chance, partly = random.Random(5), 0
    signer = city.connect("deep_signer")
    for number in range(1_000 if ALL else 8):
        city.vault.signer.sign_head(signer)
        out = tmp_path / str(number)
        recipient.stdin.write(f"{out} {chance.choice([3, 9, 250])}\n")
        process = int(recipient.stdout.readline())
        time.sleep(chance.choice([0, chance.uniform(0, 0.2)]))
        wait_for(out, chance.choice([0, chance.uniform(0, size)]), process)
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        recipient.stdout.readline()
        sent = Counter(line.split(b",")[0].decode() for line in lines_of(out))
        known = logged(city)
        assert all(count <= known[names[name]] for name, count in sent.items())
        partly += 0 < sent.total() < 400 * len(people)
    assert partly
    # The server may need a moment to notice that somebody has gone.
    while dict(city.release.execute(STATES).fetchall()).get("running"):
        mark_crashed(city.release)
    begin(city).close()
    states = dict(city.release.execute(STATES).fetchall())
    assert states["crashed"]
    city.vault.signer.sign_head(signer)
    audit = verify_log(city.connect("deep_audit"), city.vault.signer.trusted)
    assert audit.findings == ()


STATES = "SELECT state, count(*) FROM release.release GROUP BY 1"


def wait_for(file, size, process):
    """Until so much of it has arrived from a process, which goes on until then."""
    goes_on = True
    while not file.exists() or file.stat().st_size < size:
        assert goes_on, "it ended before"
        goes_on = Path(f"/proc/{process}").exists()
        time.sleep(0.001)


def lines_of(file):
    """The rows that arrived whole, without the heading."""
    arrived = file.read_bytes().splitlines(keepends=True)[1:] if file.exists() else []
    return [line for line in arrived if line.endswith(b"\n")]
