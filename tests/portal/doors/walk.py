"""Walks through the doors of a dataset as somebody, and looks for canaries in what comes back."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import requests

from .people import People, Person

ARGUMENT = re.compile(r"<(?:[^<>]*:)?(\w+)>")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
UNKNOWN = ("1",)
Values = Mapping[str, Sequence[str]]
"""What stands for a word in curly brackets; several are asked for in turn."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A dataset with what is at its doors, and canaries by kind, none of which is ever sent by a walk."""

    values: Values
    canaries: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One request."""

    door: str
    method: str
    path: str
    sent: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, as far as it matters."""

    role: str
    probe: Probe
    status: int
    found: frozenset[str]

    @property
    def let_in(self) -> bool:
        """Neither an error nor the way to somewhere else, as to the login."""
        return self.status < 300

    def __str__(self) -> str:
        """Who asked for what, for a test's report."""
        found = ", ".join(sorted(self.found))
        asked = f"{self.probe.method} {self.probe.path} {dict(self.probe.sent) or ''}"
        return f"{self.role}: {asked} → {self.status} {found}"


def filled(template: Any, values: Values) -> Iterator[Any]:
    """A text or an object with all that may stand for its words in curly brackets."""
    if isinstance(template, str):
        names = list(dict.fromkeys(PLACEHOLDER.findall(template)))
        for chosen in itertools.product(*(values.get(name, UNKNOWN) for name in names)):
            put = dict(zip(names, chosen, strict=True))
            yield PLACEHOLDER.sub(lambda found, put=put: put[found[1]], template)
    elif isinstance(template, Mapping):
        parts = [list(filled(part, values)) for part in template.values()]
        for chosen in itertools.product(*parts):
            yield dict(zip(template, chosen, strict=True))
    elif isinstance(template, list):
        yield from (
            list(each) for each in itertools.product(*(filled(x, values) for x in template))
        )
    else:
        yield template


def walk(
    asked: Mapping[str, Sequence[Probe]], people: People, canaries: Mapping[str, str]
) -> list[Answer]:
    """Everybody asks for his own, each in turn and all at once."""
    with ThreadPoolExecutor(len(asked)) as threads:
        done = threads.map(
            lambda role: [ask(people[role], probe, canaries) for probe in asked[role]], asked
        )
        return list(itertools.chain.from_iterable(done))


def ask(person: Person, probe: Probe, canaries: Mapping[str, str]) -> Answer:
    """One request, with no redirection followed: where it leads to is part of what is looked through."""
    answer = send(person, probe)
    told = seen(answer)
    return Answer(
        role=person.role,
        probe=probe,
        status=answer.status_code,
        found=frozenset(kind for kind, word in canaries.items() if _is_in(word, told)),
    )


def send(person: Person, probe: Probe) -> requests.Response:
    """A call of an action by its token, of the vault by one that it has given, a page by the session of a browser."""
    options: dict[str, Any] = {"allow_redirects": False, "timeout": 60}
    of_vault = probe.path.startswith("/deep/")
    by_program = of_vault or probe.door.startswith("action ")
    if of_vault and probe.method == "POST" and person.token:
        token = person.api.aizu_deep_token()["token"]
        options["headers"] = {"Authorization": f"Bearer {token}"}
    if probe.method == "GET":
        options["params"] = dict(probe.sent)
    elif by_program:
        options["json"] = dict(probe.sent)
    else:
        options["data"] = {**person.form, **probe.sent}
    session = person.program if by_program else person.browser
    return session.request(probe.method, person.portal.url + probe.path, **options)


def seen(answer: requests.Response) -> str:
    """Everything that came back in lower case: reason, headers, the body in any of the ways it may be written."""
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    body = answer.content.decode("utf-8", "replace")
    return f"{answer.reason}\n{unquote(head)}\n{body}\n{unquote(body)}".lower()


def _is_in(canary: str, told: str) -> bool:
    """A word is found wherever it stands, a number only where it is one of its own."""
    if not canary.isdigit():
        return canary in told
    return bool(re.search(rf"(?<![\w.,:-]){canary}(?![\w.:-])|\":\s*{canary}\b", told, re.ASCII))
