"""The running portal that scripts/test has started, as its users see it: an address, a token, the command `aizu`."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import ckanapi
import pytest
import requests
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
REAL_DATA = ROOT.parent / "shared" / "data"


@dataclass(frozen=True, kw_only=True)
class Portal:
    """Where the portal is and how to speak to it."""

    url: str
    var: Path
    token: str
    city_url: str

    def api(self, token: str | None = None) -> ckanapi.RemoteCKAN:
        """The action API; as anybody, or as the owner of a token."""
        return ckanapi.RemoteCKAN(self.url, apikey=token, user_agent="aizu tests")

    def get(self, path: str, **options: Any) -> requests.Response:
        """Asks for a page or a file as a browser does."""
        return requests.get(self.url + path, timeout=60, **options)

    def aizu(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs the command `aizu` as a steward does."""
        return subprocess.run(
            [ROOT / ".venv" / "bin" / "aizu", *words],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=ROOT,
            env={**os.environ, "AIZU_VAR": str(self.var), "LANG": "ja_JP.UTF-8", **environment},
        )


def harvest_env(var: Path) -> dict[str, str]:
    """Addresses and secrets of the harvesters of a portal."""
    lines = (var / "harvest.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    """The portal of scripts/test, whose hydrants are harvested by the tests alone."""
    if not os.environ.get("AIZU_TEST_VAR"):
        pytest.skip("no portal: these tests are run by scripts/test, which starts one")
    var = Path(os.environ["AIZU_TEST_VAR"])
    known = harvest_env(var)
    told = Portal(
        url=known["AIZU_PORTAL_URL"],
        var=var,
        token=known["AIZU_API_TOKEN"],
        city_url=known["AIZU_CITY_URL"],
    )
    # What a test has broken would be mended half a minute later.
    assert told.aizu("pause", "hydrant", "--reason", "試験").returncode == 0
    yield told
    told.aizu("resume", "hydrant")


@pytest.fixture
def real_file() -> Callable[[str], Path]:
    """Finds a file in the folder of real data beside the checkout, or skips with the reason."""

    def find(name: str) -> Path:
        file = REAL_DATA / name
        if not file.exists():
            pytest.skip(f"no folder of real data: {REAL_DATA} has no {name}")
        return file

    return find


def signed_in(portal: Portal, name: str, password: str) -> requests.Session:
    """A browser session of somebody who has an account; as CKAN's scripts do it, it sends the token of the forms."""
    session = requests.Session()
    page = BeautifulSoup(session.get(f"{portal.url}/user/login").text, "html.parser")
    form = {"login": name, "password": password, **csrf(page)}
    answer = session.post(f"{portal.url}/user/login", data=form)
    answer.raise_for_status()
    (token,) = csrf(BeautifulSoup(answer.text, "html.parser")).values()
    session.headers["X-CSRFToken"] = token
    return session


def csrf(page: BeautifulSoup) -> dict[str, str]:
    """The token that every form of CKAN carries."""
    (meta,) = page.select('meta[name="_csrf_token"]')
    return {"_csrf_token": str(meta["content"])}


@pytest.fixture
def desk(portal: Portal) -> requests.Session:
    """A browser session of the sysadmin, by the password the first start printed."""
    printed = (portal.var / "serve.log").read_text()
    found = re.search(r"password \(shown only now\): (\S+)", printed)
    assert found, "the first start prints it"
    return signed_in(portal, "admin", found[1])


@pytest.fixture
def recipient(portal: Portal, desk: requests.Session) -> Iterator[Callable[[str], dict[str, str]]]:
    """Gives headers with a token for the vault, of one of the demonstration's users."""
    made: list[str] = []

    def header(name: str) -> dict[str, str]:
        asked = {"user": name, "name": f"test-{uuid4().hex[:8]}"}
        answer = desk.post(f"{portal.url}/api/action/api_token_create", json=asked)
        made.append(answer.json()["result"]["token"])
        token = portal.api(made[-1]).action.aizu_deep_token()["token"]
        return {"Authorization": f"Bearer {token}"}

    yield header
    for token in made:
        desk.post(f"{portal.url}/api/action/api_token_revoke", json={"token": token})
