"""Who may not publish, what is no call at all, and many who change one dataset at once: nothing stays of what is refused."""

import gzip
import json
import os
import random
import socket
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import ckanapi
import pytest
import requests

from .conftest import ROOT
from .dataset_versions import Reader, call, files_of, kept, publish
from .leftovers import nothing_left
from .test_bad_input import ADDRESS, bomb, known, refused, send
from .test_killed import workers

LARGE = pytest.mark.skipif(not os.environ.get("AIZU_TEST_ALL"), reason="only with --all")
MB = 1 << 20


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def others(portal):
    """Tokens of an editor and an administrator of another department, of somebody in none; and the department."""
    tag = uuid.uuid4().hex[:8]
    environment = {**os.environ, "CKAN_INI": str(portal.var / "ckan.ini")}

    def ckan(*words):
        command = [ROOT / ".venv/bin/ckan", *words]
        told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return told.stdout.strip().splitlines()[-1].strip()

    sysadmin = portal.api(ckan("user", "token", "add", "admin", f"tests {tag}"))
    tokens = {"department": f"test-{tag}"}
    sysadmin.action.organization_create(name=tokens["department"], title="別の課")
    roles = ("editor", "admin", "newcomer")
    for role in roles:
        user = f"test-{role}-{tag}"
        told = {"name": user, "email": f"{user}@example.jp", "password": uuid.uuid4().hex}
        sysadmin.action.user_create(**told)
        if role != "newcomer":
            sysadmin.action.organization_member_create(
                id=tokens["department"], username=user, role=role
            )
        tokens[role] = ckan("user", "token", "add", user, "tests")
    yield tokens
    for one in sysadmin.action.package_search(q=f"organization:{tokens['department']}")["results"]:
        sysadmin.action.dataset_purge(id=one["id"])
    for role in roles:
        sysadmin.action.user_delete(id=f"test-{role}-{tag}")
    sysadmin.action.organization_purge(id=tokens["department"])


@pytest.mark.parametrize("token", ["", "nobody", "editor", "admin"])
def test_dataset_of_others(portal, name, others, token):
    """A stranger, a false token and another department's people change nothing."""
    ids = publish(portal, name, 1)["resources"]
    with nothing_left(portal):
        answer = send(portal, name, token=others.get(token, token), **changed())
        assert answer.status_code == 403
        assert answer.json()["error"]["__type"] == "Authorization Error"
    assert seen(portal, name, ids) == {1}


def test_department_of_others(portal, name, others):
    """Nobody makes a dataset, or a department, where he has no rights."""
    for department in ("aizuwakamatsu-kikikanri", f"test-{uuid.uuid4().hex[:8]}"):
        told = {"name": department, "title": "危機管理課"}
        with nothing_left(portal):
            answer = send(portal, name, token=others["editor"], organization=told)
            assert answer.status_code in (403, 409), answer.text
            assert department in answer.text or answer.status_code == 403
    assert not known(portal, name)


def test_accounts_without_a_department(portal, name, others):
    """Whoever looks after no dataset makes none, and has nothing looked through."""
    for more in ({}, {"dry_run": "true"}, {"fence": "9"}):
        answer = send(portal, name, token=others["newcomer"], **more)
        assert answer.status_code == 403, answer.text
    assert send(portal, name, fence="1").ok


def test_editor_overrides_nothing(portal, name, others):
    """What the gate refuses is let through by an administrator; an editor's reason is none."""
    told = {"organization": {"name": others["department"], "title": "別の課"}, "limits": {}}
    assert send(portal, name, token=others["editor"], **told).ok
    with nothing_left(portal):
        answer = send(
            portal, name, token=others["editor"], **told, **changed(), override_reason="急ぎ"
        )
        assert answer.status_code == 403
    answer = send(portal, name, token=others["admin"], **told, **changed(), override_reason="急ぎ")
    assert answer.ok, answer.text


def changed(version=2):
    """The files of another version."""
    return {"files": {p: (file, text.encode()) for p, (file, text) in files_of(version).items()}}


def seen(portal, name, ids):
    """The versions that a reader finds."""
    reader = Reader(portal, name, ids)
    reader.look()
    assert not reader.faults
    return set(reader.seen)


