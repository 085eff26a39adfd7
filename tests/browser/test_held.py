"""The page of an update that is held back, as an administrator sees it: on a phone and a large screen, by keyboard."""

import json
import os
import re
import uuid
from pathlib import Path

import ckanapi
import pytest
from playwright.sync_api import expect

ROWS = 60


def sent(name, rows):
    """A call of aizu_publish with a table of so many rows, and its files."""
    fields = [{"name": "種別", "type": "string"}]
    fields += [{"name": column, "type": "number"} for column in ("id", "緯度", "経度")]
    parts = {
        "dataset": {"name": name, "title": "防火水槽", "notes": "試験", "license_id": "cc-by"},
        "organization": {"name": "aizuwakamatsu-kikikanri", "title": "危機管理課"},
        "resources": [
            {"name": "list", "title": "一覧", "schema": {"fields": fields, "primaryKey": ["id"]}}
        ],
        "source": {"url": "https://example.jp/list.csv"},
        "report": {"valid": True, "tasks": []},
    }
    lines = [f"消火栓,{row},37.{500 + row},139.{900 + row}" for row in range(rows)]
    table = "\r\n".join(["種別,id,緯度,経度", *lines, ""]).encode()
    files = {"table:list": ("list.csv", table), "original": ("list.txt", table)}
    return {part: json.dumps(value) for part, value in parts.items()}, files


@pytest.fixture
def waiting(address):
    """A dataset of whose rows the next version would lose most; it goes again."""
    lines = (Path(os.environ["AIZU_TEST_VAR"]) / "harvest.env").read_text().splitlines()
    token = dict(line.split("=", 1) for line in lines)["AIZU_API_TOKEN"]
    portal = ckanapi.RemoteCKAN(address, apikey=token, user_agent="aizu tests")
    name = f"test-{uuid.uuid4().hex[:8]}"
    for rows in (ROWS, 5):
        parts, files = sent(name, rows)
        try:
            portal.call_action("aizu_publish", parts, files=files)
        except ckanapi.ValidationError as error:
            assert "held" in error.error_dict
    yield name
    portal.action.package_delete(id=name)
    portal.close()


@pytest.mark.parametrize("width", [1400, 390])
def test_update_held_back_is_approved_by_keyboard(open_form, keep, faults, waiting, width):
    """From the dataset's page to the reason, the rows and the map, and back to the new version."""
    page = open_form(width)
    page.goto(f"/dataset/{waiting}")
    expect(page.locator(".notice-held")).to_contain_text("60 行のうち 55 行")
    page.get_by_role("link", name="確認する").click()
    page.wait_for_load_state("networkidle")
    expect(page.locator(".map-count")).to_have_text(re.compile("55"))
    expect(page.locator(".map-legend")).to_contain_text("削除 (55)")
    keep(page, f"held-{width}")
    assert faults(page, width) == []
    page.get_by_label("この内容で正しい理由").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    # The browser itself asks for the reason.
    expect(page.get_by_label("この内容で正しい理由")).to_be_focused()
    page.keyboard.type("水槽を撤去したため")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="承認して公開")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".flash-messages")).to_contain_text("第2版として公開しました")
    expect(page.locator(".notice-held")).to_have_count(0)
