"""Index and catalogue never disagree: killed at any moment, edited and rebuilt by many at once.

Processes are really killed (SIGKILL), connections really cut (pg_terminate_backend). With
AIZU_TEST_ALL=1 everything random is tried many times more often.
"""

import contextlib
import itertools
import json
import multiprocessing
import os
import random
import signal
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import ckan.lib.plugins
import pysolr
import pytest
import sqlalchemy as sa
from ckan import logic, model
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckan.tests import factories, helpers

from ckanext.aizu_search import schema, storage

MANY = bool(os.environ.get("AIZU_TEST_ALL"))
KILLS = 20 if MANY else 1
ROUNDS = 400 if MANY else 30
SECONDS = 30 if MANY else 4

FACETS = [
    "name",
    "title_string",
    "state",
    "capacity",
    "organization",
    "groups",
    "tags",
    "permission_labels",
]
CONTEXT = {"ignore_auth": True}


# -- comparing --------------------------------------------------------------------------------


def catalogue():
    """Every dataset as CKAN hands it to an index, and how often which value is to be found."""
    model.Session.remove()
    documents, values = {}, {facet: Counter() for facet in FACETS}
    # As CKAN has it by default, the index knows nothing of the trash.
    kept = model.Session.query(model.Package.id).filter(model.Package.state != "deleted")
    for (package_id,) in kept.all():
        shown, _ = logic.package_show_default_and_custom_schemas(CONTEXT, package_id)
        documents[package_id] = json.loads(json.dumps(shown))
        labels = ckan.lib.plugins.get_permission_labels()
        found = {
            "name": [shown["name"]],
            "title_string": [shown["title"]],
            "state": [shown["state"]],
            "capacity": ["private" if shown["private"] else "public"],
            "organization": [shown["organization"]["name"]] if shown["organization"] else [],
            "groups": [group["name"] for group in shown["groups"]],
            "tags": [tag["name"] for tag in shown["tags"]],
            "permission_labels": labels.get_dataset_labels(model.Package.get(package_id)),
        }
        for facet in FACETS:
            values[facet].update(found[facet])
    model.Session.remove()
    return documents, values


def index():
    """The same as the index has it."""
    found = make_connection().search(
        "*:*",
        fq=f'site_id:"{search.config["ckan.site_id"]}"',
        fl="id data_dict",
        rows=10_000,
        facet="true",
        **{"facet.field": FACETS, "facet.limit": -1, "facet.mincount": 1},
    )
    counts = found.facets["facet_fields"]
    return (
        {one["id"]: json.loads(one["data_dict"]) for one in found.docs},
        {
            facet: Counter(dict(zip(counts[facet][::2], counts[facet][1::2], strict=True)))
            for facet in FACETS
        },
    )


def in_step():
    """Whether both are the same, to the last value."""
    catalogued, indexed = catalogue(), index()
    assert indexed[1] == catalogued[1]
    assert indexed[0] == catalogued[0]
    return True


# -- dying ------------------------------------------------------------------------------------


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def child(act):
    """Do something in a process of its own; whether it lives to the end is for others to say."""
    model.Session.remove()
    process = os.fork()
    if process:
        return process
    try:
        act()
    except BaseException:  # noqa: BLE001 (whatever happens, this process must not go on as a test)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def ended(process):
    """Wait until a process and what the database does for it have ended; whether it was killed."""
    _, status = os.waitpid(process, 0)
    others = (
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and backend_type = 'client backend' and state <> 'idle' and pid <> pg_backend_pid()"
    )
    # Within a transaction, this view does not change.
    with model.meta.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.execute(sa.text(others)).scalar():
            time.sleep(0.005)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def die_at(moment):
    """Die before the first commit (0), after it (1), before the second (2) and so on."""
    dialect = model.meta.engine.dialect
    commit, commits = dialect.do_commit, itertools.count(step=2)

    def do_commit(connection):
        number = next(commits)
        if number == moment:
            die()
        commit(connection)
        if number + 1 == moment:
            die()

    dialect.do_commit = do_commit


# -- what is killed ---------------------------------------------------------------------------


