"""Rows leave by consent alone, logged before they go, under names that fit nowhere else."""

import json
from datetime import timedelta

import polars as pl
import pytest

from aizu_vault.agreements import RowOwners
from aizu_vault.households import set_households
from aizu_vault.intake import ingest
from aizu_vault.interval import Interval
from aizu_vault.log.verify import verify_log
from aizu_vault.refusals import BudgetError, BusyError, RefusedError, WishError
from aizu_vault.register import put_dataset
from aizu_vault.stored_register import Budget
from tests.unit.gate.stage import dataset

from .city import PEOPLE, described, no, yes
from .releases import (
    DAY,
    agree,
    begin,
    bring,
    measured,
    own,
    read,
    release,
    released,
    table,
    until_it_stops,
    whose,
)

ONE, TWO, THREE, FOUR, FIVE = PEOPLE
JST_DAY = "2026-06-01T09:00:00+09:00"


def test_rows_of_those_who_consent_go(city):
    """All of theirs; nobody else shows in any way, and nobody's id."""
    bring(city)
    text = release(city)
    rows = table(text)
    assert list(rows[0]) == ["person", "time", "heart", "steps"]
    assert len(rows) == 4 * 6
    assert whose(rows) == {ONE, TWO, THREE, FOUR}
    assert not any(str(one).encode() in text or one.hex.encode() in text for one in PEOPLE)
    assert [row["time"] for row in rows[:3]] == [
        JST_DAY, "2026-06-01T10:00:00+09:00", "2026-06-01T11:00:00+09:00"
    ]  # fmt: skip
    assert released(city) == (
        "completed",
        None,
        4,
        24,
        len(text) - len("person,time,heart,steps\n"),
    )


def test_json_lines_say_the_same(city):
    """Row by row, with numbers as numbers."""
    bring(city)
    lines = [json.loads(line) for line in release(city, format="jsonl").splitlines()]
    assert [{name: str(value) for name, value in line.items()} for line in lines] == table(
        release(city)
    )


def test_if_nobody_consents_there_is_an_empty_table(city):
    """The same as for a dataset without anybody."""
    ingest(city.vault, "vitals", measured())
    assert release(city) == b"person,time,heart,steps\n"
    assert release(city, format="jsonl") == b""
    assert released(city) == ("completed", None, 0, 0, 0)


def test_each_field_goes_by_its_own_consent(city):
    """What did not go is as empty as what nobody measured; a row of which nothing goes is not there."""
    ingest(city.vault, "vitals", measured([ONE, TWO, THREE]))
    second_day = Interval(DAY + timedelta(days=1), None)
    city.record(ONE, yes(ONE, fields=frozenset({"heart"})))
    city.record(TWO, yes(TWO, fields=frozenset({"heart"})))
    city.record(TWO, yes(TWO, "steps", fields=frozenset({"steps"}), window=second_day))
    city.record(THREE, yes(THREE, window=Interval(None, DAY + timedelta(hours=1))))
    rows = table(release(city))
    mine = {one: [row for row in rows if whose([row]) == {one}] for one in (ONE, TWO, THREE)}
    assert {row["steps"] for row in mine[ONE]} == {""}
    assert [row["steps"] for row in mine[TWO]] == ["", "", "", "0", "1", "2"]
    assert [row["time"] for row in mine[THREE]] == [JST_DAY]
    assert table(release(city, fields=frozenset({"steps", "time"}))) == [
        {"person": row["person"], "time": row["time"], "steps": row["steps"]}
        for row in rows
        if row["steps"]
    ]


def test_a_row_without_any_of_the_fields_does_not_go(city):
    """That there is one would tell when something else was measured, to which nobody agreed."""
    lines = [(str(ONE), DAY, 60, 1), (str(ONE), DAY + timedelta(minutes=7), 99, None)]
    names = ["subject", "time", "heart", "steps"]
    ingest(city.vault, "vitals", pl.DataFrame(lines, names, orient="row"))
    city.record(ONE, yes(ONE, fields=frozenset({"steps"})))
    for fields in (None, frozenset({"steps"})):
        (row,) = table(release(city, fields=fields))
        assert row["time"] == JST_DAY


def test_pseudonyms_belong_to_one_agreement_and_order_the_rows(city):
    """The same in each release under it, and others under another; places say nothing."""
    bring(city)
    agree(city, "second")
    first, again = table(release(city)), table(release(city))
    second = table(release(city, agreement="second"))
    names = [row["person"] for row in first]
    assert names == sorted(names)
    assert first == again
    assert len({row["person"] for row in second}) == 4
    assert not {row["person"] for row in second} & set(names)


