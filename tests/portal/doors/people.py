"""Six readers of the portal, from nobody to sysadmin, each as a program with a token and as a browser with a session."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import requests
from bs4 import BeautifulSoup

from tests.portal.conftest import Portal, csrf

ROLES = ("anonymous", "citizen", "stranger", "recipient", "editor", "sysadmin")
"""The stranger looks after datasets of another department."""


@dataclass(kw_only=True)
class Person:
    """Somebody in one of the roles."""

    portal: Portal
    role: str
    name: str = ""
    password: str = ""
    token: str | None = None
    program: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        """The token goes with every call of the API."""
        if self.token:
            self.program.headers["Authorization"] = self.token

    @property
    def api(self) -> Any:
        """The actions, with errors as exceptions."""
        return self.portal.api(self.token).action

    @cached_property
    def id(self) -> str:
        """Of the account, as tokens have it."""
        found: str = self.api.user_show()["id"]
        return found

    @cached_property
    def browser(self) -> requests.Session:
        """A session with cookies, as people have it."""
        session = requests.Session()
        page = self._form(session)
        if self.name:
            told = {"login": self.name, "password": self.password, **page}
            session.post(f"{self.portal.url}/user/login", data=told).raise_for_status()
        return session

    @cached_property
    def form(self) -> dict[str, str]:
        """What every form that a browser sends carries."""
        return self._form(self.browser)

    def _form(self, session: requests.Session) -> dict[str, str]:
        page = session.get(f"{self.portal.url}/about", timeout=60)
        return csrf(BeautifulSoup(page.text, "html.parser"))


@dataclass(frozen=True, kw_only=True)
class People:
    """All six, the two departments of editor and stranger, and a theme."""

    roles: dict[str, Person]
    department: str
    elsewhere: str
    theme: str

    def __getitem__(self, role: str) -> Person:
        """Who is in a role."""
        return self.roles[role]


@contextmanager
def six(portal: Portal, token: str) -> Iterator[People]:
    """Makes the accounts and departments, and takes all of it away again with the datasets made there.

    Args:
        portal: where.
        token: of the portal's own sysadmin.
    """
    api, tag = portal.api(token).action, uuid.uuid4().hex[:8]
    names = {"department": f"test-doors-{tag}", "elsewhere": f"test-far-{tag}"}
    people = People(roles={}, theme=f"test-theme-{tag}", **names)
    for name in names.values():
        api.organization_create(name=name, title="扉の試験")
    api.group_create(name=people.theme, title="扉の試験")
    try:
        for role in ROLES:
            people.roles[role] = _somebody(portal, api, role, tag)
        api.user_patch(id=people["sysadmin"].name, sysadmin=True)
        for role, place in (("editor", people.department), ("stranger", people.elsewhere)):
            told = {"id": place, "username": people[role].name, "role": "editor"}
            api.organization_member_create(**told)
        api.group_member_create(id=people.theme, username=people["editor"].name, role="editor")
        yield people
    finally:
        _clear(api, people)


def _somebody(portal: Portal, api: Any, role: str, tag: str) -> Person:
    if role == "anonymous":
        return Person(portal=portal, role=role)
    told = {"name": f"test-{role}-{tag}", "password": uuid.uuid4().hex}
    api.user_create(email=f"{told['name']}@example.jp", **told)
    token = api.api_token_create(user=told["name"], name="test")["token"]
    return Person(portal=portal, role=role, token=token, **told)


def _clear(api: Any, people: People) -> None:
    for place in (people.department, people.elsewhere):
        asked = {"fq": f"organization:{place}", "include_private": True, "include_drafts": True}
        for one in api.package_search(rows=100, **asked)["results"]:
            api.dataset_purge(id=one["id"])
        api.organization_purge(id=place)
    api.group_purge(id=people.theme)
    for person in people.roles.values():
        if person.name:
            api.user_delete(id=person.name)