class Town:
    """A city without a dataset, and what makes those that an action needs."""

    def __init__(self):
        model.Session.remove()
        for table in ("resource_view", "resource", "package_tag", "tag", "member", "package"):
            model.Session.execute(sa.text(f"delete from {table}"))
        model.Session.execute(sa.text('delete from "group"'))
        model.Session.commit()
        search.clear_all()
        self.numbers = itertools.count()
        self.organization = self.new_organization()

    def name(self):
        return f"n{next(self.numbers)}"

    def create(self, what, **values):
        return helpers.call_action(f"{what}_create", {"user": "editor"}, **values)

    def new_organization(self):
        return self.create("organization", name=self.name())["id"]

    def group(self):
        return self.create("group", name=self.name())["name"]

    def dataset(self, *groups, **values):
        """A dataset with everything that may be taken from it."""
        return self.create(
            "package",
            **{
                "name": self.name(),
                "title": "消火栓",
                "owner_org": self.organization,
                "groups": [{"name": name} for name in groups],
                "tags": [{"name": self.name()}],
                "resources": [{"url": "http://city.example/a.csv"}],
                **values,
            },
        )

    def joins_group(self):
        dataset = self.dataset()["id"]
        return {"id": self.group(), "object": dataset, "object_type": "package", "capacity": "x"}

    def leaves_group(self):
        group = self.group()
        return {"id": group, "object": self.dataset(group)["id"], "object_type": "package"}

    def group_with_datasets(self):
        group = self.group()
        for _ in range(2):
            self.dataset(group)
        return {"id": group}

    def organization_with_datasets(self, **values):
        organization = self.new_organization()
        self.dataset(owner_org=organization)
        self.dataset(owner_org=organization, **values)
        return {"id": organization}

    def several(self, **values):
        datasets = [self.dataset(**values)["id"] for _ in range(2)]
        return {"datasets": datasets, "org_id": self.organization}


@pytest.fixture(scope="module")
def clean_once(reset_db, reset_index):
    """CKAN's own cleaning takes a second; after it, a new town is enough."""
    reset_db()
    reset_index()
    factories.Sysadmin(name="editor")


@pytest.fixture
def town(with_plugins, clean_once, ckan_config, monkeypatch):  # noqa: ARG001 (only to be called)
    monkeypatch.setitem(ckan_config, "ckan.auth.create_unowned_dataset", True)
    return Town()


ACTIONS = {
    "package_create": lambda town: {"name": town.name(), "owner_org": town.organization},
    "package_update": lambda town: {**town.dataset(), "title": "水道", "private": True},
    "package_patch": lambda town: {"id": town.dataset()["id"], "private": True},
    "package_delete": lambda town: {"id": town.dataset(town.group())["id"]},
    "dataset_purge": lambda town: {"id": town.dataset(owner_org=None)["name"]},
    "resource_create": lambda town: {"package_id": town.dataset()["id"], "url": "http://a.example"},
    "bulk_update_private": Town.several,
    "bulk_update_public": lambda town: town.several(private=True),
    "bulk_update_delete": Town.several,
    "package_owner_org_update": lambda town: {
        "id": town.dataset(private=True)["id"],
        "organization_id": town.new_organization(),
    },
    "organization_patch": lambda town: {
        **town.organization_with_datasets(private=True),
        "name": town.name(),
    },
    "organization_delete": Town.organization_with_datasets,
    "member_create": Town.joins_group,
    "member_delete": Town.leaves_group,
    "group_patch": lambda town: {**town.group_with_datasets(), "name": town.name()},
    "group_delete": Town.group_with_datasets,
    "group_purge": Town.group_with_datasets,
    "tag_delete": lambda town: {"id": town.dataset()["tags"][0]["name"]},
}


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("action", ACTIONS)
def test_killed_before_and_after_each_commit(action):
    """`kill -9` at every moment at which anything becomes lasting."""
    for moment in itertools.count():
        values = ACTIONS[action](Town())

        def act(moment=moment, values=values):
            die_at(moment)
            helpers.call_action(action, **values)

        killed = ended(child(act))
        assert in_step()
        if not killed:
            break
    assert moment > 1


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("action", ACTIONS)
def test_killed_at_random(action):
    """`kill -9` of the process, or of what serves it in the database, at any moment."""
    chance = random.Random(action)
    for _ in range(KILLS):
        values = ACTIONS[action](Town())
        killed_at_random(chance, lambda values=values: helpers.call_action(action, **values))
        assert in_step()