def test_everybody_reads_what_went_and_nobody_else_does(city):
    """An entry for each person of whom something was read, and the log holds."""
    bring(city)
    city.record(TWO, yes(TWO, "again", fields=frozenset({"heart"})))
    city.record(THREE, no(THREE, fields=frozenset({"steps"})))
    release(city, fields=frozenset({"heart"}))
    (entry,) = read(city, ONE)
    assert entry["rows"] == 6
    assert entry["fields"] == ["heart"]
    assert (entry["first"], entry["last"]) == (
        "2026-06-01T00:00:00.000000Z", "2026-06-02T02:00:00.000000Z"
    )  # fmt: skip
    assert entry["dataset"] == "vitals"
    assert read(city, FIVE) == []
    lines = "SELECT subject_id, rows, handed_over_at FROM release.person ORDER BY 1"
    found = city.release.execute(lines).fetchall()
    assert [(one, count) for one, count, _ in found] == [(one, 6) for one in PEOPLE[:4]]
    assert all(at is not None for *_, at in found)
    city.vault.signer.sign_head(city.connect("deep_signer"))
    audit = verify_log(city.connect("deep_audit"), city.vault.signer.trusted)
    assert audit.findings == ()


def test_a_second_release_waits_for_the_first_one_to_end(city):
    """Of the same user under the same agreement; what was begun and closed is over."""
    bring(city)
    going = begin(city)
    with pytest.raises(BusyError):
        begin(city)
    next(iter(going))
    going.close()
    going.close()
    assert released(city)[:2] == ("stopped", "connection")
    assert len(table(release(city))) == 24


def test_a_release_that_goes_on_begins_behind_what_was_handed_over(city):
    """Only for who began it, and by what everybody says now."""
    ingest(city.vault, "vitals", measured(days=2, each=4_000, step=timedelta(seconds=1)))
    city.record_all(*[(one, yes(one)) for one in PEOPLE])
    going = begin(city)
    pieces = iter(going)
    first = next(pieces) + next(pieces)
    next(pieces)
    going.close()
    gone = {row["person"] for row in table(first)}
    assert len(table(first)) == 8_000
    with pytest.raises(RefusedError):
        begin(city, user="stranger", resume=going.release_id)
    rest = table(release(city, resume=going.release_id))
    assert len(rest) == 4 * 8_000
    assert not {row["person"] for row in rest} & gone
    again = table(release(city, resume=going.release_id, after=bytes(16)))
    assert len(again) == 5 * 8_000
    last = max(row["person"] for row in again)
    assert table(release(city, resume=going.release_id, after=bytes.fromhex(last))) == []
    with pytest.raises(WishError, match="the fields, filters and format of the earlier"):
        begin(city, resume=going.release_id, format="jsonl")
    for one in PEOPLE:
        city.record(one, no(one))
    assert table(release(city, resume=going.release_id)) == []


def test_a_release_goes_on_in_the_middle_of_a_person(city):
    """Whose data is too much for one piece."""
    ingest(city.vault, "vitals", measured([ONE], days=3, each=5_000, step=timedelta(seconds=1)))
    city.record(ONE, yes(ONE))
    going = begin(city)
    pieces = iter(going)
    first = table(next(pieces))
    next(pieces)
    going.close()
    rest = table(release(city, resume=going.release_id))
    times = [row["time"] for row in first + rest]
    assert len(first) == 5_000
    assert len(times) == len(set(times)) == 15_000


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"fields": frozenset({"heart", "name"})}, "expected some of heart, steps, and not name"),
        ({"fields": frozenset({"time"})}, "expected some of heart, steps"),
        ({"where": {"name": ["x"]}}, "expected one of the released time, heart, steps"),
        ({"where": {"subject_id": ["x' OR 1=1"]}}, "filter on \"subject_id\""),
        ({"fields": frozenset({"heart"}), "where": {"steps": [1]}}, "released time, heart"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told(city, wish, told):
    """Before anything goes, and only to who may ask at all."""
    with pytest.raises(WishError, match=told):
        begin(city, **wish)
    with pytest.raises(RefusedError):
        begin(city, user="stranger", **wish)
    assert city.release.execute("SELECT count(*) FROM release.release").fetchone() == (0,)


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"agreement": "nothing"}, "unknown"),
        ({"agreement": "deal' OR '1'='1"}, "unknown"),
        ({"user": "stranger"}, "recipient"),
        ({"purpose": "stroke"}, "purpose"),
        ({"purpose": "research"}, "purpose"),
        ({"receiver": "south"}, "recipient"),
        ({"receiver": "nobody"}, "unknown"),
    ],
)
def test_who_may_not_ask_is_refused(city, wish, reason):
    """With a reason for the vault's own use."""
    with pytest.raises(RefusedError) as refused:
        begin(city, **wish)
    assert refused.value.reason == reason


