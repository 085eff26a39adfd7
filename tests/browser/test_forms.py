"""The forms of a steward: an address from a Japanese title, fields with names, and words in Japanese."""

import re

import pytest
from playwright.sync_api import expect

HYDRANT = "aizuwakamatsu-hydrant"
DEPARTMENT = "aizuwakamatsu-kikikanri"
FORMS = {
    "new-dataset": "/dataset/new",
    "edit-dataset": f"/dataset/edit/{HYDRANT}",
    "new-department": "/organization/new",
    "edit-department": f"/organization/edit/{DEPARTMENT}",
    "members": "/group/manage_members/safety",
    "themes-of-a-dataset": f"/dataset/groups/{HYDRANT}",
    "account": "/user/edit/admin",
    "tokens": "/user/admin/api-tokens",
    "settings": "/ckan-admin/config",
    "sysadmins": "/ckan-admin/",
}


@pytest.mark.parametrize(
    ("path", "title", "proposal"),
    [
        ("/dataset/new", "消火栓・防火水槽一覧", "shoukasen-bouka-suisou-ichiran"),
        ("/organization/new", "健康増進課", "kenkou-zoushin-ka"),
        ("/group/new", "子育て", "kosodate"),
    ],
)
def test_a_japanese_title_gives_a_readable_address(open_form, path, title, proposal):
    """The address is proposed as the title is read, while the steward types."""
    page = open_form()
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.locator("[data-module=slug-preview-target]").press_sequentially(title)
    expect(page.locator("input[name=name]")).to_have_value(proposal)


@pytest.mark.parametrize("width", [1400, 360])
@pytest.mark.parametrize("name", FORMS)
def test_form_fits_and_is_accessible(open_form, keep, faults, name, width):
    """No form scrolls sideways; axe finds nothing serious: every field has a name."""
    page = open_form(width)
    page.goto(FORMS[name])
    page.wait_for_load_state("networkidle")
    keep(page, f"form-{name}-{width}")
    assert faults(page, width) == []


def test_a_file_can_be_uploaded_in_japanese(open_form):
    """CKAN's own scripts write the buttons of a form in the language of the page."""
    page = open_form()
    page.goto("/organization/new")
    expect(page.get_by_text("アップロード")).to_be_visible()
    expect(page.get_by_text("リンク", exact=True)).to_be_visible()


def test_english_fields_of_a_department_can_be_edited(open_form):
    """The English name stands in a field of its own and survives saving."""
    page = open_form()
    page.goto(f"/organization/edit/{DEPARTMENT}")
    field = page.get_by_label("名前（英語）")
    before = field.input_value()
    page.get_by_role("button", name="部署を更新").click()
    page.wait_for_url(f"**/organization/{DEPARTMENT}")
    page.goto(f"/en/organization/{DEPARTMENT}")
    expect(page.locator(".entity-head h1")).to_have_text(before)


def test_a_table_view_of_a_file_without_a_table_says_so(open_form):
    """The original file is in no DataStore: its table view opens and gives the reason."""
    page = open_form()
    page.goto(f"/dataset/{HYDRANT}")
    page.get_by_role("link", name="元のファイル").first.click()
    answer = page.goto(f"{page.url}/new_view?view_type=aizu_table")
    assert answer.status == 200
    page.locator("#field-title").fill("表")
    page.get_by_role("button", name="プレビュー").click()
    expect(page.get_by_text("このファイルには表がありません")).to_be_visible()


def test_changes_can_be_narrowed_to_a_kind(open_page):
    """The kinds of activity are in Japanese, and choosing one shows that kind only."""
    page = open_page()
    page.goto(f"/dataset/activity/{HYDRANT}")
    kinds = page.get_by_label("更新の種類")
    assert not re.search("[A-Za-z]", kinds.inner_text())
    kinds.select_option("new package")
    page.wait_for_url(re.compile("activity_type=new"))
    expect(page.get_by_text("を作成しました")).to_have_count(1)


def test_licences_are_those_of_a_japanese_city(open_form):
    """A short list, CC BY first; the same list is English on English pages."""
    page = open_form()
    page.goto("/dataset/new")
    licences = page.locator("#field-license_id option").all_inner_texts()
    assert licences[0].endswith("（CC BY 4.0）")
    assert "公共データ利用規約（第1.0版）（PDL1.0）" in licences
    page.goto("/en/dataset/new")
    english = page.locator("#field-license_id option").all_inner_texts()
    assert len(english) == len(licences)
    assert not re.search(r"[぀-ヿ一-鿿]", "".join(english))
