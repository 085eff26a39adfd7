"""Suggestions while typing, marked hits and similar datasets, by keyboard, mouse, finger and input method."""

import os
import re
from pathlib import Path

import ckanapi
import pytest
from playwright.sync_api import expect

DEPARTMENT = "aizuwakamatsu-kikikanri"
DESK, PHONE = 1400, 360
CATALOGUE = {
    "test-plows": ("除雪車の位置情報", "Positions of snow ploughs", ["除雪", "位置情報", "道路"]),
    "test-routes": ("除雪路線図", "Snow clearing routes", ["除雪", "位置情報", "道路"]),
    "test-dumps": ("雪捨て場の一覧", "Snow disposal sites", ["除雪", "道路"]),
    "test-library": ("図書館の蔵書数", "Library holdings", ["図書館"]),
    "test-parks": ("公園", "Parks", ["公園"]),
    "test-schools": ("学校", "Schools", ["学校"]),
    "test-hospitals": ("病院", "Hospitals", ["病院"]),
    "test-elections": ("選挙", "Elections", ["選挙"]),
    "test-population": ("人口", "Population", ["人口"]),
    "test-budget": ("予算", "Budget", ["予算"]),
}
FIELDS = {
    "home": ("/", "#field-main-search"),
    "search": ("/dataset/", "#field-giant-search"),
    "department": (f"/organization/{DEPARTMENT}", "#dataset-search-form [name=q]"),
    "theme": ("/group/safety", "#dataset-search-form [name=q]"),
    "header": ("/about", "#field-sitewide-search"),
}


@pytest.fixture(scope="module", autouse=True)
def _catalogue(address):
    """A few datasets beside the harvested ones, of which 会津若松市 除雪車の位置 is found with them."""
    lines = (Path(os.environ["AIZU_TEST_VAR"]) / "harvest.env").read_text().splitlines()
    token = dict(line.split("=", 1) for line in lines)["AIZU_API_TOKEN"]
    portal = ckanapi.RemoteCKAN(address, apikey=token, user_agent="aizu tests")
    for name, (title, title_en, tags) in CATALOGUE.items():
        portal.action.package_create(
            name=name,
            title=title,
            title_en=title_en,
            notes=f"{title}です。"
            + "市のデータを公開しています。" * 12
            + "冬の**除雪車**が走ります。",
            owner_org=DEPARTMENT,
            license_id="cc-by",
            tags=[{"name": tag} for tag in tags],
            resources=[{"name": "表", "url": "https://example.jp/data.csv", "format": "CSV"}],
        )
    yield
    for name in CATALOGUE:
        portal.action.package_delete(id=name)


def search_field(page):
    """The field of a page that searches datasets."""
    return page.locator("input[role=combobox]")


def options(page):
    """The suggestions that are shown."""
    return page.locator("[role=listbox]:visible [role=option]")


def composing(page, text):
    """An input method shows what it makes of the keys so far."""
    session = page.context.new_cdp_session(page)
    caret = len(text)
    session.send(
        "Input.imeSetComposition", {"text": text, "selectionStart": caret, "selectionEnd": caret}
    )


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("name", FIELDS)
def test_every_field_suggests(open_page, keep, faults, name, width):
    """Under each field that searches datasets; the list fits and axe finds nothing serious."""
    path, selector = FIELDS[name]
    page = open_page(width)
    page.goto(path)
    field = page.locator(selector)
    field.fill("じょせ")
    expect(options(page)).to_have_count(5)
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_text("候補 5 件")).to_be_attached()
    keep(page, f"suggest-{name}-{width}")
    box = page.locator("[role=listbox]:visible").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert faults(page, width) == []


def test_the_keyboard_alone_suffices(open_page):
    """Arrows go through the list and back to the field; Escape closes it and keeps what was typed."""
    page = open_page()
    page.goto("/")
    field = search_field(page)
    field.press_sequentially("除雪")
    expect(options(page)).to_have_text(
        [
            "除雪 タグ · データセット 4 件",
            "除雪車 タグ · データセット 1 件",
            "除雪路線図 データセット",
            "除雪車の位置情報 データセット",
            "会津若松市 除雪車の位置 データセット",
        ]
    )
    field.press("ArrowDown")
    first = options(page).first
    expect(field).to_have_attribute("aria-activedescendant", first.get_attribute("id"))
    expect(first).to_have_attribute("aria-selected", "true")
    field.press("ArrowUp")
    expect(field).not_to_have_attribute("aria-activedescendant", re.compile("."))
    field.press("ArrowUp")
    expect(options(page).last).to_have_attribute("aria-selected", "true")
    field.press("Home")
    expect(field).not_to_have_attribute("aria-activedescendant", re.compile("."))
    assert field.evaluate("field => field.selectionStart") == 0
    field.press("Escape")
    expect(options(page)).to_have_count(0)
    expect(field).to_have_value("除雪")
    expect(field).to_have_attribute("aria-expanded", "false")
    for _ in range(3):
        field.press("ArrowDown")
    field.press("Enter")
    page.wait_for_url("**/dataset/test-routes")


def test_enter_without_a_choice_searches(open_page):
    """An open list does not stand in the way of the search."""
    page = open_page()
    page.goto("/")
    field = search_field(page)
    field.fill("除雪")
    expect(options(page)).to_have_count(5)
    field.press("Enter")
    page.wait_for_url(re.compile(r"/dataset/\?q="))
    expect(page.get_by_role("heading", level=1)).to_contain_text("「除雪」")


def test_a_tag_leads_to_its_datasets(open_page):
    """By mouse, with the number that the suggestion told."""
    page = open_page()
    page.goto("/dataset/")
    search_field(page).fill("除")
    tag = options(page).first
    expect(tag).to_contain_text("データセット 4 件")
    tag.click()
    page.wait_for_url(re.compile(r"tags=%E9%99%A4%E9%9B%AA"))
    expect(page.locator(".dataset-item")).to_have_count(4)


