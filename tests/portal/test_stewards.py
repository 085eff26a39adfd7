"""What the portal says of its sources: to citizens on a dataset's page, to those who look after the data on their own."""

import json
import secrets
from datetime import UTC, datetime, timedelta

import ckanapi
import pytest
from bs4 import BeautifulSoup

from .conftest import signed_in
from .copies import eventually

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


def test_faults_of_the_program_are_told_to_stewards_alone(portal):
    """The message says where their logs are; readers learn that it fails, and since when."""
    report(
        portal, "failed", cause="program", message="詳しくは error.log", message_en="see error.log"
    )
    found = portal.api().action.package_show(id=NAME)
    assert (found["harvest_message"], found["harvest_message_en"]) == ("", "")
    assert "から更新できていません。" in line(portal)
    assert "error.log" not in portal.get(f"/en/dataset/{NAME}").text
    told = portal.api(portal.token).action.aizu_sources(name=NAME)["sources"][0]
    assert told["message_en"] == "see error.log"


def test_page_says_that_an_update_is_held_back(portal):
    """Whether somebody still has to decide about it or has turned it down: the data is what it was."""
    report(portal, "failed", cause="gate", message="行が減りました")
    assert line(portal).startswith("更新を見合わせています。")


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


BUS = "aizuwakamatsu-bus"
PASSWORD = "a-long-enough-word"  # of an account that lives as long as this module
HERE = "/aizu/stewards"


def soup(session, portal, path=HERE):
    """A page as a browser session gets it."""
    return BeautifulSoup(session.get(portal.url + path).text, "html.parser")


def press(session, portal, button, path=f"{HERE}/{BUS}", **typed):
    """Presses a button of a page; returns the page that follows."""
    form = soup(session, portal, path).select_one(f'form:has(button[value="{button}"])')
    values = {one["name"]: one.get("value", "") for one in form.select("input[name]")}
    answer = session.post(portal.url + form["action"], data=values | typed | {"wish": button})
    return BeautifulSoup(answer.text, "html.parser")


@pytest.fixture(scope="module")
def editors(portal):
    """Browser sessions: an editor of the department that has the buses, and one of the library."""
    printed = (portal.var / "serve.log").read_text()
    admin = signed_in(portal, "admin", printed.partition("(shown only now): ")[2].split()[0])
    made = []
    for department in ("aizuwakamatsu-kotsu", "aizuwakamatsu-toshokan"):
        name = f"editor-{secrets.token_hex(4)}"
        user = {"name": name, "email": f"{name}@example.jp", "password": PASSWORD}
        member = {"id": department, "username": name, "role": "editor"}
        asked = {"user_create": user, "organization_member_create": member}
        for action, told in asked.items():
            answer = admin.post(f"{portal.url}/api/action/{action}", json=told)
            assert answer.ok, answer.text
        made.append(signed_in(portal, name, PASSWORD))
    return made


def told(portal, name=BUS, runs=1):
    """What the API tells the harvesters' account, which is an editor of all departments."""
    answer = portal.api(portal.token).action.aizu_sources(name=name, runs=runs)
    return answer["sources"][0]


def test_stranger_is_asked_to_log_in(portal):
    """And finds no link to the page; the API refuses him."""
    assert "/user/login" in portal.get(HERE).url
    assert HERE not in portal.get("/").text
    with pytest.raises(ckanapi.NotAuthorized):
        portal.api().action.aizu_sources()
    with pytest.raises(ckanapi.NotAuthorized):
        portal.api().action.aizu_source_wish(name=BUS, wish="run")


def test_steward_sees_the_sources_of_his_department(portal, editors):
    """His, with state, last run and next run; nothing of another department, and no buttons for it."""
    bus, library = editors
    page = soup(bus, portal)
    names = [one["id"] for one in page.select(".source-item")]
    assert set(names) == {BUS, "aizuwakamatsu-bus-live"}
    item = page.select_one(f"#{BUS}")
    facts = {one.dt.text: one.dd.text.strip() for one in item.select("dl > div")}
    assert facts["行数"] == "4,880" and "次回の予定" in facts and "かかった時間" in facts
    assert item.select_one(".state").text == "正常"
    assert HERE in str(soup(bus, portal, "/").select_one("header"))
    assert soup(library, portal, f"{HERE}/{BUS}").select_one(".source-item") is None
    wish = {"name": BUS, "wish": "run"}
    answer = library.post(f"{portal.url}/api/action/aizu_source_wish", json=wish)
    assert answer.status_code == 403


