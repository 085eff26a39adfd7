"""Mail to those who answer for a dataset: by a real mail server, real jobs and CKAN's own notifier; once each time."""

import pytest
from ckan import model
from ckan.lib import jobs
from ckan.plugins import toolkit as tk
from ckan.tests import factories

from ckanext.aizu import notices, status
from tests.ckan.mail_server import MailServer

OWNERS = ("kacho@example.jp", "sato@example.jp")
FAILED = {
    "state": "failed",
    "cause": "data",
    "message": "緯度の列がありません。",
    "message_en": "no column 緯度",
}


@pytest.fixture
def post(ckan_config, monkeypatch):
    """A mail server that the portal knows, and an empty queue."""
    server = MailServer()
    monkeypatch.setitem(ckan_config, "smtp.server", server.address)
    monkeypatch.setitem(ckan_config, "smtp.mail_from", "portal@example.jp")
    jobs.get_queue().empty()
    yield server
    jobs.get_queue().empty()
    server.close()


@pytest.fixture
def people(with_plugins, clean_db, clean_index):  # noqa: ARG001 (first clean, then fill)
    """An administrator, an editor and a mere member of a department, and the harvesters' account."""
    roles = {"admin": "kacho", "editor": "sato", "member": "guest"}
    made = {role: factories.User(email=f"{name}@example.jp") for role, name in roles.items()}
    program = factories.User(email="harvester@example.jp")
    model.User.get(program["id"]).plugin_extras = {"aizu": {"harvester": True}}
    model.Session.commit()
    users = [{"name": user["name"], "capacity": role} for role, user in made.items()]
    return factories.Organization(users=[*users, {"name": program["name"], "capacity": "editor"}])


@pytest.fixture
def dataset(people):
    """A dataset of that department."""
    return factories.Dataset(owner_org=people["id"], title="消防水利\n施設一覧")


def check(dataset, minute, **told):
    """A check at some minute, as a harvester reports it."""
    checked = f"2026-11-23T03:{minute:02}:00+00:00"
    return status.note(dataset["id"], {"state": "ok", "checked": checked, **told})


def deliver():
    """What the background worker does."""
    for job in jobs.get_queue().jobs:
        job.perform()
    jobs.get_queue().empty()


def received(post):
    """To whom, and about what."""
    deliver()
    told = sorted(
        (letter["To"].addresses[0].addr_spec, letter["Subject"].partition(":")[0])
        for letter in post.letters
    )
    post.letters.clear()
    return told


def test_owners_are_told_once_that_it_fails_and_once_that_it_works(post, dataset):
    """Not at every run; the administrator and the editor, and nobody else."""
    check(dataset, 0)
    assert received(post) == []
    for minute in (1, 2, 3):
        check(dataset, minute, **FAILED)
    check(dataset, 4, **{**FAILED, "cause": "source"})
    assert received(post) == [(address, "更新できていません") for address in OWNERS]
    check(dataset, 5)
    check(dataset, 6)
    assert received(post) == [(address, "ふたたび更新できました") for address in OWNERS]


def test_letter_says_what_and_why_and_where(post, dataset):
    """In both languages, with the address of the page for stewards."""
    check(dataset, 1, **FAILED)
    deliver()
    letter = post.letters[0]
    assert letter["Subject"] == "更新できていません: 消防水利 施設一覧 / Updates are failing"
    text = letter.get_content()
    assert FAILED["message"] in text and FAILED["message_en"] in text
    assert f"http://test.ckan.net/aizu/stewards/{dataset['name']}" in text


def test_held_back_is_news_of_its_own(post, dataset):
    """Somebody must approve it; that it then changes nothing is a recovery, by whichever way it is noted."""
    check(dataset, 1, **FAILED)
    check(dataset, 2, **{**FAILED, "cause": "gate"})
    deliver()
    assert f"/dataset/{dataset['name']}/held\n" in post.letters[-1].get_content()
    subjects = [subject for _, subject in received(post)]
    assert sorted(subjects) == 2 * ["更新できていません"] + 2 * ["更新を見合わせています"]
    for _ in range(2):
        status.note_unchanged({dataset["id"]: {"checked": "2026-11-23T04:00:00+00:00"}})
    assert [subject for _, subject in received(post)] == 2 * ["ふたたび更新できました"]


def test_contact_is_told_where_no_editor_has_an_address(post, people):
    """The department's own mailbox stands with the dataset."""
    model.Session.query(model.Member).filter_by(group_id=people["id"], table_name="user").delete()
    model.Session.commit()
    dataset = factories.Dataset(owner_org=people["id"], maintainer_email="bosai@example.jp")
    check(dataset, 1, **FAILED)
    assert [address for address, _ in received(post)] == ["bosai@example.jp"]


def test_busy_mail_server_is_asked_again(post, dataset):
    """The job fails and is retried by the worker; what was noted of the check stays."""
    post.busy = True
    check(dataset, 1, **FAILED)
    job = jobs.get_queue().jobs[0]
    assert job.retries_left == len(notices.AGAIN_S)
    with pytest.raises(Exception, match="451"):
        job.perform()
    assert status.read(dataset["id"])[status.CHECK]["state"] == "failed"
    post.busy = False
    assert len(received(post)) == 2


def test_without_a_mail_server_nothing_breaks(post, dataset, monkeypatch):
    """It is logged once, and no job waits."""
    tk.config["smtp.server"] = ""
    notices._say_that_nobody_is_told.cache_clear()
    logged = []
    monkeypatch.setattr(notices.log, "warning", logged.append)
    check(dataset, 1, **FAILED)
    check(dataset, 2)
    assert logged == ["No mail is sent to the owners of datasets: AIZU_SMTP_SERVER is not set"]
    assert jobs.get_queue().jobs == []
    assert post.letters == []