NAMES = [
    "../../x",
    "/etc/x",
    "..",
    ".",
    "...",
    "x" * 5000,
    "あ" * 1000,
    "\u202egpj.exe",
    "a\0b.txt",
    "a\r\nb",
]


@pytest.mark.parametrize("part", ["original", "table:list", "geojson:list"])
@pytest.mark.parametrize("file", NAMES, ids=range(len(NAMES)))
def test_names_of_files(portal, name, part, file):
    """A file's name leads nowhere and hides nothing, whatever it is made of; or it is refused."""
    content = kept(part, files_of(1)[part][1])
    before = outside(portal)
    with nothing_left(portal):
        answer = send(portal, name, files={part: (file, content)})
        if not answer.ok:
            assert part in refused(answer)
    if answer.ok:
        found = portal.api().action.aizu_version_show(name=name, number=1)["files"]
        (one,) = [one for one in found if one["part"] == part]
        assert "/" not in one["filename"]
        assert one["filename"].strip(".")
        assert one["filename"].isprintable()
        assert len(one["filename"].encode()) < 255
        assert requests.get(one["url"], timeout=60).content == content
    assert outside(portal) == before


def outside(portal):
    """Files in the folders around those of the versions."""
    places = (portal.var, portal.var / "storage", portal.var / "storage" / "versions")
    known = {str(file) for place in places for file in place.iterdir() if file.is_file()}
    return {file for file in known if not file.endswith((".log", ".new"))}


