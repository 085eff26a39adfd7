"""Blocks are read by one function alone, which records whose they are, and nobody commits what is not in the log."""

import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from aizu_vault.interval import Interval
from aizu_vault.log.append import append
from aizu_vault.log.entries import Entry
from tests.unit.gate import stage
from tests.unit.gate.stored import DESCRIBED, insert, store

from .conftest import database_of

START = datetime(2026, 11, 1, tzinfo=UTC)


class City:
    """People with blocks of two days each, and an agreement under which a release runs."""

    def __init__(self, vault, server):
        self.vault = vault
        self.people = [stage.person() for _ in range(5)]
        self.ids = [one.subject.subject_id for one in self.people]
        self.admin = server.connect(database_of(vault))
        others = [stage.dataset(dataset_id="energy")]
        with self.admin.transaction(), self.admin.cursor() as cursor:
            store(cursor, stage.register(*others), self.people, described=DESCRIBED)
        steward, self.ingest = vault.connect("deep_steward"), vault.connect("deep_ingest")
        columns = json.dumps([["time", "time"], ["heart", "integer"]])
        for dataset in ("vitals", "energy"):
            steward.execute("INSERT INTO vault.layout VALUES (%s, 1, %s)", (dataset, columns))
            # The last person has no data.
            for one in self.ids[:4]:
                self.bring(one, 0, dataset)
                self.bring(one, 1, dataset)
        self.release = vault.connect("deep_release")
        self.steward = steward
        self.keys = {one: key.log for one, key in vault.keys.create(self.ids).items()}
        self.release_id = self.begin()

    def bring(self, one, number, dataset="vitals"):
        """A block of one day."""
        at = START + timedelta(days=number)
        row = (dataset, one, at.date(), at, at + timedelta(hours=2))
        self.ingest.execute(
            "INSERT INTO vault.block (dataset_id, subject_id, day, part, version, n_rows, t_min, t_max,"
            " sealed) VALUES (%s, %s, %s, 0, 1, 3, %s, %s, 'sealed')",
            row,
        )

    def begin(self, **changes):
        """A release that runs."""
        said = {"release_id": uuid4(), "mode": "consent", "dataset_id": "vitals"}
        said |= {"agreement_id": "deal", "receiver": "north", "purpose": "diabetes"}
        said |= {"user_id": "doctor", "fields": ["heart"], "format": "csv"} | changes
        self.release.execute(
            f"INSERT INTO release.release ({', '.join(said)}) VALUES ({', '.join(['%s'] * len(said))})",
            list(said.values()),
        )
        return said["release_id"]

    def read(self, subjects, chunk=0, release_id=None, since="", until="", times=None):
        """What the function gives of them, as place and day; of all the same times, or of each their own."""
        ranges = times or [f"{{[{since},{until})}}"] * len(subjects)
        rows = self.release.execute(
            "SELECT * FROM vault.release_chunk(%s, %s, %s, %s::text[]::tstzmultirange[])",
            (release_id or self.release_id, chunk, subjects, ranges),
        ).fetchall()
        return [(self.ids.index(row[0]), row[1]) for row in rows]

    def recorded(self):
        """Whom the release concerns by now."""
        rows = self.release.execute("SELECT subject_id FROM release.person").fetchall()
        return sorted(self.ids.index(one) for (one,) in rows)

    def log(self):
        """Logs everybody who was recorded."""
        people = [self.ids[number] for number in self.recorded()]
        entries = [Entry(kind="release", person=one, private={"rows": 0}) for one in people]
        for one, leaf in zip(people, append(self.release, self.keys, entries), strict=True):
            self.release.execute(
                "UPDATE release.person SET fields = '{heart}', rows = 0, leaf_index = %s "
                "WHERE subject_id = %s AND leaf_index IS NULL",
                (leaf, one),
            )


@pytest.fixture
def city(vault, server):
    """The city, whose connections are closed with the test."""
    made = City(vault, server)
    yield made
    for connection in (made.admin, made.steward, made.ingest, made.release):
        connection.close()


def test_blocks_come_in_the_order_asked_for(city):
    """Of those who are named, of the dataset of the release, day after day."""
    with city.release.transaction():
        got = city.read([city.ids[2], city.ids[0]])
        city.log()
    days = [date(2026, 11, 1), date(2026, 11, 2)]
    assert got == [(2, days[0]), (2, days[1]), (0, days[0]), (0, days[1])]
    assert city.recorded() == [0, 2]


def test_of_whom_there_is_nothing_is_not_recorded(city):
    """No block at all, or none of that time; ends of times do not count."""
    with city.release.transaction():
        assert city.read([city.ids[4], city.ids[0]])[0][0] == 0
        later = city.read([city.ids[1]], 1, since=START + timedelta(days=5))
        before = city.read([city.ids[1]], 2, until=START)
        assert later == before == []
        assert len(city.read([city.ids[2]], 3, until=START + timedelta(days=1))) == 1
        assert len(city.read([city.ids[3]], 4, since=START + timedelta(days=1))) == 1
        assert city.recorded() == [0, 2, 3]
        city.log()


