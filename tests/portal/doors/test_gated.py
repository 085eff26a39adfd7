"""Deep data at the portal's doors: nobody finds a row there, and nobody can put any there, whoever he is."""

import re
from collections.abc import Iterator
from contextlib import suppress

import psycopg2
import pytest
from ckanapi import ValidationError

from tests.portal.conftest import Portal
from tests.portal.leftovers import address

from .attempts import ATTEMPTS
from .classification import doors
from .conftest import ALL, Inside
from .datasets import by_hand, canaries
from .gated import Gated, signpost
from .people import ROLES, People
from .stored import stored
from .walk import Target, walk

MANY, FEW, MANY_ATTEMPTS = 2000, 1, 12
DOWNLOADS = (
    "GET /dataset/<id>/resource/<resource_id>/download",
    "GET /datastore/dump/<resource_id>",
    "action datastore_search",
    "action resource_show",
)
ADDRESSES = ("sqlalchemy.url", "ckan.datastore.write_url", "ckan.datastore.read_url")


def showing() -> list[str]:
    """The doors at which content of open datasets is found."""
    return [one.name for one in doors().values() if one.shows]


@pytest.fixture(scope="module")
def deep(portal: Portal, people: People) -> Iterator[Gated]:
    """A signpost, with rows in the vault."""
    with signpost(portal, people) as found:
        yield found


@pytest.fixture(scope="module")
def gated(deep: Gated) -> Target:
    """The same, as the catalogue has it."""
    return deep.target


@pytest.mark.parametrize("role", ["editor", "sysadmin"])
def test_nothing_is_attached(portal: Portal, people: People, gated: Target, role: str):
    """Every attempt is refused, and nothing of it is in the catalogue, its index, the DataStore or on the disk."""
    words = [gated.values["table_id"][0], gated.canaries["tried"]]
    before = stored(portal, words)
    answers = {name: one.by(people[role], gated.values) for name, one in ATTEMPTS.items()}
    # A form that is refused may come back with what is wrong.
    odd = {
        name: answer.status_code
        for name, answer in answers.items()
        if not 400 <= answer.status_code < 500
        and not (ATTEMPTS[name].by_form and answer.status_code == 200)
    }
    assert not odd
    assert stored(portal, words) == before


@pytest.mark.skipif(not ALL, reason="only with --all")
def test_attempts_bite(portal: Portal, people: People):
    """On an open dataset many of the same attempts get through and leave what they carry."""
    target, word = by_hand(people), canaries("tried")["tried"]
    places = {**target.values, "word": [word]}
    tried = [one.by(people["editor"], places).status_code for one in ATTEMPTS.values()]
    assert sum(status in (200, 302) for status in tried) >= MANY_ATTEMPTS
    assert [one for one in stored(portal, [word]) if word in one]


def test_no_door_shows_rows(inside: Inside, people: People, gated: Target):
    """Where content of open datasets is found, and with --all at every door, there is none of deep data; for nobody."""
    if ALL:
        asked = {role: inside.probes(gated, role) for role in ROLES}
    else:
        # At each door nobody, a sysadmin, and one of the others in turn.
        turns = {role: showing()[turn::4] for turn, role in enumerate(ROLES[1:5])}
        every = dict.fromkeys(("anonymous", "sysadmin"), showing())
        asked = {r: inside.probes(gated, r, names, FEW) for r, names in (every | turns).items()}
    answers = walk(asked, people, gated.canaries)
    leaks = [one for one in answers if one.found]
    assert not leaks, "\n".join(map(str, leaks))
    assert len(answers) >= (MANY if ALL else 3 * len(showing()))


def test_vault_gives_to_whom_it_may(inside: Inside, people: People, deep: Gated):
    """Its doors refuse the six, one of whom receives other data, and give the rows to who may have them: so the walk bites."""
    names = [one.name for one in doors().values() if one.name.startswith("POST /deep/")]
    asked = {role: inside.probes(deep.target, role, names) for role in ROLES}
    answers = walk(asked, people, deep.target.canaries)
    assert not [one for one in answers if one.found]
    assert [one for one in answers if one.role == "citizen" and one.let_in], "one's own rows"
    asked = {"stranger": inside.probes(deep.target, "stranger", ["POST /deep/release"])}
    with deep.kept.employed(people["stranger"].id):
        (one,) = walk(asked, people, deep.target.canaries)
    assert one.found == {"cell"}
    (one,) = walk(asked, people, deep.target.canaries)
    assert not one.let_in


def test_doors_that_refuse(inside: Inside, people: People, gated: Target):
    """What would change rows or views refuses everybody, sysadmins included."""
    names = [one.name for one in doors().values() if one.kind == "refused-on-gated"]
    roles = ROLES if ALL else ROLES[-2:]
    asked = {role: inside.probes(gated, role, names) for role in roles}
    answers = walk(asked, people, gated.canaries)
    let_in = [one for one in answers if one.status < 400]
    assert not let_in, "\n".join(map(str, let_in))


@pytest.mark.parametrize(
    "change",
    [{"private": True}, {"owner_org": "elsewhere"}, {"type": "showcase"}, {"state": "draft"}],
    ids=lambda change: next(iter(change)),
)
def test_no_switch_opens_it(
    inside: Inside, people: People, gated: Target, change: dict[str, object]
):
    """A signpost stays one, and leads nobody to a row, whatever else a sysadmin makes of its dataset."""
    asked = {"id": gated.values["dataset_uuid"][0]}
    api = people["sysadmin"].api
    before = api.package_show(**asked)
    if "owner_org" in change:
        change = {"owner_org": people.elsewhere}
    with suppress(ValidationError):
        api.package_patch(**asked, **change)
    try:
        assert api.package_show(**asked)["resources"] == before["resources"]
        roles = ROLES if ALL else ("stranger",)
        probes = {
            role: inside.probes(gated, role, showing() if ALL else DOWNLOADS) for role in roles
        }
        assert not [one for one in walk(probes, people, gated.canaries) if one.found]
    finally:
        api.package_patch(**asked, **{name: before[name] for name in change})


@pytest.mark.parametrize("setting", ADDRESSES)
def test_no_role_of_the_catalogue_reaches_the_vault(portal: Portal, setting: str):
    """Its database lets none of them in."""
    into_vault = re.sub(r"/\w+$", "/deep", address(portal, setting))
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(into_vault)