BOUNDARY = b"--b\r\nContent-Disposition: form-data; name="
FORM = "multipart/form-data; boundary=b"
BODIES = {
    "nothing": (b"", FORM),
    "no boundary": (BOUNDARY + b'"dataset"\r\n\r\n{}\r\n', "multipart/form-data"),
    "no end": (BOUNDARY + b'"dataset"\r\n\r\n{"name": "x"', FORM),
    "no name": (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", FORM),
    "noise": (random.Random(1).randbytes(10_000), FORM),
    "many parts": ((BOUNDARY + b'"x"\r\n\r\n1\r\n') * 5000 + b"--b--\r\n", FORM),
    "long field": (BOUNDARY + b'"dataset"\r\n\r\n' + b" " * (5 * MB) + b"\r\n--b--\r\n", FORM),
    "gzip": (gzip.compress(BOUNDARY + b'"dataset"\r\n\r\n{}\r\n--b--\r\n'), FORM),
    "json": (json.dumps(call("test-json")).encode(), "application/json"),
    "json bomb": (b"[" * MB, "application/json"),
    "json of a list": (b"[1]", "application/json"),
    "text": (b"dataset", "text/plain"),
}


@pytest.mark.parametrize("case", BODIES)
def test_body_that_is_no_call(portal, case):
    """What cannot be read as a call is the caller's fault, and he is told so."""
    body, kind = BODIES[case]
    head = {"Authorization": portal.token, "Content-Type": kind}
    if case == "gzip":
        head["Content-Encoding"] = "gzip"
    with nothing_left(portal):
        answer = requests.post(portal.url + ADDRESS, data=body, headers=head, timeout=60)
        assert 400 <= answer.status_code < 500, answer.text[:300]
        assert answer.text.strip()


def test_zip_bomb_is_a_file_like_any_other(portal, name):
    """Nobody unpacks an original: a bomb takes the room of its zip and no memory."""
    before = memory(portal)
    with nothing_left(portal):
        assert send(portal, name, files={"original": ("x.zip", bomb(200))}).ok
    assert memory(portal) - before < 60 * MB


def memory(portal):
    """What the web server's processes hold."""
    pages = (Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in workers(portal))
    return sum(map(int, pages)) * os.sysconf("SC_PAGESIZE")


def test_caller_who_hangs_up(portal, name):
    """A caller who is gone in the middle of a file leaves nothing, wherever he stops."""
    head, body = raw_call(portal, name)
    with nothing_left(portal):
        for share in (0, 0.1, 0.5, 0.9, 0.999):
            with socket.create_connection(address(portal), timeout=10) as caller:
                caller.sendall(head + body[: int(len(body) * share)])
    assert not known(portal, name)


def raw_call(portal, name):
    """Head and body of a call."""
    parts = {part: json.dumps(value) for part, value in call(name).items()}
    asked = requests.Request(
        "POST",
        portal.url + ADDRESS,
        data=parts,
        files={part: (file, text.encode()) for part, (file, text) in files_of(1).items()},
        headers={"Authorization": portal.token, "Host": urlsplit(portal.url).netloc},
    ).prepare()
    lines = [f"POST {ADDRESS} HTTP/1.1", *(f"{key}: {text}" for key, text in asked.headers.items())]
    return "\r\n".join([*lines, "", ""]).encode(), asked.body


def address(portal):
    """Where the portal listens."""
    place = urlsplit(portal.url)
    return place.hostname, place.port


def test_two_gigabytes_are_refused_by_their_announcement(portal):
    """A call that is too large is refused before it is sent, and fills neither disk nor memory."""
    head = f"POST {ADDRESS} HTTP/1.1\r\nHost: x\r\nAuthorization: {portal.token}\r\n"
    head += f"Content-Type: {FORM}\r\nContent-Length: {2 << 30}\r\n\r\n"
    with nothing_left(portal), socket.create_connection(address(portal), timeout=10) as caller:
        caller.sendall(head.encode() + b"--b\r\n")
        assert b" 413 " in caller.recv(100)


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_only_files_are_large(portal, kind):
    """A large body that has no files is not read into memory, from nobody."""
    before = memory(portal)
    answer = requests.post(
        portal.url + ADDRESS,
        data=b" " * (60 * MB),
        headers={"Content-Type": kind},
        timeout=60,
    )
    assert answer.status_code == 413
    assert memory(portal) - before < 20 * MB


@LARGE
def test_file_beyond_the_limit(portal, name):
    """A file of 250 MB comes as far as the portal, which never holds it in memory."""
    before = memory(portal)
    with nothing_left(portal):
        told = refused(send(portal, name, files={"original": ("x.bin", bytes(250 * MB))}))
    assert "200 MB" in str(told["original"])
    assert memory(portal) - before < 100 * MB


def test_replaces_is_told(portal, name):
    """Of ten who believe the same version to be current one is taken; the others are told which it is now."""
    ids = publish(portal, name, 1)["resources"]
    with nothing_left(portal), ThreadPoolExecutor(10) as pool:
        sent = [pool.submit(send, portal, name, replaces="1", **changed(v)) for v in range(2, 12)]
        answers = [one.result() for one in sent]
        assert sorted(one.status_code for one in answers) == [200] + [409] * 9
        for one in answers:
            if not one.ok:
                assert "2" in str(one.json()["error"]["replaces"])
    assert len(seen(portal, name, ids)) == 1


def test_steward_at_the_same_time(portal, name):
    """Publications, undos and a steward's own changes at once: no fault of the portal, one whole version at the end."""
    ids = publish(portal, name, 1)["resources"]
    publish(portal, name, 2)
    api = portal.api(portal.token).action

    def tell(number):
        return api.package_patch(id=name, maintainer=f"担当 {number}")

    def undo(number):
        return api.aizu_undo(name=name, reason=f"試験 {number}")

    def again(number):
        return publish(portal, name, number)

    with nothing_left(portal), ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(job, n) for n in range(3, 7) for job in (again, undo, tell)]
        faults = [one.exception() for one in jobs]
        unexpected = [f for f in faults if f and not isinstance(f, ckanapi.ValidationError)]
        assert not unexpected
    assert len(seen(portal, name, ids)) == 1
    versions = api.aizu_versions(name=name)["versions"]
    assert [one["number"] for one in versions] == list(range(len(versions), 0, -1))
    assert api.package_show(id=name)["version"] == str(versions[0]["number"])


def test_deleted_at_the_same_time(portal, name):
    """Who publishes while a steward deletes the dataset publishes, or is told; it does not come back by itself."""
    publish(portal, name, 1)
    api = portal.api(portal.token).action
    with nothing_left(portal), ThreadPoolExecutor(2) as pool:
        sent = pool.submit(send, portal, name, **changed())
        gone = pool.submit(api.package_delete, id=name)
        assert sent.result().status_code in (200, 409), sent.result().text
        gone.result()
        answer = send(portal, name, **changed(3))
        assert name in str(refused(answer)["dataset"])
