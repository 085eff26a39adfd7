"""The page on which people withdraw: what it says, that it says it in both languages, and that nothing is chosen for them."""

import hashlib
import re
from base64 import b64encode

import pytest
from bs4 import BeautifulSoup

from aizu_vault.stored_events import read_people

from .city import PEOPLE


def page(service, words=""):
    """The page as a browser shows it."""
    return BeautifulSoup(service.get(f"withdraw{words}").content, "html.parser")


def text(answer):
    """What people read of an answer."""
    return BeautifulSoup(answer.content, "html.parser").main.get_text(" ", strip=True)


@pytest.mark.parametrize(
    ("words", "language", "button"),
    [("", "ja", "すべての提供をやめる"), ("?lang=en", "en", "Stop all sharing")],
)
def test_one_field_and_one_press(service, words, language, button):
    """Nothing is ticked beforehand, and Enter presses the first button."""
    shown = page(service, words)
    assert shown.html["lang"] == language
    assert shown.form["method"] == "post"
    fields = [one["name"] for one in shown.form.select("input:not([type=hidden]), select")]
    assert fields == ["code"]
    assert shown.select("[checked], [selected], script") == []
    assert shown.form.button.get_text() == button
    assert shown.form.find("label", attrs={"for": "code"})


def test_each_kind_of_data_can_be_stopped_alone(service):
    """By the name that people know it by."""
    buttons = {one.get_text(): one["value"] for one in page(service).select("button")}
    assert buttons["「からだの記録」だけやめる"] == "data:vitals"


@pytest.mark.parametrize(
    ("number", "button", "said"),
    [
        (0, "everything", "すべてのデータの、すべての相手への提供"),
        (1, "data:vitals", "「からだの記録」の、すべての相手への提供"),
    ],
)
def test_what_was_stopped_when_and_where_it_stands(service, number, button, said):
    """Confirmed in one answer, which is no redirect."""
    subject = PEOPLE[number]
    service.agree(subject)
    answer = service.press(button, service.codes[number])
    assert (answer.status_code, answer.history) == (200, [])
    assert service.fields(subject) == "no-consent"
    last = read_people(service.recorder, [subject])[subject].events[-1]
    assert said in text(answer)
    assert "提供をやめました" in BeautifulSoup(answer.content, "html.parser").h1.get_text()
    assert f"利用記録の番号 {service.count('audit.log_leaf') - 1} " in text(answer)
    at = BeautifulSoup(answer.content, "html.parser").time
    assert at["datetime"] == last.recorded_at.isoformat()
    assert re.fullmatch(r"\d{4}年\d+月\d+日 \d{2}時\d{2}分\d{2}秒", at.get_text())


def test_in_english(service):
    """The whole way."""
    answer = service.press("everything", service.codes[2], lang="en")
    assert "Sharing of all data with anybody" in text(answer)
    assert re.search(r"\d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d:\d\d \(Japan time\)", text(answer))


@pytest.mark.parametrize(
    ("button", "code", "status"),
    [("everything", "WRONG-CODE", 403), ("everything", "", 403), ("data:other", "right", 400)],
)
def test_what_was_not_done_is_said_so(service, button, code, status):
    """What was typed stays in its field, to be put right."""
    code = service.codes[3] if code == "right" else code
    before = service.count("audit.log_leaf")
    answer = service.press(button, code)
    assert answer.status_code == status
    shown = BeautifulSoup(answer.content, "html.parser")
    assert "まだ停止していません" in shown.find(role="alert").get_text()
    assert shown.find(id="code")["value"] == code
    assert service.count("audit.log_leaf") == before


def test_what_is_no_code_is_not_shown_again(service):
    """Nothing that somebody sends stands in the page."""
    answer = service.press("everything", '"><script>alert(1)</script>')
    assert "alert(1)" not in answer.text


def test_the_form_may_not_be_larger_than_it_is(service):
    """And says so in the same page."""
    answer = service.press("everything", "x" * 80_000)
    assert answer.status_code == 413
    assert "まだ停止していません" in text(answer)


def test_nothing_is_loaded_and_nobody_frames_it(service):
    """The one style is the page's own."""
    answer = service.get("withdraw")
    style = BeautifulSoup(answer.content, "html.parser").style.string
    mark = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{mark}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_without_the_database_it_says_not_yet(server, service):
    """The page itself is there all the same, and works as soon as the database does."""
    with server.connect("postgres") as admin:
        admin.execute("ALTER ROLE deep_consent NOLOGIN")
        try:
            answer = service.press("everything", service.codes[3])
            shown = page(service)
            program = service.post("withdraw", {"code": service.codes[3]})
        finally:
            admin.execute("ALTER ROLE deep_consent LOGIN")
    assert answer.status_code == program.status_code == 503
    assert "まだ停止していません" in text(answer)
    assert program.json()["error"]["code"] == "not-withdrawn"
    assert shown.find(id="code")
    assert service.press("everything", service.codes[3]).status_code == 200


def test_without_its_keys_it_says_not_yet(service):
    """What others may read is no key, and a withdrawal that could not be logged is none."""
    master = service.vault.places.master
    master.chmod(0o644)
    try:
        answer = service.press("everything", service.codes[3])
        shown = page(service)
    finally:
        master.chmod(0o600)
    assert answer.status_code == 503
    assert "まだ停止していません" in text(answer)
    assert shown.find(id="code")
    assert service.press("everything", service.codes[3]).status_code == 200
