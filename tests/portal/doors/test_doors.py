"""Every route and every action of the running portal is classified, and lets in those alone whom its class names."""

import pytest

from .classification import doors
from .conftest import ALL, Inside
from .datasets import by_hand
from .people import ROLES, People
from .walk import Answer, walk


def test_every_door_is_classified(inside: Inside):
    """A new CKAN, a new plugin or a new page of ours opens a door: somebody has to say for whom."""
    known = doors().keys()
    assert not inside.doors - known, "not in doors.yaml"
    assert not known - inside.doors, "in doors.yaml, but not in the portal"


@pytest.mark.skipif(not ALL, reason="only with --all")
def test_classes_hold(inside: Inside, people: People):
    """Nobody gets in by a door that is not for him, and nobody is turned away from one that is for all."""
    stock = by_hand(people)
    asked = {role: inside.probes(stock, role) for role in ROLES}
    answers = walk(asked, people, stock.canaries)
    assert len(answers) >= 2000
    intruders = [one for one in answers if one.let_in and not may(one)]
    assert not intruders, "\n".join(map(str, intruders))
    public = [one for one in answers if doors()[one.probe.door].kind == "public"]
    refused = [one for one in public if one.status in (401, 403)]
    assert not refused, "\n".join(map(str, refused))


def may(answer: Answer) -> bool:
    """The stranger is an editor, too, where nothing is said of which dataset."""
    door = doors()[answer.probe.door]
    of_any = door.kind == "editor" and "<" not in door.name and not answer.probe.sent
    return door.may(answer.role) or (of_any and answer.role == "stranger")
