"""What has not changed is not read, judged and sent again, and nothing else is taken for unchanged."""

import json
from dataclasses import replace
from datetime import datetime

import pytest

from harvesters import fetch, fingerprint, jobs, keep, pipeline, settings, several, unchanged
from harvesters.errors import InvalidTableError
from harvesters.schedule import JST
from harvesters.words import Words

from .conftest import as_csv, numbered, snapshot_of

NAME = "aizuwakamatsu-hydrant"


@pytest.fixture
def job(settings_env, demo_city, portal):
    """The hydrants of the demonstration city, with the stand-in portal."""
    settings_env.setenv("AIZU_CITY_URL", demo_city)
    settings_env.setenv("AIZU_PORTAL_URL", portal.url)
    settings_env.setenv("AIZU_API_TOKEN", "secret")
    return one("hydrant")


def one(source):
    """The job of a source, as a new run has it."""
    return jobs.of_city(
        settings.read(), "aizuwakamatsu", [source], lambda *_: None, lambda *_: None
    )[0]


def knows(portal, *fingerprints):
    """Has the stand-in portal answer that it has what gives these fingerprints, and nothing else."""

    def answer(parts):
        known = {
            check["name"]: {"id": "1", "version": 3, "rows": 1486}
            for check in parts["checks"]
            if check["fingerprint"] in fingerprints
        }
        return 200, {"success": True, "result": known}

    portal.answers["aizu_harvest_unchanged"] = answer


def actions(portal):
    """What the portal was called for since the last look."""
    found = [call[0] for call in portal.calls]
    portal.calls.clear()
    return found


def sent_fingerprint(portal):
    """The one that came with the last publication."""
    return json.loads(portal.calls[-1][2]["source"])["fingerprint"]


def test_what_the_portal_has_is_not_sent_again(job, portal):
    """The second run is one question to the city and one to the portal; nothing is read or judged."""
    pipeline.run(job)
    knows(portal, sent_fingerprint(portal))
    actions(portal)
    steps = []
    again = pipeline.run(replace(job, tell=lambda step, _: steps.append(step)))
    assert actions(portal) == ["aizu_harvest_unchanged"]
    assert steps == ["fetch", "publish"]
    assert (again.changed, again.rows) == (False, 1486)
    status = job.folder.status()
    assert status["state"] == "unchanged"
    assert status["last_good"] == status["checked_at"]


def test_a_portal_that_has_something_else_is_sent_all(job, portal):
    """Undone, restored from a backup, set up anew: it says no, and the run goes on."""
    pipeline.run(job)
    actions(portal)
    pipeline.run(job)
    assert actions(portal) == ["aizu_harvest_unchanged", "aizu_publish"]


@pytest.mark.parametrize("lost", ["snapshot.json", "snapshots"])
def test_a_snapshot_that_is_lost_is_fetched_and_still_not_sent(job, portal, lost):
    """The same bytes are the same, wherever they were kept."""
    pipeline.run(job)
    knows(portal, sent_fingerprint(portal))
    for path in [job.folder.path / lost]:
        for file in [path] if path.is_file() else path.iterdir():
            file.write_bytes(file.read_bytes()[:-7])
    actions(portal)
    pipeline.run(job)
    assert actions(portal) == ["aizu_harvest_unchanged"]


def test_what_was_refused_is_refused_again_with_the_same_words(job, portal, tmp_path):
    """An invalid list that has not changed is not fine."""
    pipeline.run(job)
    knows(portal, sent_fingerprint(portal))
    bad = tmp_path / "bad.csv"
    bad.write_bytes(as_csv([{"緯度": "35.0"}, *numbered(1200)]))
    said = []
    for _ in range(2):
        with pytest.raises(InvalidTableError) as caught:
            pipeline.run(job, bad)
        said.append(caught.value.words)
        assert job.folder.status()["state"] == "failed"
    assert said[0] == said[1]
    assert actions(portal).count("aizu_harvest_status") == 2
    pipeline.run(job)
    assert actions(portal) == ["aizu_harvest_unchanged"]
    assert job.folder.status()["state"] == "unchanged"


@pytest.mark.parametrize("kind", ["city", "descriptor", "program", "bytes", "name", "address"])
def test_whatever_the_result_follows_from_is_in_the_fingerprint(monkeypatch, job, kind):
    """A change of any of it is a reason to make the dataset anew."""
    snapshot = snapshot_of(b"a,b\n1,2\n")
    before = fingerprint.of(job, snapshot)
    feed = job.feed
    if kind == "city":
        job = replace(job, city=replace(job.city, bbox=replace(job.city.bbox, north=38.0)))
    if kind == "descriptor":
        title = Words("別の題名", "Another title")
        job = replace(job, feed=replace(feed, dataset=replace(feed.dataset, title=title)))
    if kind == "program":
        monkeypatch.setattr(fingerprint, "program", lambda: "the next version")
    changes = {"bytes": {"content": b"a"}, "name": {"filename": "b"}, "address": {"url": "c"}}
    snapshot = replace(snapshot, **changes.get(kind, {}))
    assert fingerprint.of(job, snapshot) != before


def test_an_update_of_the_program_is_seen(monkeypatch, tmp_path):
    """One changed file, or another version of what it works with."""
    (tmp_path / "a.py").write_text("1")
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path)
    found = set()
    for text in ("1", "2"):
        (tmp_path / "a.py").write_text(text)
        fingerprint.program.cache_clear()
        found.add(fingerprint.program())
    monkeypatch.setattr(fingerprint.metadata, "version", lambda name: "9999")
    fingerprint.program.cache_clear()
    found.add(fingerprint.program())
    fingerprint.program.cache_clear()
    assert len(found) == 3