def killed_at_random(chance, act):
    came, ready = os.pipe()

    def announced():
        backend = model.Session.scalar(sa.text("select pg_backend_pid()"))
        model.Session.rollback()
        os.write(ready, str(backend).encode())
        errors = sa.exc.SQLAlchemyError, search.SearchIndexError, pysolr.SolrError
        with contextlib.suppress(*errors):
            act()

    process = child(announced)
    backend = int(os.read(came, 20))
    time.sleep(chance.uniform(0, 0.15))
    if chance.random() < 0.5:
        os.kill(process, signal.SIGKILL)
    else:
        with model.meta.engine.connect() as connection:
            connection.execute(sa.text("select pg_terminate_backend(:pid)"), {"pid": backend})
    ended(process)
    os.close(came)
    os.close(ready)


# -- many at once -----------------------------------------------------------------------------


def together(rounds, *acts):
    """Let processes act at the same time, round by round; comes back after each round."""
    model.Session.remove()
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(len(acts) + 1)

    def work(act, chance):
        for _ in range(rounds):
            barrier.wait(60)
            time.sleep(chance.uniform(0, 0.03))
            act(chance)
            model.Session.remove()
            barrier.wait(60)

    processes = [
        context.Process(target=work, args=(act, random.Random(number)), daemon=True)
        for number, act in enumerate(acts)
    ]
    for process in processes:
        process.start()
    for _ in range(rounds):
        barrier.wait(60)
        barrier.wait(60)
        yield
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(acts)


def slow_to_write(chance):
    """From here on, this process dawdles between reading a dataset and writing its entry."""
    read = logic.package_show_default_and_custom_schemas

    def dawdle(*arguments):
        found = read(*arguments)
        time.sleep(chance.uniform(0, 0.03))
        return found

    logic.package_show_default_and_custom_schemas = dawdle


def edit(dataset, group, chance):
    """One of the changes that people make; only the first has a new date of change."""
    member = {"id": group, "object": dataset, "object_type": "package"}
    action, values = chance.choice(
        [
            ("package_patch", {"id": dataset, "title": f"消火栓{chance.random()}"}),
            ("member_create", {**member, "capacity": "public"}),
            ("member_delete", member),
        ]
    )
    helpers.call_action(action, **values)


def test_rebuild_never_writes_what_is_older(town):
    """A dataset is edited while the index is rebuilt: the entry is the last state, each time."""
    dataset, group = town.dataset()["id"], town.group()

    def rebuild(chance):
        if logic.package_show_default_and_custom_schemas.__name__ != "dawdle":
            slow_to_write(chance)
        search.rebuild(dataset)

    for _ in together(ROUNDS, lambda chance: edit(dataset, group, chance), rebuild):
        assert in_step()


def test_what_was_read_before_is_read_again(town):
    """A session that has read a dataset long ago does not write that state."""
    dataset = town.dataset()["id"]
    known = model.Package.get(dataset)
    with ThreadPoolExecutor(1) as pool:
        values = {"id": dataset, "title": "水道"}
        patch = sa.text("update package set title = :title where id = :id")
        pool.submit(
            lambda: model.Session.execute(patch, values) and model.Session.commit()
        ).result()
    assert known.title == "消火栓"
    search.rebuild(dataset)
    assert in_step()


def test_joining_twice_at_once_is_one_membership(town):
    """Two people add the same dataset to a group at the same moment: it stands there once."""
    group, datasets = town.group(), [town.dataset()["id"] for _ in range(ROUNDS)]

    def join():
        waiting = iter(datasets)
        return lambda _: helpers.call_action(
            "member_create",
            id=group,
            object=next(waiting),
            object_type="package",
            capacity="public",
        )

    for _ in together(ROUNDS, join(), join()):
        pass
    assert in_step()
    assert catalogue()[1]["groups"] == {group: ROUNDS}


