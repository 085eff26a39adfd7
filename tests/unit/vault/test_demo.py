"""The demonstration brings invented people into a vault, who live much as people do; it comes once."""

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import polars as pl
import pytest
from click.testing import CliRunner

from aizu_vault import demo
from aizu_vault.ages import MAJORITY
from aizu_vault.cli import cli
from aizu_vault.consent import Subject
from aizu_vault.demo_people import PEOPLE, invent
from aizu_vault.demo_series import energy, vitals
from aizu_vault.gate import Permit
from aizu_vault.gate_set import decide_all
from aizu_vault.log.bundles import own_entries
from aizu_vault.log.verify import verify_log
from aizu_vault.requests import ConsentRequest
from aizu_vault.stored_events import read_people
from aizu_vault.stored_register import read_register
from aizu_vault.subjects import SubjectError, enrol, subject_of_login

from .conftest import ALL, copied

SOME = PEOPLE if ALL else 240


@pytest.fixture(scope="module")
def households():
    """The people who are loaded."""
    return invent(SOME)


@pytest.fixture(scope="module")
def loaded(server, prepared, tmp_path_factory):
    """A vault with the demonstration, and what was told while it was loaded."""
    vault, name = copied(server, prepared, "deep", tmp_path_factory.mktemp("demo"))
    told = []
    first = demo.load(vault, lambda *step: told.append(step), people=SOME)
    yield vault, first, told
    server.drop(name)


def test_everybody_comes_once(loaded):
    """With progress; a second time nothing changes, not even the log."""
    vault, first, told = loaded
    assert first.people == SOME
    assert ("events", first.events, first.events) in told
    with vault.connect("deep_audit") as connection:
        query = "SELECT count(*) FROM audit.log_leaf"
        before = connection.execute(query).fetchone()
        again = demo.load(vault, pytest.fail, people=SOME)
        assert again == demo.Loaded(people=0, events=0, rows=0)
        assert connection.execute(query).fetchone() == before


def test_what_broke_off_is_finished(server, prepared, tmp_path, monkeypatch):
    """Whatever was recorded before stays as it is."""
    vault, name = copied(server, prepared, "deep", tmp_path)
    monkeypatch.setattr(demo, "_AT_ONCE", 20)

    def breaks(step, done, _):
        if step == "events" and done >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.load(vault, breaks, people=60)
    rest = demo.load(vault, lambda *_: None, people=60)
    assert rest.people == 0
    assert rest.events == sum(len(one.sayings) for one in people(invent(60))) - 40
    server.drop(name)


def test_the_log_is_right_and_in_order(loaded, households):
    """Each person finds their entries in the order in which they said things."""
    vault, _, _ = loaded
    with vault.connect("deep_signer") as signer:
        vault.signer.sign_head(signer)
    with vault.connect("deep_audit") as connection:
        assert verify_log(connection, vault.signer.trusted).findings == ()
        talker = max(people(households), key=lambda one: len(one.sayings))
        key = vault.keys.read([talker.subject_id])[talker.subject_id].log
        entries = own_entries(connection, talker.subject_id, key)
    numbers = [json.loads(one.content).get("seq") for one in entries]
    said = [number for number in numbers if number]
    assert said == [*range(1, len(talker.sayings) + 1)]


def test_consents_look_like_life(loaded, households):
    """Some of everybody's data goes to each active agreement, and all kinds of events have come up."""
    vault, _, _ = loaded
    ids = [one.subject_id for one in people(households)]
    with vault.connect("deep_release") as connection:
        register = read_register(connection)
        (now,) = connection.execute("SELECT audit.clock()").fetchone()
        shares = {
            name: share(connection, register, register.agreements[name], ids, now)
            for name in ("watch-2026", "watch-kita-2026", "stroke-2026", "winter-2026")
        }
        kinds = dict(connection.execute("SELECT kind, count(*) FROM consent.event GROUP BY kind"))
    assert all(0.15 < each < 0.75 for each in shares.values()), shares
    assert shares["watch-kita-2026"] < shares["watch-2026"]
    assert {"grant", "objection", "representation", "death", "death-reversed", "freeze",
            "unfreeze", "moved-away", "moved-in", "capacity-lost", "emergency-refused"} == {*kinds}  # fmt: skip


