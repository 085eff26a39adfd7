"""What the portal says of its sources: to citizens on a dataset's page, to those who look after the data on their own."""

import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

NAME = f"test-stewards-{secrets.token_hex(4)}"


def publish(portal, rows=("1", "2"), **more):
    """A small dataset by the API, as any publisher would."""
    call = {
        "dataset": {"name": NAME, "title": "確認の試験", "notes": "試験", "license_id": "cc-by"},
        "organization": {"name": "aizuwakamatsu-kikikanri", "title": "危機管理課"},
        "resources": [
            {"name": "t", "title": "表", "schema": {"fields": [{"name": "id", "type": "string"}]}}
        ],
        "source": {"url": "https://example.jp/list.csv"},
        "report": {"valid": True, "tasks": []},
    }
    files = {
        "table:t": ("t.csv", "".join(f"{row}\r\n" for row in ("id", *rows)).encode()),
        "original": ("list.csv", b"x"),
    }
    parts = {part: json.dumps(value) for part, value in call.items()}
    return portal.api(portal.token).call_action("aizu_publish", parts | more, files=files)


def report(portal, state, ago=timedelta(0), **more):
    """Tells the portal of a check."""
    checked = (datetime.now(UTC) - ago).isoformat(timespec="seconds")
    return portal.api(portal.token).action.aizu_harvest_status(
        name=NAME, state=state, checked_at=checked, **more
    )


def line(portal, path=f"/dataset/{NAME}"):
    """What the page says of the last check, as it reads without a script."""
    page = BeautifulSoup(portal.get(path).text, "html.parser")
    shown = page.select(".dataset-head .status-line, .dataset-head .notice")
    return " ".join(" ".join(one.text.split()) for one in shown if not one.has_attr("hidden"))


@pytest.fixture(scope="module", autouse=True)
def listed(portal):
    """The dataset of this module, at first with two rows and then with three."""
    publish(portal)
    publish(portal, rows=("1", "2", "3"))
    yield
    portal.api(portal.token).action.package_delete(id=NAME)


def test_page_says_what_the_last_check_changed(portal):
    """How many rows, in which version; then, that nothing did."""
    publish(portal, rows=("1", "2", datetime.now(UTC).isoformat()))
    found = portal.api().action.package_show(id=NAME)
    assert f"2件変わりました 第{found['version']}版" in line(portal)
    assert "2 rows changed" in line(portal, f"/en/dataset/{NAME}")
    report(portal, "unchanged")
    assert line(portal).startswith("最終確認 ") and "変更なし" in line(portal)


def test_page_says_since_when_and_why_it_is_not_newer(portal):
    """From the last check that worked, however many have failed since."""
    good = report(portal, "ok", timedelta(days=3))
    for _ in range(2):
        told = report(portal, "failed", cause="source", message="応答なし", message_en="silent")
    assert told["good"] == good["checked"]
    assert "日 " in line(portal) and "から更新できていません。" in line(portal)
    assert "応答なし" in line(portal)
    assert "silent" in line(portal, f"/en/dataset/{NAME}")


def test_page_says_that_an_update_is_held_back(portal):
    """And that somebody is looking at it."""
    report(portal, "failed", cause="gate", message="行が減りました")
    assert line(portal).startswith("更新を見合わせています（確認中）。")


def test_page_says_that_nobody_has_checked(portal):
    """A check that was promised and not made, though no run has failed; the list of datasets says it, too."""
    late = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    report(portal, "unchanged", timedelta(days=3), expected_by=late)
    assert line(portal).startswith("予定の確認ができていません（最終確認 ")
    assert "確認が遅れています" in portal.get("/dataset/?q=確認の試験").text


@pytest.mark.parametrize(
    "wrong", [{"cause": "weather"}, {"findings": "{"}, {"expected_by": "soon"}]
)
def test_wrong_words_are_refused(portal, wrong):
    """A cause, a list of cells or a moment that nobody understands changes nothing."""
    before = portal.api().action.package_show(id=NAME)["harvest_checked"]
    with pytest.raises(Exception, match=next(iter(wrong))):
        report(portal, "failed", **wrong)
    assert portal.api().action.package_show(id=NAME)["harvest_checked"] == before
