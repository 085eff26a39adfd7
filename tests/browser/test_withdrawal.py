"""The page on which people withdraw, in a browser: by keyboard, on a phone, without scripts, and for no other site."""

import os
from datetime import date
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from aizu_vault.consent import Subject
from aizu_vault.register_file import load_register
from aizu_vault.settings import Vault
from aizu_vault.subjects import enrol, make_withdrawal_code


@pytest.fixture(scope="module")
def code(address):  # noqa: ARG001 (skips where there is no portal)
    """By which somebody withdraws; as often as they like."""
    vault, subject = Vault.open(Path(os.environ["AIZU_TEST_VAR"]) / "vault"), uuid4()
    with vault.connect("deep_steward") as steward:
        load_register(steward, files("aizu_vault") / "demo.register.yaml", by="test")
        invented = Subject(subject_id=subject, birth_date=date(1980, 5, 5), synthetic=True)
        enrol(steward, vault.keys, [invented])
        return make_withdrawal_code(steward, vault.keys, subject)


@pytest.mark.parametrize(("width", "language"), [(1400, ""), (360, "?lang=en")])
def test_each_page_fits_and_is_accessible(open_page, keep, faults, code, width, language):
    """Before, refused and done; axe finds nothing serious."""
    page = open_page(width)
    for name, typed in (("form", None), ("refused", "WRONG"), ("done", code)):
        page.goto(f"/deep/withdraw{language}")
        if typed:
            page.locator("#code").fill(typed)
            page.get_by_role("button").last.click()
        keep(page, f"withdraw-{name}-{width}")
        assert faults(page, width) == []


def test_by_keyboard_and_without_scripts(browser, address, code):
    """Four presses of the tab key lead to the code, Enter does the rest."""
    context = browser.new_context(java_script_enabled=False, base_url=address)
    page = context.new_page()
    page.goto("/deep/withdraw")
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.type(code.lower())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("データの提供をやめました")
    expect(page.get_by_role("status")).to_contain_text("すべてのデータの、すべての相手への提供")
    context.close()


def test_no_other_site_reads_or_sends(open_page, address):
    """A page of another origin sees no answer, and cannot send what a program sends."""
    page = open_page()
    page.goto("data:text/html,<p>another site")
    attempt = """async ([url, options]) => {
        try { return (await fetch(url, options)).status } catch (refused) { return "refused" }
    }"""
    send = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": "{}"}
    for path, options in (("health", {}), ("log/head", {}), ("withdraw", send), ("own", send)):
        assert page.evaluate(attempt, [f"{address}/deep/{path}", options]) == "refused"