def share(connection, register, agreement, ids, now):
    """Of how many people something may go."""
    request = ConsentRequest(
        user=register.recipients[agreement.recipient_id].members[0].user,
        fields=agreement.fields,
        at=now,
        agreement_id=agreement.agreement_id,
        receiver=agreement.recipient_id,
        purpose=agreement.purpose,
    )
    with connection.cursor() as cursor:
        found = decide_all(cursor, request, ids)
    return sum(isinstance(one, Permit) for one in found.values()) / len(ids)


def test_agreements_stand_in_several_states(loaded):
    """Each approved by two."""
    vault, _, _ = loaded
    with vault.connect("deep_steward") as connection:
        known = read_register(connection).agreements
    states = Counter(str(one.state) for one in known.values())
    assert states == {"active": 4, "suspended": 1, "submitted": 1, "closed": 1, "draft": 1}


def test_the_users_of_the_demonstration_act_for_somebody(loaded, households):
    """One with a history, and a parent."""
    vault, _, _ = loaded
    with vault.connect("deep_consent") as connection:
        for login, citizen in demo.logins(households).items():
            assert subject_of_login(connection, login).subject_id == citizen.subject_id


def test_everybody_is_invented(loaded, households):
    """In a vault with real people nobody of them comes."""
    vault, _, _ = loaded
    ids = [one.subject_id for one in people(households)]
    with vault.connect("deep_steward") as connection:
        assert all(one.subject.synthetic for one in read_people(connection, ids).values())


def test_they_never_come_among_real_people(vault):
    """The load is refused as a whole."""
    with vault.connect("deep_steward") as connection:
        born = Subject(subject_id=UUID(int=1), birth_date=date(1980, 5, 5))
        enrol(connection, vault.keys, [born])
    with pytest.raises(SubjectError, match="never both"):
        demo.load(vault, lambda *_: None, people=SOME)


def test_the_series_are_those_of_a_winter_day(households):
    """Pulse rises by day, power in the morning and in the evening; nobody has two rows for one minute."""
    beats, power = vitals(households), energy(households)
    for frame in (beats, power):
        assert frame.select("subject", "time").n_unique() == frame.height
    hour = pl.col("time").dt.convert_time_zone("Asia/Tokyo").dt.hour()
    pulse = dict(beats.group_by(hour).agg(pl.col("pulse").mean()).iter_rows())
    assert pulse[3] + 5 < pulse[14]
    kwh = dict(power.group_by(hour).agg(pl.col("kwh").mean()).iter_rows())
    assert kwh[3] < kwh[14] < kwh[7] < kwh[19]
    assert beats["temperature"].is_between(34.5, 39.5).all()
    days = power["time"].dt.convert_time_zone("Asia/Tokyo").dt.date().unique().sort()
    assert (len(days), days[0]) == (7, date(2026, 1, 19))
    assert beats.equals(vitals(invent(SOME)))


def test_households_have_adults(households):
    """And children have parents among them."""
    for household in households:
        assert household.adults
        ids = {one.subject_id for one in household.members}
        assert all(ids >= {*child.parents} for child in household.members)
    assert all(one.number + 1 == other.number for one, other in pairwise(people(households)))
    ages = Counter(one.age() >= MAJORITY for one in people(households))
    assert ages[False] > SOME / 15


def people(households):
    """All members."""
    return [one for household in households for one in household.members]


def command(vault, *words, code=0):
    """Calls `aizu-vault`; its answer."""
    environment = {"AIZU_VAULT": str(vault.places.folder), "LC_ALL": "en_GB.UTF-8"}
    result = CliRunner().invoke(cli, [*map(str, words)], env=environment)
    assert result.exit_code == code, result.output
    return result


