"""The probes bite: content of open datasets is found behind many doors, and behind none once they are private."""

import pytest

from tests.portal.conftest import Portal

from .classification import doors
from .conftest import ALL, Inside
from .datasets import by_hand, made_private, published
from .people import People
from .walk import Target, ask, walk

ENOUGH = 30
FEW = 1
KNOWN = {
    # CKAN takes the activity from its table and asks nobody; one has to know its UUID.
    "GET /dataset/<id>/resources/<resource_id>/history/<activity_id>": {"link", "row", "later"},
    # What was done while a dataset was open stays in the lists, with the dataset as it was then.
    "action recently_changed_packages_activity_list": {"link"},
    "action user_activity_list": {"link"},
}
"""What CKAN itself tells strangers of a private dataset that was open before, by the kind of content."""


@pytest.fixture(scope="module")
def datasets(portal: Portal, people: People) -> list[Target]:
    """One made by hand and one published, open at first."""
    return [by_hand(people), published(portal, people)]


def test_open_data_are_found(inside: Inside, people: People, datasets: list[Target]):
    """Every door that shows content does, to everybody or to the editor: else a walk that finds nothing says nothing."""

    marked = {door.name for door in doors().values() if door.shows}
    for_all = {name for name in marked if doors()[name].may("anonymous")}

    def found(role: str) -> set[str]:
        return {
            name
            for name in (for_all if role == "anonymous" else marked - for_all)
            if any(
                ask(people[role], probe, one.canaries).found
                for one in datasets
                for probe in inside.probes(one, role, [name])
            )
        }

    # What the editor does at some of them changes what is found at others.
    told = found("anonymous") | found("editor")
    assert len(told) >= ENOUGH
    assert sorted(marked - told) == [], "nothing is found at these doors"


def test_private_data_are_not(inside: Inside, people: People, datasets: list[Target]):
    """Neither CKAN's doors nor ours tell a stranger anything of a private dataset."""
    roles, most = (("anonymous", "stranger"), None) if ALL else (("anonymous",), FEW)
    names = () if ALL else [door.name for door in doors().values() if door.shows]
    for one in datasets:
        private = made_private(people, one)
        asked = {role: inside.probes(private, role, names, most) for role in roles}
        answers = walk(asked, people, private.canaries)
        leaks = [one for one in answers if one.found - KNOWN.get(one.probe.door, set())]
        assert not leaks, "\n".join(map(str, leaks))