def test_many_processes_at_once(town):
    """Editors, rebuilds and searches: nobody gets an error, and in the end all is in step."""
    group, shared = town.group(), [town.dataset()["id"] for _ in range(4)]

    def create_and_purge(chance):
        made = town.dataset(group, name=f"own-{chance.getrandbits(99)}")["id"]
        edit(made, group, chance)
        helpers.call_action("package_delete", id=made)
        helpers.call_action("dataset_purge", id=made)

    def look(_):
        assert make_connection().search("消火栓", rows=0).hits >= len(shared)

    acts = [
        create_and_purge,
        create_and_purge,
        lambda chance: edit(chance.choice(shared), group, chance),
        lambda chance: edit(chance.choice(shared), group, chance),
        lambda chance: search.rebuild(chance.choice(shared)),
        look,
    ]
    until = time.monotonic() + SECONDS

    def work(act, chance):
        while time.monotonic() < until:
            act(chance)
            model.Session.remove()

    processes = [
        child(lambda act=act, number=number: work(act, random.Random(number)))
        for number, act in enumerate(acts)
    ]
    killed = [ended(process) for process in processes]
    assert not any(killed)
    assert in_step()


# -- what CKAN takes back, loses and repairs --------------------------------------------------


@pytest.mark.usefixtures("town")
def test_rolled_back_change_is_not_in_the_index():
    """What CKAN takes back is not found."""
    dataset = helpers.call_action("package_create", {"defer_commit": True}, name="fresh")
    logic.index_update_package(CONTEXT, dataset["id"])
    model.Session.rollback()
    assert index()[0] == {}


@pytest.mark.usefixtures("town")
def test_an_error_of_the_index_spoils_nothing():
    """An entry that can not be written leaves CKAN's transaction as it was."""
    dataset = helpers.call_action("package_create", {"defer_commit": True}, name="fresh")
    with pytest.raises(pysolr.SolrError), storage.writing() as connection:
        connection.exec_driver_sql("select 1 / 0")
    model.Session.commit()
    assert model.Package.get(dataset["id"]).name == "fresh"


def test_tables_are_made_once_by_many(town):
    """Many processes may start on an empty database at once."""
    drop_tables()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: schema.ensure(model.meta.engine, storage.put_stored), range(8)))
    town.dataset()
    assert in_step()


def test_dropped_tables_come_back(town):
    """Whoever drops the tables gets an error once and then an empty index that can be filled."""
    town.dataset()
    drop_tables()
    with pytest.raises(pysolr.SolrError):
        index()
    assert index()[0] == {}
    search.rebuild(quiet=True)
    assert in_step()


def drop_tables():
    model.Session.remove()
    with model.meta.engine.begin() as connection:
        connection.execute(sa.text("drop schema aizu_search cascade"))


def test_new_form_of_the_index_keeps_its_datasets(town):
    """An index of an older version is made anew from what it kept, whoever is killed meanwhile."""
    for _ in range(8):
        town.dataset()
    chance = random.Random(8)
    before = index()
    for _ in range(1 + KILLS):
        with model.meta.engine.begin() as connection:
            connection.execute(sa.text("update aizu_search.version set number = 0"))
        killed_at_random(chance, upgrade)
        upgrade()
        assert index() == before


def upgrade():
    schema.ensure(model.meta.engine, storage.put_stored)


@pytest.mark.filterwarnings("ignore:'protected_args' is deprecated:DeprecationWarning")
def test_commands_of_ckan_see_and_repair(town, cli):
    """`ckan search-index` finds what is missing and what is too much, and rebuilds it."""
    from ckan.cli.cli import ckan

    def run(*words):
        answer = cli.invoke(ckan, ["search-index", *words])
        assert not answer.exit_code, answer.output
        return answer.output

    one, _ = (town.dataset()["name"] for _ in range(2))
    assert "Packages not indexed = 0 out of 2" in run("check")
    run("clear", one)
    assert "Packages not indexed = 1 out of 2" in run("check")
    run("rebuild", "--only-missing")
    assert in_step()
    add_orphan()
    assert "Found 1 orphaned" in run("list-orphans")
    run("clear-orphans")
    assert in_step()
    run("clear")
    assert "Found 2 unindexed" in run("list-unindexed")
    add_orphan()
    run("rebuild")
    assert in_step()
    run("clear")
    run("rebuild-fast")
    assert in_step()
    assert "消火栓" in run("show", one)


def add_orphan():
    site = search.config["ckan.site_id"]
    identity = {"index_id": "orphan", "id": "orphan", "name": "orphan", "site_id": site}
    kind = {"entity_type": "package", "state": "active", "capacity": "public"}
    make_connection().add([{**identity, **kind}])