def test_the_budget_of_a_day_stops_a_release(city):
    """Exactly at the row, and tomorrow there is a new one."""
    bring(city)
    agree(city, "few", Budget(rows_per_day=10))
    text, reason = until_it_stops(begin(city, agreement="few"))
    assert (len(table(text)), reason) == (10, "budget")
    assert released(city)[:4] == ("stopped", "budget", 2, 10)
    with pytest.raises(BudgetError):
        begin(city, agreement="few")
    admin = city.admin()
    admin.execute("SET session_replication_role = replica")
    admin.execute("UPDATE release.release SET requested_at = requested_at - interval '24 hours'")
    begin(city, agreement="few").close()


def test_a_release_over_midnight_gets_nothing_of_what_others_used_up(city):
    """What went on the next day counts as well; less than nothing is nothing, and not all but the last rows."""
    bring(city)
    agree(city, "few", Budget(rows_per_day=10))
    going = begin(city, agreement="few")
    city.admin().execute("UPDATE release.release SET rows = 22")
    text, reason = until_it_stops(going)
    assert (table(text), reason) == ([], "budget")


def test_so_many_persons_and_no_more(city):
    """Those who were met today count once."""
    bring(city)
    agree(city, "few", Budget(persons=2))
    for _ in range(2):
        text, reason = until_it_stops(begin(city, agreement="few"))
        rows = table(text)
        assert (len(rows), reason) == (12, "budget")
        assert len({row["person"] for row in rows}) == 2


def test_everybody_gets_their_own_data(city):
    """Whatever they said to others, without a pseudonym, and it is logged, too."""
    bring(city)
    city.record(ONE, no(ONE))
    rows = own(city, ONE)
    assert list(rows[0]) == ["time", "heart", "steps"]
    assert len(rows) == 6
    assert whose(rows) == {ONE}
    assert whose(own(city, FIVE, where={"heart": [64]})) == {FIVE}
    assert own(city, FIVE, where={"heart": [60]}) == []
    (entry,) = read(city, ONE)
    assert (entry["rows"], entry["fields"]) == (6, ["heart", "steps"])
    with pytest.raises(RefusedError):
        own(city, ONE, dataset="nothing")


def home(city, *residents):
    """The rows of the first are about all of them."""
    owners = dataset(row_owners=RowOwners.ALL_HOUSEHOLD)
    put_dataset(city.steward, described(owners), by="clerk")
    set_households(city.steward, city.keys, "vitals", {residents[0]: residents[1:]})


def test_rows_about_a_household_go_with_what_all_its_adults_permit(city):
    """Each of them reads of it; without one of them nothing goes, nor to one of them alone."""
    ingest(city.vault, "vitals", measured([ONE, FOUR]))
    home(city, ONE, TWO, THREE)
    for one in (ONE, TWO):
        city.record(one, yes(one))
    assert release(city) == b"person,time,heart,steps\n"
    city.record(THREE, yes(THREE, fields=frozenset({"heart"})))
    rows = table(release(city))
    assert len(rows) == 6
    assert {row["steps"] for row in rows} == {""}
    assert [read(city, one)[-1]["rows"] for one in (ONE, TWO, THREE)] == [6, 6, 6]
    assert own(city, ONE) == []
    assert len(own(city, FOUR)) == 6
    city.record(TWO, no(TWO))
    assert release(city) == b"person,time,heart,steps\n"


def test_columns_that_came_later_are_empty_before(city):
    """Blocks of all layouts go in one order."""
    ingest(city.vault, "vitals", measured([ONE, TWO], days=1))
    steps = dataset(fields=frozenset({"heart", "steps", "place"}))
    columns = {"time": "time", "place": "text", "heart": "number", "steps": "integer"}
    put_dataset(city.steward, described(steps, columns=columns), by="clerk")
    later = measured([ONE, TWO], days=2).with_columns(
        pl.lit('家、"home"\n2階').alias("place"), pl.col("heart") + 0.5
    )
    ingest(city.vault, "vitals", later)
    agree(city, "place", fields=frozenset({"heart", "place"}))
    for one in (ONE, TWO):
        city.record(one, yes(one, fields=frozenset({"heart", "place", "steps"})))
    rows = table(release(city, agreement="place"))
    assert list(rows[0]) == ["person", "time", "place", "heart"]
    for name in {row["person"] for row in rows}:
        mine = [row for row in rows if row["person"] == name]
        assert [row["place"] for row in mine] == [""] * 3 + ['家、"home"\n2階'] * 6
        assert {float(row["heart"]) % 1 for row in mine[3:]} == {0.5}