def test_an_input_method_is_not_disturbed(open_page):
    """Kana are asked for while they are composed; the Enter that ends composing does nothing else."""
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    field = search_field(page)
    field.focus()
    for text in ("じ", "じょ", "じょs", "じょせ", "じょせｔ"):
        composing(page, text)
        page.wait_for_timeout(250)
    expect(options(page)).to_have_count(5)
    words = [url.partition("suggest?q=")[2] for url in asked if "suggest?q=" in url]
    assert words == ["%E3%81%98%E3%82%87", "%E3%81%98%E3%82%87%E3%81%9B"]

    composing(page, "じょせつ")
    field.press("ArrowDown")
    before = page.url
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
        " { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }))"
    )
    session = page.context.new_cdp_session(page)
    session.send("Input.insertText", {"text": "除雪"})
    expect(field).to_have_value("除雪")
    expect(options(page)).to_have_count(5)
    assert page.url == before
    field.press("Enter")
    page.wait_for_url(re.compile(r"/dataset/\?q=%E9%99%A4%E9%9B%AA"))


def test_english_pages_suggest_english_titles(open_page, keep):
    """Titles, words and addresses are English; what has no English title keeps its own."""
    page = open_page(language="en")
    page.goto("/en/about")
    search_field(page).fill("sno")
    expect(options(page)).to_have_count(4)
    expect(options(page).first).to_contain_text("Snow")
    expect(page.get_by_text("4 suggestions")).to_be_attached()
    keep(page, "suggest-english-1400")
    options(page).first.click()
    page.wait_for_url("**/en/dataset/*")


def test_a_finger_chooses(browser, address):
    """On a phone a tap on a suggestion opens its page."""
    context = browser.new_context(
        viewport={"width": PHONE, "height": 640}, base_url=address, has_touch=True, locale="ja"
    )
    page = context.new_page()
    page.goto("/dataset/")
    search_field(page).fill("図書館の")
    options(page).get_by_text("図書館の蔵書数").tap()
    page.wait_for_url("**/dataset/test-library")
    context.close()


def test_the_field_works_after_a_search(open_page):
    """CKAN replaces the results without loading the page anew; suggestions go on."""
    page = open_page()
    page.goto("/dataset/")
    field = search_field(page)
    field.fill("図書")
    field.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("図書")
    field = search_field(page)
    field.fill("除雪")
    expect(options(page)).to_have_count(5)
    assert page.locator("[role=listbox]").count() == search_field(page).count()


def test_only_the_last_word_counts(open_page):
    """An answer that comes late does not replace that to what was typed after it."""
    page = open_page()
    page.goto("/")
    page.route(
        "**/aizu_search_suggest?q=%E5%9B%B3**",
        lambda route: page.wait_for_timeout(800) or route.continue_(),
    )
    field = search_field(page)
    field.fill("図")
    page.wait_for_timeout(250)
    field.fill("除雪")
    expect(options(page).first).to_contain_text("除雪")
    page.wait_for_timeout(1000)
    expect(options(page).first).to_contain_text("除雪")


def test_a_search_without_answers_from_the_network_or_scripts(open_page, browser, address):
    """Where suggestions fail or scripts are off the field searches as ever."""
    page = open_page()
    page.route("**/aizu_search_suggest*", lambda route: route.abort())
    page.goto("/")
    search_field(page).fill("除雪")
    page.wait_for_timeout(400)
    expect(options(page)).to_have_count(0)
    search_field(page).press("Enter")
    page.wait_for_url(re.compile(r"/dataset/\?q="))

    context = browser.new_context(java_script_enabled=False, base_url=address)
    plain = context.new_page()
    plain.goto("/")
    plain.locator("#field-main-search").fill("除雪")
    plain.locator("#field-main-search").press("Enter")
    expect(plain.get_by_role("heading", name="除雪路線図")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_hits_are_marked(open_page, keep, faults, width):
    """By reading, too; in the title and in the notes around the hit."""
    page = open_page(width)
    page.goto("/dataset/?q=じょせつしゃ")
    item = page.locator(".dataset-item", has_text="除雪車の位置情報")
    expect(item.locator("h2 mark")).to_have_text("除雪車")
    library = page.locator(".dataset-item", has_text="図書館の蔵書数")
    expect(library.locator(".dataset-notes mark")).to_have_text("除雪車")
    expect(library.locator(".dataset-notes")).to_have_text(re.compile("^…"))
    keep(page, f"hits-{width}")
    assert faults(page, width) == []


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_similar_datasets_are_shown(open_page, keep, faults, width):
    """Beside the data at a desk, below it on a phone; nothing where there are none."""
    page = open_page(width)
    page.goto("/dataset/test-plows")
    similar = page.get_by_role("region", name="似ているデータセット")
    expect(similar.get_by_role("listitem")).to_have_text(
        [
            re.compile(r"会津若松市 除雪車の位置\s+会津若松市 道路課\s+CSV, GeoJSON"),
            re.compile(r"除雪路線図\s+会津若松市 危機管理課\s+CSV"),
            re.compile("雪捨て場の一覧"),
        ]
    )
    data = page.get_by_role("heading", name="データとリソース").bounding_box()
    found = similar.bounding_box()
    assert found["x"] > data["x"] + data["width"] if width == DESK else found["y"] > data["y"]
    keep(page, f"similar-{width}")
    assert faults(page, width) == []
    page.goto("/dataset/test-elections")
    expect(page.get_by_role("heading", level=1)).to_have_text("選挙")
    expect(similar).to_have_count(0)
