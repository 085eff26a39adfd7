"""The way of a citizen: home, search, dataset, table, map, download; at a desk and on a phone."""

import csv
import io
import re

import pytest
from playwright.sync_api import expect

HYDRANT = "aizuwakamatsu-hydrant"
TITLE = "会津若松市 消防水利施設一覧"
DESK, PHONE = 1400, 360
PAGES = {
    "home": "/",
    "search": "/dataset/?q=消火栓",
    "nothing-found": "/dataset/?q=ペンギン",
    "dataset": f"/dataset/{HYDRANT}",
    "deep-data": "/dataset/aizuwakamatsu-vitals",
    "departments": "/organization/",
    "department": "/organization/aizuwakamatsu-kikikanri",
    "themes": "/group/",
    "theme": "/group/safety",
    "about": "/about",
    "login": "/user/login",
    "not-found": "/dataset/no-such-dataset",
}


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_from_home_to_the_file(open_page, keep, width):
    """Home → search → dataset → table → map → download, by clicking only."""
    page = open_page(width)
    page.goto("/")
    keep(page, f"home-{width}")
    search = page.get_by_role("main").get_by_role("combobox")
    search.fill("消火栓")
    search.press("Enter")
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    keep(page, f"search-{width}")

    page.get_by_role("heading", name=TITLE).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1, name=TITLE)).to_be_visible()
    expect(page.get_by_text("模擬データです")).to_be_visible()

    found = page.locator("[data-aizu-map]")
    found.scroll_into_view_if_needed()
    expect(found).to_have_attribute("data-ready", "true")
    keep(page, f"dataset-{width}")

    page.get_by_role("link", name=re.compile("行をすべて見る")).click()
    page.get_by_label("表の中を検索").fill("防火水槽")
    page.get_by_label("表の中を検索").press("Enter")
    rows = page.locator("table").first.locator("tbody tr")
    expect(rows.first).to_contain_text("防火水槽")
    assert all("防火水槽" in text for text in rows.all_inner_texts())
    keep(page, f"table-{width}")

    with page.expect_download() as started:
        page.get_by_role("link", name=re.compile("ダウンロード")).first.click()
    content = started.value.path().read_bytes()
    assert started.value.suggested_filename.endswith(".csv")
    assert content.startswith(b"\xef\xbb\xbf")
    assert len(list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))) > 1000


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_map_shows_places_without_a_network(open_page, keep, settle, width):
    """The base map cannot be reached: places, legend and a word about it are there all the same."""
    page = open_page(width)
    page.goto(f"/dataset/{HYDRANT}")
    found = page.locator("[data-aizu-map]")
    found.scroll_into_view_if_needed()
    expect(found).to_have_attribute("data-ready", "true")
    expect(found.get_by_text("背景")).to_be_visible()
    expect(found.get_by_text(re.compile("消火栓"))).to_be_visible()
    painted = """canvas => {
      const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      let coloured = 0;
      for (let i = 3; i < pixels.length; i += 4) coloured += pixels[i] > 0;
      return coloured;
    }"""
    settle(page)
    assert found.locator(".map-canvas canvas").evaluate(painted) > 1000
    found.locator(".map-canvas").focus()
    page.keyboard.press("Enter")
    expect(found.locator(".leaflet-popup")).to_contain_text("072028")
    keep(page, f"map-{width}")
    page.keyboard.press("Escape")
    expect(found.locator(".leaflet-popup")).to_have_count(0)


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("name", PAGES)
def test_page_fits_and_is_accessible(open_page, keep, faults, name, width):
    """No page scrolls sideways; axe finds nothing serious (WCAG 2.1 AA)."""
    page = open_page(width)
    page.goto(PAGES[name])
    page.wait_for_load_state("networkidle")
    keep(page, f"{name}-{width}")
    assert faults(page, width) == []


def test_switching_language_stays_on_the_page(open_page, keep):
    """The link to English leads to the same dataset, whose title and columns are English."""
    page = open_page()
    page.goto(f"/dataset/{HYDRANT}")
    page.get_by_role("link", name="English").first.click()
    assert page.url.endswith(f"/en/dataset/{HYDRANT}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Aizuwakamatsu")
    expect(page.get_by_text("Simulated data")).to_be_visible()
    keep(page, "dataset-english-1400")


def test_everything_can_be_reached_by_keyboard(open_page):
    """The first Tab offers the way past the header; the focus can be seen."""
    page = open_page()
    page.goto("/")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    assert first.startswith("#")
    page.keyboard.press("Tab")
    style = page.evaluate(
        "(({outlineStyle, boxShadow}) => outlineStyle !== 'none' || boxShadow !== 'none')"
        "(getComputedStyle(document.activeElement))"
    )
    assert style


def test_page_works_without_scripts(browser, address):
    """Without JavaScript the table is there: read, searched, paged and downloaded."""
    context = browser.new_context(java_script_enabled=False, base_url=address)
    page = context.new_page()
    page.goto(f"/dataset/{HYDRANT}")
    page.get_by_role("link", name=re.compile("行をすべて見る")).click()
    page.get_by_label("表の中を検索").fill("プール")
    page.get_by_label("表の中を検索").press("Enter")
    expect(page.locator("table").first.locator("tbody tr").first).to_contain_text("プール")
    context.close()
