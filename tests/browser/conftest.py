"""A headless Chromium that looks at the portal scripts/test has started, and keeps what it saw."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "var" / "screenshots"
# Chromium asks Google's servers for this and that at every start; here only the portal is of interest.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
FRAMES = "() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
TILES = "https://cyberjapandata.gsi.go.jp/**"


@pytest.fixture(scope="session")
def address() -> str:
    """Where the portal is."""
    if not os.environ.get("AIZU_TEST_VAR"):
        pytest.skip("no portal: these tests are run by scripts/test, which starts one")
    lines = (Path(os.environ["AIZU_TEST_VAR"]) / "harvest.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)["AIZU_PORTAL_URL"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The distribution's Chromium; its sandbox cannot be used by root."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*QUIET, *sandbox]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens pages of a given width; a script error on any of them fails the test.

    The base map's server is cut off: what is shown must not depend on a network.
    """
    errors: list[str] = []
    contexts = []

    def open_page(width: int = 1400, height: int = 900, language: str = "ja") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, base_url=address, locale=language
        )
        context.route(TILES, lambda route: route.abort())
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def signed_in(browser: Browser, address: str) -> list[Any]:
    """The cookies of the sysadmin, by the password the first start printed."""
    printed = (Path(os.environ["AIZU_TEST_VAR"]) / "serve.log").read_text()
    password = re.search(r"password \(shown only now\): (\S+)", printed)[1]
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/user/login")
    page.locator("#field-login").fill("admin")
    page.locator("#field-password").fill(password)
    page.locator("#field-password").press("Enter")
    expect(page.locator(".account.authed")).to_be_visible()
    cookies = context.cookies()
    context.close()
    return cookies


@pytest.fixture
def open_form(open_page: Callable[..., Page], signed_in: list[Any]) -> Callable[..., Page]:
    """Opens pages of a given width as the sysadmin."""

    def open_form(width: int = 1400) -> Page:
        page = open_page(width)
        page.context.add_cookies(signed_in)
        return page

    return open_form


@pytest.fixture
def keep() -> Callable[[Page, str], None]:
    """Keeps a screenshot of the whole page under var/screenshots."""

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return keep


@pytest.fixture
def faults() -> Callable[[Page, int], list[object]]:
    """Lists what is wrong with a page: that it scrolls sideways, and what axe calls serious."""

    def faults(page: Page, width: int) -> list[object]:
        wide = page.evaluate("document.documentElement.scrollWidth")
        found: list[object] = [f"{wide} px wide"] if wide > width else []
        return found + [
            (violation["id"], [node["target"] for node in violation["nodes"]])
            for violation in Axe().run(page).response["violations"]
            if violation["impact"] in ("serious", "critical")
        ]

    return faults


@pytest.fixture
def settle() -> Callable[[Page], None]:
    """Waits until what a map was told is on its canvas: Leaflet draws with the next picture."""

    def wait(page: Page) -> None:
        page.evaluate(FRAMES)

    return wait