def test_run_now_is_done_and_shown(portal, editors):
    """A button is pressed without a script; the run is seen on the same page, with who wanted it."""
    known = told(portal)["runs"][0]["id"]
    page = press(editors[0], portal, "run")
    assert "まもなく実行します" in page.select_one(".alert").text
    assert eventually(lambda: told(portal)["runs"][0]["id"] != known, 60)
    run = soup(editors[0], portal, f"{HERE}/{BUS}").select_one(".run")
    text = " ".join(run.text.split())
    assert "4,880 行" in text and "さんの指示" in text and "最後に終えた段階: 公開" in text
    assert ("更新しました" in text) or ("変更なし" in text)


def test_pause_needs_a_reason_and_is_lifted_again(portal, editors):
    """Everybody sees who has stopped it and why; `aizu` knows of it; run now is refused meanwhile."""
    page = press(editors[0], portal, "pause", reason=" ")
    assert "理由を入力してください" in page.select_one(".alert").text
    try:
        press(editors[0], portal, "pause", reason="路線の改正待ち")
        item = soup(editors[0], portal).select_one(f"#{BUS}")
        assert "路線の改正待ち" in item.text and "停止中" in item.text
        assert item.select_one('button[value="run"]') is None
        assert "路線の改正待ち" in portal.aizu("run-now", "bus").stderr
        with pytest.raises(ckanapi.ValidationError, match="再開"):
            portal.api(portal.token).action.aizu_source_wish(name=BUS, wish="run")
    finally:
        press(editors[0], portal, "resume")
    assert told(portal)["paused"] is None


def test_cells_that_were_wrong_are_for_stewards(portal, desk):
    """Row, column, value and what to do; nobody else is shown what was not published."""
    cell = {
        "row": 12,
        "column": "緯度",
        "value": "x",
        "message": "数にする",
        "message_en": "a number",
    }
    report(portal, "failed", findings=json.dumps([cell]), message="誤りがあります")
    page = soup(desk, portal, f"{HERE}/{NAME}")
    assert [one.text for one in page.select("td")] == ["12", "緯度", "x", "数にする"]
    assert "a number" in soup(desk, portal, f"/en{HERE}/{NAME}").select_one("tbody").text
    assert "数にする" not in json.dumps(
        portal.api().action.package_show(id=NAME), ensure_ascii=False
    )
    report(portal, "unchanged")
    assert told(portal, NAME)["findings"] == []


def test_update_that_is_held_back_is_led_to(portal, desk):
    """What the gate has refused waits on a page of its own, one link away."""
    publish(portal, rows=[str(number) for number in range(20)])
    with pytest.raises(ckanapi.ValidationError, match="gate"):
        publish(portal, rows=["1"])
    item = soup(desk, portal).select_one(f"#{NAME}")
    assert item.select_one(".state").text == "更新を確認中"
    link = item.select_one(".source-decide a")["href"]
    assert desk.get(portal.url + link).ok
    assert link.endswith(f"/dataset/{NAME}/held")
    publish(portal, rows=[str(number) for number in range(21)])
    assert told(portal, NAME)["state"] == "fresh"


def test_dataset_without_a_journal_shows_its_last_check(portal, desk):
    """What was published from outside has no buttons, and says what the dataset knows."""
    item = soup(desk, portal).select_one(f"#{NAME}")
    assert "定期的な収集はしていません" in item.text and "最終確認" in item.text
    assert item.select("button") == []
    with pytest.raises(ckanapi.ValidationError, match="定期的に"):
        portal.api(portal.token).action.aizu_source_wish(name=NAME, wish="run")
    assert desk.get(f"{portal.url}{HERE}/nobody-knows-it").status_code == 404