def test_each_persons_own_times(city):
    """Blocks of which nothing may go are not read, though others' of that day are; without times nothing is."""
    second = f"{{[,{START - timedelta(days=9)}),[{START + timedelta(days=1)},)}}"
    with city.release.transaction():
        got = city.read(city.ids[:3], times=["{[,)}", second, "{}"])
        assert [(who, day.day) for who, day in got] == [(0, 1), (0, 2), (1, 2)]
        assert city.read([city.ids[3]], 1, times=["{}"]) == []
        assert city.recorded() == [0, 1]
        city.log()


def test_nothing_is_read_in_an_emergency_yet(city):
    """Nobody reviews those before the part that does is built."""
    vital = city.begin(mode="vital", agreement_id=None)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not read"):
        city.read([city.ids[0]], release_id=vital)


def test_everybody_in_the_household_is_recorded(city):
    """The rows of the meter's holder are about the others, too, in that dataset."""
    home = "INSERT INTO vault.concerned VALUES ('energy', %s, %s)"
    city.steward.execute(home, (city.ids[0], city.ids[4]))
    city.release.execute("UPDATE release.release SET state = 'completed'")
    energy = city.begin(agreement_id=None, receiver=None, purpose=None, mode="self",
                        dataset_id="energy", user_id=str(city.ids[0]))  # fmt: skip
    with city.release.transaction():
        assert len(city.read([city.ids[0]], release_id=energy)) == 2
        assert city.recorded() == [0, 4]
        city.log()


def test_the_erased_are_not_read(city):
    """Their blocks stay closed, whatever the release asks for."""
    city.steward.execute(
        "UPDATE consent.subject SET erased = true WHERE subject_id = %s", (city.ids[1],)
    )
    with city.release.transaction():
        assert {who for who, _ in city.read(city.ids[:3])} == {0, 2}
        city.log()


def test_nobody_commits_what_is_not_in_the_log(city):
    """A chunk without leaves is undone as a whole; with one missing, too."""
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="chunk 0 of release"):
        city.read([city.ids[0]])
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation), city.release.transaction():
        city.read([city.ids[0]])
        city.log()
        city.read([city.ids[1]], 1)
    assert city.recorded() == []


@pytest.mark.parametrize("again", [[], [4], [1]], ids=["nobody", "no data", "somebody else"])
def test_a_chunk_is_read_once(city, again):
    """A second reading that finds nothing does not tidy away whom the first one recorded."""
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match="was read before")
    with refused, city.release.transaction():
        assert len(city.read([city.ids[0]])) == 2
        late = START + timedelta(days=9)
        city.read([city.ids[number] for number in again], since=late)
    assert city.recorded() == []


def test_a_leaf_is_one_persons(city):
    """One entry does not do for two."""
    with pytest.raises(psycopg.errors.UniqueViolation), city.release.transaction():
        city.read(city.ids[:2])
        (leaf,) = append(city.release, city.keys, [Entry(kind="release", person=city.ids[0])])
        city.release.execute(
            "UPDATE release.person SET fields = '{heart}', rows = 0, leaf_index = %s", (leaf,)
        )


@pytest.mark.parametrize("leaf", [0, 7])
def test_a_leaf_that_is_not_there_does_not_do(city, leaf):
    """A number alone is no entry."""
    with pytest.raises(psycopg.errors.ForeignKeyViolation), city.release.transaction():
        city.read([city.ids[0]])
        city.release.execute(
            "UPDATE release.person SET fields = '{heart}', rows = 0, leaf_index = %s", (leaf,)
        )


def test_what_was_logged_stays(city):
    """That it was handed over is added once, and nothing else changes."""
    with city.release.transaction():
        city.read([city.ids[0]])
        city.log()
    with pytest.raises(psycopg.errors.RestrictViolation, match="stays"):
        city.release.execute("UPDATE release.person SET rows = 5, t_min = now(), t_max = now()")
    city.release.execute("UPDATE release.person SET handed_over_at = clock_timestamp()")
    with pytest.raises(psycopg.errors.RestrictViolation, match="stays"):
        city.release.execute("UPDATE release.person SET handed_over_at = clock_timestamp()")
    for statement in ("DELETE FROM release.person", "TRUNCATE release.person",
                      "DELETE FROM release.release"):  # fmt: skip
        with pytest.raises(psycopg.errors.RestrictViolation):
            city.admin.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE release.release SET state = 'stopped', reason = 'budget'",
        "UPDATE consent.agreement SET state = 'suspended'",
        "UPDATE consent.agreement SET state = 'revoked'",
    ],
)
def test_a_release_that_does_not_run_reads_nothing(city, change):
    """Because it ended, or the agreement is not in force."""
    city.admin.execute(change)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not read"):
        city.read([city.ids[0]])


