"""The stewards' page in a browser: at a desk and on a phone, by keyboard, and renewing itself while a run goes on."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

DESK, PHONE = 1400, 390
BUS = "aizuwakamatsu-bus"
HERE = "/aizu/stewards"


@pytest.fixture(scope="module")
def cookies(browser, address):
    """Those of the sysadmin, who has logged in once for all tests."""
    printed = (Path(os.environ["AIZU_TEST_VAR"]) / "serve.log").read_text()
    context = browser.new_context(base_url=address, locale="ja")
    page = context.new_page()
    page.goto("/user/login")
    page.locator("#field-login").fill("admin")
    password = re.search(r"password \(shown only now\): (\S+)", printed)[1]
    page.locator("#field-password").fill(password)
    page.locator("#field-password").press("Enter")
    page.wait_for_url(re.compile("/(dashboard|user|dataset)/(?!login)"))
    kept = context.cookies()
    context.close()
    return kept


@pytest.fixture
def steward_page(open_page, cookies):
    """A page of the sysadmin, of a given width."""

    def open_as_steward(path, width=DESK):
        page = open_page(width)
        page.context.add_cookies(cookies)
        page.goto(path)
        return page

    return open_as_steward


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_stewards_pages_fit_and_are_accessible(steward_page, keep, faults, width):
    """The list, and the page of one source; the way there is in the header."""
    page = steward_page("/about", width)
    page.locator("header").get_by_role("link", name="収集状況").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("データの収集状況")
    keep(page, f"stewards-{width}")
    assert faults(page, width) == []
    page.locator(f"#{BUS}").get_by_role("link", name="バス時刻表").click()
    expect(page.get_by_role("heading", name="これまでの実行")).to_be_visible()
    keep(page, f"steward-source-{width}")
    assert faults(page, width) == []


def test_run_is_seen_to_end_without_a_reload(steward_page):
    """The button is pressed by keyboard; the page tells of the new run by itself."""
    page = steward_page(f"{HERE}/{BUS}")
    known = page.locator(".run time").first.get_attribute("datetime")
    page.evaluate("window.stayed = false")
    page.get_by_role("button", name="いま実行").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".alert")).to_contain_text("まもなく実行します")
    page.evaluate("window.stayed = true")
    newest = page.locator(".run time").first
    expect(newest).not_to_have_attribute("datetime", known, timeout=60_000)
    expect(page.get_by_role("button", name="いま実行")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-announce]")).to_have_text("次の予定を待っています")
    assert page.evaluate("window.stayed") is True


def test_pause_and_resume_by_keyboard(steward_page, keep, faults):
    """A disclosure with a field for the reason; what is being typed is not taken away by the renewal."""
    page = steward_page(HERE, PHONE)
    page.clock.install()
    page.reload()
    item = page.locator(f"#{BUS}")
    item.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("路線の改正待ち")
    with page.expect_response(f"**{HERE}"):
        page.clock.run_for(31_000)
    expect(item.get_by_label("理由")).to_have_value("路線の改正待ち")
    page.keyboard.press("Enter")
    try:
        expect(item).to_contain_text("さんが止めています")
        expect(item).to_contain_text("停止中")
        keep(page, "stewards-paused")
        assert faults(page, PHONE) == []
    finally:
        item.get_by_role("button", name="再開").click()
    expect(item.get_by_role("button", name="いま実行")).to_be_visible()


def test_times_are_told_by_the_readers_clock(open_page, keep):
    """How long ago the last check was, the exact time at hand; later the page says by itself that it is overdue."""
    page = open_page(DESK)
    page.goto(f"/dataset/{BUS}")
    line = page.locator(".status-line")
    expect(line.locator("time")).to_have_text(re.compile(r"^\d+(分|時間)前$"))
    assert re.match(r"\d{4}年\d+月\d+日 \d\d:\d\d$", line.locator("time").get_attribute("title"))
    keep(page, "status-line")
    page.clock.install()
    page.goto(f"/dataset/{BUS}")
    page.clock.fast_forward(72 * 3600 * 1000)
    expect(line).to_be_hidden()
    late = page.locator(".notice-late")
    expect(late).to_contain_text("予定の確認ができていません（最終確認 3日前）")