@pytest.mark.usefixtures("job")
def test_a_timetable_that_comes_makes_the_buses_new():
    """Positions are looked up in it; what a run has looked at once stays the same for all of it."""
    snapshot = snapshot_of(b"positions")
    alone, during = (one("bus-live") for _ in range(2))
    before = fingerprint.of(during, snapshot)
    one("bus").folder.keep_snapshot(snapshot_of(b"timetable"))
    assert fingerprint.of(during, snapshot) == before
    assert during.beside("bus") is None
    assert fingerprint.of(alone, snapshot) != before


@pytest.mark.parametrize(
    ("moment", "timeless"), [("2026-11-01T09:00:00+09:00", True), ("%H:%M", False), ("", False)]
)
@pytest.mark.usefixtures("job")
def test_figures_of_the_moment_are_never_unchanged(portal, tmp_path, moment, timeless):
    """Seats without a time, or with a time of day alone, are those of the moment of asking."""
    # A time of day that is yet to come would be a wrong clock.
    moment = datetime.now(JST).strftime(moment)
    lines = ["図書館名,部屋,座席数,空席数,観測日時"]
    lines += [f"中央図書館,第{room}閲覧室,20,5,{moment}" for room in range(6)]
    file = tmp_path / "seats.csv"
    file.write_text("\r\n".join(lines) + "\r\n")
    pipeline.run(one("library-seats"), file)
    assert bool(sent_fingerprint(portal)) == timeless


class Answers:
    """A server's answers by address, which counts what it was asked for and how."""

    def __init__(self, files):
        self.files, self.asked = files, []

    def __call__(self, handler):
        self.asked.append((handler.path, dict(handler.headers)))
        content, tag = self.files[handler.path]
        same = tag and handler.headers["If-None-Match"] == tag
        handler.send_response(304 if same else 200)
        if tag:
            handler.send_header("ETag", tag)
        handler.send_header("Content-Length", str(0 if same else len(content)))
        handler.end_headers()
        handler.wfile.write(b"" if same else content)


def test_each_of_several_addresses_is_asked_conditionally(server):
    """One that has changed is fetched, another comes from what was kept, a third has no tag."""
    server.respond = answers = Answers(
        {"/a.pb": (b"1", 'W/"1"'), "/b.pb": (b"2", '"2"'), "/c.pb": (b"3", "")}
    )
    addresses = {name: f"{server.url}/{name}.pb" for name in "abc"}
    with fetch.polite_session("", retries=0) as session:

        def get(known):
            answers.asked.clear()
            return several.get_all(addresses, "all.zip", session, known, lambda *_: None)

        first = get(None)
        assert get(first).content == first.content
        conditions = {path: asked.get("If-None-Match") for path, asked in answers.asked}
        assert conditions == {"/a.pb": 'W/"1"', "/b.pb": '"2"', "/c.pb": None}
        answers.files["/b.pb"] = (b"new", '"3"')
        third = get(get(first))
    assert third.content != first.content
    assert third.sha256 == replace(third).sha256
    assert len(answers.asked) == 3


def test_what_several_addresses_told_is_kept(server, tmp_path):
    """The next run, in another process, asks each of them conditionally, too."""
    server.respond = answers = Answers({"/a.pb": (b"1", '"1"'), "/b.pb": (b"2", '"2"')})
    addresses = {name: f"{server.url}/{name}.pb" for name in "ab"}
    folder = keep.Folder(path=tmp_path)
    with fetch.polite_session("", retries=0) as session:
        for _ in range(2):
            answers.asked.clear()
            known = folder.last_snapshot()
            came = several.get_all(addresses, "all.zip", session, known, lambda *_: None)
            folder.keep_snapshot(came)
    assert {asked.get("If-None-Match") for _, asked in answers.asked} == {'"1"', '"2"'}


def test_many_are_asked_for_by_one_call(job, portal):
    """Those that the portal has otherwise come back, to be run anew."""
    others = [
        replace(
            job, city=replace(job.city, id=city), folder=keep.folder(job.settings.var, city, "h")
        )
        for city in ("first", "second", "third")
    ]
    made = []
    for other in others:
        pipeline.run(other)
        made.append(sent_fingerprint(portal))
    actions(portal)
    together = unchanged.Together()
    for other in others:
        assert not pipeline.run(replace(other, ask=together.ask)).changed
    assert actions(portal) == []
    knows(portal, *made[:2])
    assert [late.city.id for late in together.tell()] == ["third"]
    ((_, _, sent),) = portal.calls
    assert [check["name"] for check in sent["checks"]] == [
        "first-hydrant", "second-hydrant", "third-hydrant"
    ]  # fmt: skip


def test_what_failed_last_is_asked_for_at_once(job, portal, tmp_path):
    """Nothing is taken for granted after a failure, and nothing is told in the end."""
    pipeline.run(job)
    bad = tmp_path / "bad.csv"
    bad.write_bytes(as_csv([]))
    with pytest.raises(Exception, match="row"):
        pipeline.run(job, bad)
    actions(portal)
    together = unchanged.Together()
    pipeline.run(replace(job, ask=together.ask))
    assert actions(portal) == ["aizu_harvest_unchanged", "aizu_publish"]
    assert together.tell() == []
    assert actions(portal) == []
