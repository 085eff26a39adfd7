"""What doors.yaml says of every route and action, and the requests by which each is tried."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .people import ROLES
from .walk import ARGUMENT, Probe, Target, filled

FILE = Path(__file__).with_name("doors.yaml")
MAY = {
    "public": ROLES,
    "own-account": ROLES[1:],
    "editor": ROLES[4:],
    "sysadmin": ROLES[5:],
    "refused-on-gated": ROLES[4:],
    "gated-path": ROLES[1:],
}
"""Who may use the doors of each class on an ordinary dataset; an editor, on those of his department."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """A method of a route, as `GET /dataset/<id>`, or an action, as `action package_show`."""

    name: str
    kind: str
    asked: Sequence[Mapping[str, Any]]
    spoils: bool
    shows: bool

    def may(self, role: str) -> bool:
        """Whether somebody gets in, if it is an ordinary dataset."""
        return role in MAY[self.kind]

    def probes(self, target: Target, *, by_address: bool) -> Iterator[Probe]:
        """All requests that try it.

        Args:
            target: the dataset whose door it is.
            by_address: whether CKAN takes the action from an address, too.
        """
        method, path = self.name.split(" ", 1)
        if method == "action":
            method, path = "POST", f"/api/3/action/{path}"
        for address in filled(_with_places(path, target), target.values):
            for template in self.asked:
                for sent in filled(template, target.values):
                    yield Probe(door=self.name, method=method, path=address, sent=sent)
                    if by_address:
                        yield Probe(door=self.name, method="GET", path=address, sent=sent)


@cache
def doors() -> Mapping[str, Door]:
    """All that are classified, by name."""
    told = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    spoils, shows = (set(told.pop(mark)) for mark in ("spoils", "shows"))
    found = {}
    for kind, names in told.items():
        for name, asked in names.items():
            assert name not in found, f"{name} is classified twice"
            variants = asked if isinstance(asked, list) else [asked or {}]
            found[name] = Door(
                name=name, kind=kind, asked=variants, spoils=name in spoils, shows=name in shows
            )
    assert spoils | shows <= found.keys()
    return found


def _with_places(rule: str, target: Target) -> str:
    """A rule with its arguments in curly brackets; `id` is that of what stands before it: `dataset_id`."""
    done = ""
    for part in re.split(r"(<[^>]*>)", rule):
        argument = ARGUMENT.fullmatch(part)
        done += _place(argument[1].strip("_"), done, target) if argument else part
    return done


def _place(name: str, before: str, target: Target) -> str:
    for folder in reversed(before.split("/")):
        if f"{folder}_{name}" in target.values:
            return f"{{{folder}_{name}}}"
    return f"{{{name}}}"