def test_a_release_nobody_knows_reads_nothing(city):
    """Without a line that says who wants what."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not read"):
        city.read([city.ids[0]], release_id=UUID(int=9))


def test_an_agreement_that_ran_out_reads_nothing(vault, server):
    """By the clock of the database, at that moment."""
    past = Interval(START - timedelta(days=9), START - timedelta(days=1))
    with server.connect(database_of(vault), autocommit=False) as admin:
        deal = stage.register(stage.agreement(valid=past))
        store(admin.cursor(), deal, [], described=DESCRIBED)
    with vault.connect("deep_release") as connection:
        connection.execute(
            "INSERT INTO release.release (release_id, mode, dataset_id, agreement_id, receiver, purpose,"
            " user_id, fields, format) VALUES (%s, 'consent', 'vitals', 'deal', 'north', 'diabetes',"
            " 'doctor', '{heart}', 'csv')",
            (UUID(int=1),),
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not read"):
            connection.execute("SELECT vault.release_chunk(%s, 0, '{}', '{}')", (UUID(int=1),))


def test_who_asks_for_their_own_data_reads_no_others(city):
    """Nor theirs together with others'."""
    own = city.begin(mode="self", agreement_id=None, receiver=None, purpose=None,
                     user_id=str(city.ids[0]))  # fmt: skip
    for subjects in ([city.ids[1]], [city.ids[0], city.ids[1]], []):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not read"):
            city.read(subjects, release_id=own)
    with city.release.transaction():
        assert len(city.read([city.ids[0]], release_id=own)) == 2
        city.log()


def test_one_release_at_a_time(city):
    """Of one person under one agreement; when it has ended, the next may begin."""
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_at_a_time"):
        city.begin()
    city.begin(user_id="nurse")
    end = "UPDATE release.release SET state = 'completed' WHERE release_id = %s"
    city.release.execute(end, (city.release_id,))
    city.begin()
    with pytest.raises(psycopg.errors.RestrictViolation, match="completed already"):
        city.release.execute(end, (city.release_id,))


def test_not_even_the_owner_sees_a_block_of_whom_nobody_recorded(city):
    """Row security binds the role as which the function runs; only a superuser passes."""
    city.admin.execute("SET ROLE deep_owner")
    count = "SELECT count(*) FROM vault.block"
    assert city.admin.execute(count).fetchone() == (0,)
    with city.release.transaction():
        city.read([city.ids[0]])
        city.log()
    assert city.admin.execute(count).fetchone() == (0,)
    with city.admin.transaction():
        statement = "INSERT INTO release.person (release_id, chunk, subject_id) VALUES (%s, 9, %s)"
        city.admin.execute(statement, (city.release_id, city.ids[0]))
        assert city.admin.execute(count).fetchone() == (2,)
        city.admin.execute("DELETE FROM release.person WHERE chunk = 9")
    city.admin.execute("RESET ROLE")
    assert city.admin.execute(count).fetchone() == (16,)


def test_intake_adds_blocks_and_reads_none(city):
    """It sees which part of a day comes next."""
    query = "SELECT max(part) FROM vault.block WHERE dataset_id = 'vitals' AND subject_id = %s"
    assert city.ingest.execute(query, (city.ids[0],)).fetchone() == (0,)
    for statement in ("SELECT sealed FROM vault.block", "DELETE FROM vault.block",
                      "UPDATE vault.block SET part = 1"):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            city.ingest.execute(statement)
    with pytest.raises(psycopg.errors.UniqueViolation):
        city.bring(city.ids[0], 0)


def test_what_is_agreed_does_not_change(city):
    """Neither fields nor purpose, once it is submitted; budget and dates neither."""
    for change in ("fields = '{steps}'", "purpose = 'snow'", "budget_persons = 5",
                   "valid = '[,)', requester = 'nurse'"):  # fmt: skip
        with pytest.raises(psycopg.errors.RestrictViolation, match="keeps its terms"):
            city.steward.execute(f"UPDATE consent.agreement SET {change}")
    city.steward.execute("UPDATE consent.agreement SET state = 'suspended'")
    row = {"agreement_id": "new", "recipient_id": "north", "dataset_id": "vitals",
           "purpose": "diabetes", "fields": ["heart"], "terms_id": "terms-1", "valid": "[,)",
           "requester": "doctor", "state": "draft"}  # fmt: skip
    with city.admin.cursor() as cursor:
        insert(cursor, "agreement", [row])
    city.steward.execute("UPDATE consent.agreement SET purpose = 'snow' WHERE agreement_id = 'new'")