def test_a_steward_releases_by_hand(loaded, tmp_path):
    """As the service does it: counted, logged, and refused in the same cases; a file is whole or not there."""
    vault, _, _ = loaded
    with vault.connect("deep_signer") as signer:
        vault.signer.sign_head(signer)
    with vault.connect("deep_steward") as connection:
        recipients = read_register(connection).recipients
    hospital = recipients["asahi-hospital"].members[0].user
    file = tmp_path / "pulse.csv"
    run = ("release", "run", "watch-2026", "--user", hospital)
    command(vault, *run, "--field", "pulse", "--out", file)
    rows = pl.read_csv(file)
    assert rows.columns[-2:] == ["time", "pulse"]
    command(vault, *run, "--field", "pulse", "--out", tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == file.read_bytes()
    listed = json.loads(command(vault, "release", "list", "--json").stdout)
    assert [(one["state"], one["rows"]) for one in listed] == [("completed", rows.height)] * 2
    shown = command(vault, "release", "show", listed[0]["release_id"]).stdout
    assert f"rows: {rows.height}" in shown
    stranger = recipients["kita-hospital"].members[0].user
    for words in (("watch-2026", "--user", stranger), ("unknown", "--user", hospital)):
        refused = command(vault, "release", "run", *words, "--out", tmp_path / "no.csv", code=1)
        assert "nothing is released: refused" in refused.stderr
    command(vault, "release", "show", UUID(int=5), code=1)
    assert {one.name for one in tmp_path.iterdir()} == {"pulse.csv", "again.csv"}


def test_who_stops_reading_is_cut_off(loaded):
    """What goes through a pipe is released as long as it is read: nobody's withdrawal waits for a reader."""
    vault, _, _ = loaded
    with vault.connect("deep_signer") as signer:
        vault.signer.sign_head(signer)
    with vault.connect("deep_steward") as connection:
        hospital = read_register(connection).recipients["asahi-hospital"].members[0].user
    program = [Path(sys.executable).with_name("aizu-vault"), "release"]
    environment = {"AIZU_VAULT": str(vault.places.folder), "LC_ALL": "en_GB.UTF-8"}
    run = partial(
        subprocess.Popen,
        [*program, "run", "watch-2026", "--user", hospital],
        env=environment | {"PGPASSWORD": "of another database"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with run() as whole:
        rows = pl.read_csv(whole.communicate()[0]).height
    with run() as stopped:
        assert stopped.stdout.readline().startswith(b"person,time")
        assert stopped.wait(60) == 1
        assert b"nobody reads on" in stopped.stderr.read()
    with run() as gone:
        assert gone.stdout.readline()
        gone.stdout.close()
        assert gone.wait(60) == 1
        assert gone.stderr.read() == b""
    listed = json.loads(command(vault, "release", "list", "--json").stdout)[:3]
    assert [(one["state"], one["reason"]) for one in listed] == [
        ("stopped", "connection"),
        ("stopped", "connection"),
        ("completed", None),
    ]
    assert listed[2]["rows"] == rows


def test_a_person_has_their_own_data(loaded, households, tmp_path):
    """All of it, whatever they have said to others."""
    vault, _, _ = loaded
    citizen = next(one for one in people(households) if not one.sayings)
    file = tmp_path / "own.jsonl"
    words = ("subject", "export", citizen.subject_id, "vitals", "--format", "jsonl", "--out", file)
    command(vault, *words)
    mine = vitals(households).filter(pl.col("subject") == str(citizen.subject_id))
    assert len(file.read_text(encoding="utf-8").splitlines()) == mine.height


def test_the_command_says_what_has_come(server, prepared, tmp_path, monkeypatch):
    """And that nothing was missing."""
    vault, name = copied(server, prepared, "deep", tmp_path)
    monkeypatch.setattr(demo, "invent", lambda _: invent(60))
    for told in ("Loaded 60 people", "Everything is there already"):
        assert told in command(vault, "demo").output
    server.drop(name)
