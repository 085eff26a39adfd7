"""What the doors of the running portal are, and who stands before them."""

import json
import os
import subprocess
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from aizu_vault.service import Service
from tests.portal.conftest import ROOT, Portal

from .classification import doors
from .people import People, six
from .walk import Probe, Target

ALL = bool(os.environ.get("AIZU_TEST_ALL"))
INSIDE = Path(__file__).with_name("inside.py")


@dataclass(frozen=True, kw_only=True)
class Inside:
    """The routes, and the actions with whether they are asked for by an address, too."""

    routes: set[str]
    actions: Mapping[str, bool]

    @property
    def doors(self) -> set[str]:
        """All of them, by the names of doors.yaml."""
        return self.routes | {f"action {name}" for name in self.actions}

    def probes(
        self, target: Target, role: str, names: Collection[str] = (), most: int | None = None
    ) -> list[Probe]:
        """What somebody asks for; whoever could take the dataset away does not try it.

        Args:
            target: whose doors.
            role: of the one who asks.
            names: of doors; none are all.
            most: how many of each door.
        """
        return [
            probe
            for door in (doors()[name] for name in names or doors())
            if not (door.spoils and door.may(role))
            for probe in islice(door.probes(target, by_address=self.by_address(door.name)), most)
        ]

    def by_address(self, door: str) -> bool:
        """Whether an action is asked for by GET, too."""
        return self.actions.get(door.removeprefix("action "), False)


@pytest.fixture(scope="session")
def started(portal: Portal) -> dict[str, object]:
    """What CKAN says of itself; one start."""
    told = subprocess.run(
        [ROOT / ".venv/bin/python", INSIDE, "admin", f"doors {uuid.uuid4().hex[:8]}"],
        env={**os.environ, "CKAN_INI": str(portal.var / "ckan.ini")},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(told.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def inside(portal: Portal, started: dict[str, object]) -> Inside:
    """Routes and actions of the running portal, and the routes of its vault."""
    of_vault = {f"{way} {path}" for path, way, _ in Service(folder=portal.var / "vault").routes()}
    return Inside(routes=of_vault | set(started["routes"]), actions=started["actions"])


@pytest.fixture(scope="session")
def people(portal: Portal, started: dict[str, object]) -> Iterator[People]:
    """Six readers, with two departments."""
    token = str(started["token"])
    with six(portal, token) as found:
        yield found
    portal.api(token).action.api_token_revoke(token=token)
