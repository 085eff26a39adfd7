"""Whatever is wrong with a source: good data stay, the message says which fault it is, and the page since when."""

import os
import re
from dataclasses import replace

import pytest

from harvesters import fetch, jobs, pipeline
from harvesters import settings as setting
from harvesters.errors import HarvestError

from .copies import eventually
from .leftovers import leftovers

SOURCES = ("hydrant", "bus", "library", "snowplow")
PATIENCE = (1.0, 1.0, 2.0)
"""Seconds: to connect, for each answer, for the whole file."""
ANY = {
    "empty": (1, "空|0 バイト", "empty|0 bytes"),
    "html": (1, "HTML", "HTML"),
    "another": (1, "", ""),
    "500": (3, "500", "500"),
    "silent": (3, "時間内に応答がありません", "no answer in time"),
    "slow": (3, "時間内に応答がありません", "no answer in time"),
    "drip": (3, "遅すぎる", "too slowly"),
    "redirect-loop": (3, "転送|リダイレクト", "redirect"),
    "truncated": (1, "途中で切れました", "broke off"),
    "short": (1, "", ""),
    "reset": (1, "途中で切れました", "broke off"),
    **{f"cut-{share}": (1, "", "") for share in range(10, 100, 10)},
}
LIST = {
    "header-only": (1, "行|空", "row|empty"),
    "duplicated": (1, "重複|同じ", "same|duplicate"),
    "fewer": (1, "削除", "removed"),
    "missing-column": (1, "経度", "経度"),
    "encoding": (1, "文字コード", "encoding"),
}
LONG = {
    # The library asks a repository that is silent again after a while.
    ("library", "silent"),
    # These fetch as the hydrants do.
    *(
        (s, fault)
        for s in ("bus", "snowplow")
        for fault in ("silent", "slow", "drip", "redirect-loop")
    ),
    *((s, f"cut-{n}") for s in SOURCES for n in range(10, 100, 10) if n != 50),
}
CASES = [
    (source, fault, *told)
    for source in SOURCES
    for fault, told in ANY.items()
    if os.environ.get("AIZU_TEST_ALL") or (source, fault) not in LONG
]
CASES += [("hydrant", fault, *told) for fault, told in LIST.items()]


@pytest.fixture(scope="module")
def sound(portal, tmp_path_factory):
    """What readers have of each source; nobody else harvests them meanwhile."""
    for source in SOURCES:
        portal.aizu("pause", source, "--reason", "試験")
    own = setting.read({"AIZU_VAR": str(portal.var)})
    own = replace(own, redis_url="", var=tmp_path_factory.mktemp("harvest"))
    for source in SOURCES:
        pipeline.run(job(own, portal.city_url, source))
    yield own
    for source in SOURCES[1:]:
        portal.aizu("resume", source)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Time-outs of seconds, and no second try."""
    defaults = (*fetch.get.__defaults__[:-1], PATIENCE)
    monkeypatch.setattr(fetch.get, "__defaults__", defaults)
    monkeypatch.setattr(fetch.polite_session, "__defaults__", (0,))


def job(own, url, source):
    """A source of the city at an address."""
    own = replace(own, city_url=url)
    (found,) = jobs.of_city(own, own.city, [source], lambda *_: None, lambda *_: None)
    return found


def shown(portal, source):
    return portal.api().action.package_show(id=f"aizuwakamatsu-{source}")


@pytest.mark.parametrize(
    ("source", "fault", "code", "ja", "en"), CASES, ids=["-".join(case[:2]) for case in CASES]
)
def test_good_data_stay(portal, sound, source, fault, code, ja, en):
    """The run ends with its exit code and a message in both languages; nothing else changes."""
    before = shown(portal, source)
    with pytest.raises(HarvestError) as refused:
        pipeline.run(job(sound, f"{portal.city_url}/fault/{fault}", source))
    told = refused.value
    assert told.exit_code == code, told.words
    assert re.search(ja, told.words.ja)
    assert re.search(en, told.words.en)
    after = shown(portal, source)
    for name in ("content_hash", "version", "metadata_modified", "resources"):
        assert after[name] == before[name]
    assert after["harvest_state"] == "failed"
    assert after["harvest_message"] == told.words.ja
    assert after["harvest_message_en"] == told.words.en
    assert not (sound.var / "harvest" / "error.log").exists()


@pytest.mark.parametrize("source", SOURCES)
def test_page_says_since_when_and_why(portal, sound, source):
    """In words that a citizen reads, in both languages; a good run takes it off again."""
    with pytest.raises(HarvestError) as refused:
        pipeline.run(job(sound, f"{portal.city_url}/fault/html", source))
    for prefix, said in (("", refused.value.words.ja), ("/en", refused.value.words.en)):
        page = " ".join(portal.get(f"{prefix}/dataset/aizuwakamatsu-{source}").text.split())
        assert said.split("。")[0].split(";")[0][:20] in page
    pipeline.run(job(sound, portal.city_url, source))
    assert shown(portal, source)["harvest_state"] in ("ok", "unchanged")


def test_other_encoding_is_the_same_list(portal, sound):
    """CP932 becomes UTF-8: the table stays row for row, and the original changes, and the address that the Parquet tells."""
    before = {one["kind"]: one["hash"] for one in shown(portal, "hydrant")["resources"]}
    pipeline.run(job(sound, f"{portal.city_url}/fault/utf-8", "hydrant"))
    after = {one["kind"]: one["hash"] for one in shown(portal, "hydrant")["resources"]}
    changed = {kind for kind in before if before[kind] != after[kind]}
    assert changed == {"original", "parquet"}
    pipeline.run(job(sound, portal.city_url, "hydrant"))
    assert {one["kind"]: one["hash"] for one in shown(portal, "hydrant")["resources"]} == before


def test_nothing_is_left_of_what_was_refused(portal, sound):
    """No staged table, no half file, no draft."""
    before = leftovers(portal)
    for fault in ("fewer", "duplicated"):
        with pytest.raises(HarvestError):
            pipeline.run(job(sound, f"{portal.city_url}/fault/{fault}", "hydrant"))

    def left():
        return {one for one in leftovers(portal) - before if not one.startswith("file")}

    # Of a live source that publishes at that moment there is something for that moment.
    assert eventually(lambda: not left(), 90), left()
