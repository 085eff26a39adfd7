"""What the tests of releases share: data of the small city's people, and what a recipient gets of it."""

import csv
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import polars as pl
import pytest

from aizu_vault.agreements import State
from aizu_vault.consent import Subject
from aizu_vault.intake import ingest
from aizu_vault.log.bundles import own_entries
from aizu_vault.refusals import StoppedError
from aizu_vault.register_agreements import approve_agreement, draft_agreement, turn_agreement
from aizu_vault.release import Release
from aizu_vault.subjects import enrol
from aizu_vault.wishes import OwnWish, Wish
from tests.unit.gate.stage import agreement

from .city import BORN, PEOPLE, yes

DAY = datetime(2026, 6, 1, tzinfo=UTC)
WISH = {"agreement": "deal", "purpose": "diabetes"}
HEAD = b"person,time,heart,steps\n"


def measured(people=PEOPLE, days=2, each=3, step=timedelta(hours=1)):
    """Rows of these people: their heart tells whose they are."""
    rows = [
        (str(one), DAY + timedelta(days=day) + hour * step, 60 + PEOPLE.index(one), hour)
        for one in people
        for day in range(days)
        for hour in range(each)
    ]
    names = ["subject", "time", "heart", "steps"]
    return pl.DataFrame(rows, schema=names, orient="row")


def bring(city, **changes):
    """Data about everybody, and everybody's consent but the last one's."""
    ingest(city.vault, "vitals", measured(**changes))
    city.record_all(*[(one, yes(one)) for one in PEOPLE[:-1]])


def crowd(city, many, days=1, each=3, step=timedelta(hours=1)):
    """So many people with data and consent, whose heart is their number."""
    people = [UUID(int=10_000 + number) for number in range(many)]
    subjects = [Subject(subject_id=one, birth_date=BORN) for one in people]
    enrol(city.steward, city.keys, subjects)
    city.record_all(*[(one, yes(one)) for one in people])
    lines = measured(PEOPLE[:1], days, each, step)
    rows = [
        lines.with_columns(subject=pl.lit(str(one)), heart=pl.lit(number))
        for number, one in enumerate(people)
    ]
    ingest(city.vault, "vitals", pl.concat(rows))
    return people


@contextmanager
def beside(city, function):
    """Runs in another thread, and goes on when that has ended or waits for a lock."""
    waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with ThreadPoolExecutor(1) as pool:
        before = city.release.execute(waits).rowcount
        future = pool.submit(function)
        while not future.done() and city.release.execute(waits).rowcount <= before:
            time.sleep(0.005)
        yield future
        future.result()


def begin(city, user="doctor", **changes):
    """A release under the agreement with the northern hospital."""
    return Release.begin(city.vault, user, Wish(**WISH | changes))


def release(city, **changes):
    """Everything that goes."""
    going = begin(city, **changes)
    try:
        return b"".join(going)
    finally:
        going.close()


def until_it_stops(going):
    """What goes of a release that does not come to its end, and why it does not."""
    pieces = []
    with pytest.raises(StoppedError) as stopped:
        for piece in going:
            pieces.append(piece)
    going.close()
    return b"".join(pieces), stopped.value.reason


def own(city, subject, **changes):
    """What a person gets of their own data."""
    going = Release.begin(city.vault, str(subject), OwnWish(**{"dataset": "vitals"} | changes))
    try:
        return table(b"".join(going))
    finally:
        going.close()


def table(text):
    """CSV as rows."""
    return list(csv.DictReader(io.StringIO(text.decode())))


def whose(rows):
    """To whom rows belong, by their heart."""
    return {PEOPLE[int(row["heart"]) - 60] for row in rows}


def agree(city, name, budget=None, **changes):
    """One more agreement with the northern hospital."""
    draft_agreement(city.steward, agreement(name, **changes), budget, by="clerk")
    turn_agreement(city.steward, name, State.SUBMITTED, by="doctor")
    approve_agreement(city.steward, name, by="mayor")
    approve_agreement(city.steward, name, by="officer")
    turn_agreement(city.steward, name, State.ACTIVE, by="clerk")


def read(city, subject):
    """What a person reads in the log about releases."""
    key = city.keys.read([subject])[subject].log
    with city.vault.connect("deep_audit") as audit:
        entries = [(json.loads(one.leaf.body), one) for one in own_entries(audit, subject, key)]
    return [json.loads(one.content) for body, one in entries if body["kind"] == "release"]


def logged(city):
    """How many rows of whom the log says went in the newest release."""
    rows = city.release.execute(
        "SELECT subject_id, sum(rows) FROM release.person WHERE release_id ="
        " (SELECT release_id FROM release.release ORDER BY requested_at DESC LIMIT 1) GROUP BY 1"
    )
    return dict(rows.fetchall())


def released(city):
    """The newest release as the database has it: state, reason, persons, rows, bytes."""
    query = (
        "SELECT state, reason, persons, rows, bytes FROM release.release"
        " ORDER BY requested_at DESC LIMIT 1"
    )
    return city.release.execute(query).fetchone()
