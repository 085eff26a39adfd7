"""The demonstration city's library answers as real ones do, well and badly."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import requests

from harvesters import fetch as fetching
from harvesters import report, validate
from harvesters.city import load_city
from harvesters.errors import HarvestError, NotTheListError, SourceFailedError, TruncatedError
from harvesters.library import pages
from harvesters.sources import library, library_seats

from .conftest import alone

OAI = "/library/oai"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The demonstration city has nobody else to serve."""
    monkeypatch.setattr(pages, "PAUSE_S", 0)


def package(source, address):
    """What a source makes of the demonstration city, and its complete report."""
    city = load_city("aizuwakamatsu", address)
    feed = city.feeds[source.name]
    with fetching.polite_session("", retries=0) as session:
        snapshot = source.fetch(feed, session, None, lambda done, total: None)
    made = source.normalise(snapshot, feed, city, alone)
    return made, report.complete(validate.validate(made, feed, city).report, made)


def test_the_catalogue_is_read_without_a_finding(demo_city):
    """Some three thousand books with readings; a few are deleted."""
    made, told = package(library, demo_city)
    assert told["aizu"]["findings"] == []
    frame = made.tables[0].frame
    assert frame.height == 2988
    assert frame["タイトルヨミ"].eq("").sum() == 0
    assert frame.filter(frame["ISBN"] != "")["ISBN"].str.contains(r"^9784999[0-9]{6}$").all()
    assert made.notes[0].ja == "削除された書誌 12 件は表にありません。"


def test_the_other_format_has_the_same_books(demo_city):
    """In plain Dublin Core readings and class marks are missing."""
    city = load_city("aizuwakamatsu", demo_city)
    feed = replace(city.feeds["library"], url=f"{demo_city}{OAI}?metadataPrefix=oai_dc&set=local")
    with fetching.polite_session("") as session:
        snapshot = library.fetch(feed, session, None, lambda done, total: None)
    (table,) = library.normalise(snapshot, feed, city, alone).tables
    assert 200 < table.frame.height < 400
    assert set(table.frame["タイトルヨミ"]) == {""}


@pytest.mark.parametrize("source", [library_seats], ids=["seats"])
def test_the_seats_are_read_without_a_finding(demo_city, source):
    """Rooms of three libraries, never more free seats than there are."""
    made, told = package(source, demo_city)
    assert told["aizu"]["findings"] == []
    frame = made.tables[0].frame
    assert frame["図書館"].n_unique() == 3
    assert frame["観測日時"].str.ends_with("Z").all()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("verb=Identify", "<deletedRecord>persistent</deletedRecord>"),
        ("verb=ListMetadataFormats", "dcndl_simple"),
        ("verb=ListSets", "<setSpec>local</setSpec>"),
        ("verb=ListIdentifiers&metadataPrefix=oai_dc", "<header"),
        (
            "verb=GetRecord&metadataPrefix=oai_dc&identifier="
            "oai:library.aizuwakamatsu.example.jp:0000001",
            "<dc:title>",
        ),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=x", "idDoesNotExist"),
        ("verb=ListRecords&metadataPrefix=mods", "cannotDisseminateFormat"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2030-01-01", "noRecordsMatch"),
        ("verb=ListRecords&resumptionToken=x", "badResumptionToken"),
        ("verb=Dance", "badVerb"),
    ],
)
def test_every_verb_is_answered(demo_city, query, said):
    """As the protocol wants it."""
    assert said in requests.get(f"{demo_city}{OAI}?{query}", timeout=10).text


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("html", NotTheListError),
        ("encoding", NotTheListError),
        ("truncated", TruncatedError),
        ("500", SourceFailedError),
        ("token-expired", SourceFailedError),
        ("token-loop", SourceFailedError),
    ],
)
def test_every_fault_of_the_catalogue_is_noticed(demo_city, fault, kind):
    """And said in both languages."""
    with pytest.raises(kind) as caught:
        package(library, f"{demo_city}/fault/{fault}")
    assert all(caught.value.words)


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("late", "time-too-old"),
        ("clock-skew", "time-in-future"),
        ("html", None),
    ],
)
def test_every_fault_of_the_seats_is_noticed(demo_city, fault, rule):
    """Wrong clocks are told room by room; what is no JSON is refused."""
    address = f"{demo_city}/fault/{fault}"
    if rule is None:
        with pytest.raises(HarvestError):
            package(library_seats, address)
        return
    _, told = package(library_seats, address)
    assert {one["rule"] for one in told["aizu"]["findings"]} == {rule}
    assert len(told["aizu"]["findings"]) == 7


def test_the_seats_move_through_the_day():
    """Full in the afternoon, empty and closed at night."""
    import sys
    from datetime import UTC, datetime

    from .conftest import ROOT

    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from demo_city import library_seats as demo
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    afternoon, night = (
        json.loads(demo.seats(datetime(2026, 11, 22, hour, tzinfo=UTC))) for hour in (7, 15)
    )
    free = [
        sum(room["seats"]["available"] for one in told["libraries"] for room in one["rooms"])
        for told in (afternoon, night)
    ]
    assert free[0] < free[1] / 2
    assert [one["open"] for one in night["libraries"]] == [False] * 3
    assert SimpleNamespace(**afternoon).updatedAt.endswith("+09:00")
