"""Rows come into the vault as they were sent, encrypted, by person and day; what does not fit is refused whole."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from aizu_vault.blocks import Place, open_blocks
from aizu_vault.intake import IntakeError, Taken, ingest
from aizu_vault.register import put_dataset
from aizu_vault.stored_register import read_layouts
from aizu_vault.subjects import erase
from tests.unit.gate.stage import dataset

from .city import COLUMNS, PEOPLE, described

ONE, TWO, *_ = PEOPLE
# 23:00 of 31 March in Japan.
START = datetime(2026, 3, 31, 14, tzinfo=UTC)


def frame(*subjects, hours=3, **columns):
    """A row each hour about each of these persons."""
    times = [START + timedelta(hours=hour) for hour in range(hours)]
    made = {
        "subject": [str(one) for one in subjects for _ in times],
        "time": pl.Series(times * len(subjects), dtype=pl.Datetime("us", "UTC")),
        "heart": list(range(hours * len(subjects))),
        "steps": [None] * (hours * len(subjects)),
    }
    return pl.DataFrame(made | columns, schema_overrides={"steps": pl.Int64})


def stored(city, subject):
    """The rows of a person by day and part, as only a superuser with all keys has them."""
    found = city.admin().execute(
        "SELECT day, part, version, n_rows, t_min, t_max, sealed FROM vault.block"
        " WHERE subject_id = %s ORDER BY day, part", (subject,)
    ).fetchall()  # fmt: skip
    layouts, keys = read_layouts(city.steward, "vitals"), city.keys.read([subject])
    opened = {}
    for day, part, version, count, first, last, sealed in found:
        place = Place(person=subject, dataset="vitals", day=day, part=part, version=version)
        rows = open_blocks([(place, sealed)], layouts[version], keys).drop("block")
        assert (count, first, last) == (rows.height, rows["time"].min(), rows["time"].max())
        opened[day.day, part] = rows
    return opened


def test_rows_are_filed_by_person_and_day_in_japan(city):
    """In the order of time, whatever the order in which they came."""
    sent = frame(ONE, TWO)
    assert ingest(city.vault, "vitals", sent.reverse()) == Taken(rows=6, blocks=4, persons=2)
    found = stored(city, TWO)
    assert {place: rows.height for place, rows in found.items()} == {(31, 0): 1, (1, 0): 2}
    rows = pl.concat([found[31, 0], found[1, 0]])
    assert rows.equals(sent.filter(subject=str(TWO)).select([*COLUMNS]))


def test_late_rows_become_a_further_part(city):
    """What is there stays."""
    for hours in (3, 2, 3):
        ingest(city.vault, "vitals", frame(ONE, hours=hours))
    found = stored(city, ONE)
    heights = {place: rows.height for place, rows in found.items()}
    assert heights == {(31, 0): 1, (31, 1): 1, (31, 2): 1, (1, 0): 2, (1, 1): 1, (1, 2): 2}


def test_kinds_are_widened_and_not_altered(city):
    """Another zone, another width; a new layout takes its columns in any order."""
    wider = {"time": "time", "heart": "number", "note": "text"}
    changed = described(dataset(fields=frozenset({"heart", "note"})), columns=wider)
    put_dataset(city.steward, changed, by="clerk")
    sent = pl.DataFrame(
        {
            "note": ["熱がある", None],
            "heart": pl.Series([71, None], dtype=pl.UInt8),
            "time": pl.Series([START, START], dtype=pl.Datetime("ms", "UTC")).dt.convert_time_zone("Asia/Tokyo"),
            "subject": [str(ONE)] * 2,
        }
    )  # fmt: skip
    ingest(city.vault, "vitals", sent)
    (rows,) = stored(city, ONE).values()
    assert rows.rows() == [(START, 71.0, "熱がある"), (START, None, None)]
    assert rows["time"].dtype == pl.Datetime("us", "UTC")


def naive():
    return frame(ONE).with_columns(pl.col("time").dt.replace_time_zone(None))


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (frame(ONE).drop("heart"), "missing: heart; not known: none"),
        (frame(ONE, pulse=[1, 2, 3]), "missing: none; not known: pulse"),
        (naive(), "time: expected time with a time zone, and not Datetime"),
        (frame(ONE, heart=["a", "b", "c"]), "heart: expected integer, and not String"),
        (frame(ONE, heart=[1.0, 2.0, 3.0]), "heart: expected integer, and not Float64"),
        (frame(ONE, heart=pl.Series([1, 2, 2**63], dtype=pl.UInt64)), "row 3: heart is too large"),
        (frame(ONE, subject=[str(ONE), None, None]), r"row 2: subject is empty \(2 such rows\)"),
        (frame(ONE, subject=[1, 2, 3]), "subject: expected text, and not Int64"),
        (frame(ONE, subject=[str(ONE), "5", str(ONE)]), "row 2: subject is no id"),
        (frame(ONE, subject=[str(ONE), ONE.hex, str(ONE)]), "row 2: subject is no id"),
        (frame(ONE).clear(), "there are no rows"),
        (frame(ONE, time=pl.Series([START, None, START], dtype=pl.Datetime("us", "UTC"))), "row 2: time is empty"),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_are_refused(untouched, sent, told):
    """The message says what came and what was expected; nothing is left behind."""
    leaves = untouched.count("audit.log_leaf")
    with pytest.raises(IntakeError, match=told) as caught:
        ingest(untouched.vault, "vitals", sent)
    assert str(ONE) not in str(caught.value)
    assert untouched.admin().execute("SELECT count(*) FROM vault.block").fetchone() == (0,)
    assert untouched.count("audit.log_leaf") == leaves


def test_numbers_are_numbers(city):
    """Neither infinite nor undefined."""
    columns = COLUMNS | {"heart": "number"}
    put_dataset(city.steward, described(dataset(), columns=columns), by="clerk")
    for odd in (float("nan"), float("inf")):
        with pytest.raises(IntakeError, match="row 2: heart is no number"):
            ingest(city.vault, "vitals", frame(ONE, heart=[1.0, odd, None]))


def test_there_are_no_rows_about_strangers_and_erased_persons(city):
    """The line is told, not who it is; the rows of the others do not come in either."""
    erase(city.steward, city.keys, TWO)
    stranger = "00000000-0000-0000-0000-000000000099"
    with pytest.raises(IntakeError, match="2 of 3 persons .* the first stands in row 4") as caught:
        ingest(city.vault, "vitals", frame(ONE, TWO, stranger))
    assert stranger not in str(caught.value)
    assert stored(city, ONE) == {}


def test_an_unknown_dataset(untouched):
    """By its name."""
    with pytest.raises(IntakeError, match="no dataset 'vital'"):
        ingest(untouched.vault, "vital", frame(ONE))


def test_the_database_sees_ciphertext_only(city):
    """Of what was sent stands nothing in a dump."""
    columns = {"time": "time", "note": "text"}
    changed = described(dataset(fields=frozenset({"note"})), columns=columns)
    put_dataset(city.steward, changed, by="clerk")
    canary = "カナリア-4711"
    sent = frame(ONE, note=[canary] * 3).select("subject", "time", "note")
    ingest(city.vault, "vitals", sent)
    (sealed,) = city.admin().execute("SELECT string_agg(sealed, '') FROM vault.block").fetchone()
    assert canary.encode() not in sealed


def test_the_log_knows_that_something_came_in(city):
    """How many rows of what; about whom is nobody's business."""
    ingest(city.vault, "vitals", frame(ONE, TWO))
    words = "SELECT body FROM audit.log_leaf ORDER BY leaf_index DESC LIMIT 1"
    (body,) = city.admin().execute(words).fetchone()
    assert b'"facts":{"dataset":"vitals","rows":6},"kind":"intake"' in body


def test_many_days_come_in_pieces(city):
    """More than one statement takes; the parts stay together."""
    hours = 24 * 1200
    taken = ingest(city.vault, "vitals", frame(ONE, hours=hours))
    assert taken.blocks == 1201
    assert sum(rows.height for rows in stored_all(city)) == hours


def stored_all(city):
    found = city.admin().execute("SELECT day, sealed FROM vault.block ORDER BY day").fetchall()
    layout = read_layouts(city.steward, "vitals")[1]
    keys = city.keys.read([ONE])
    for day, sealed in found:
        place = Place(person=ONE, dataset="vitals", day=day, part=0, version=1)
        yield open_blocks([(place, sealed)], layout, keys)
