"""Whatever is handed to aizu_publish: what cannot be published is refused by name, and nothing of it stays."""

import gzip
import io
import json
import uuid
import zipfile

import pytest
import requests

from .dataset_versions import FIELDS, call, csv_of, files_of
from .leftovers import nothing_left

ADDRESS = "/api/3/action/aizu_publish"


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


def send(portal, name, *, token=None, raw=None, files=None, headers=None, **changes):
    """The call as a program makes it by itself, without a library that knows CKAN."""
    parts = {
        part: value if isinstance(value, str) else json.dumps(value)
        for part, value in call(name, **changes).items()
    }
    sent = {part: (file, text.encode()) for part, (file, text) in files_of(1).items()}
    sent |= files or {}
    return requests.post(
        portal.url + ADDRESS,
        headers={"Authorization": portal.token if token is None else token, **(headers or {})},
        timeout=60,
        **({"data": raw} if raw is not None else {"data": parts, "files": sent}),
    )


def refused(answer, part=""):
    """What the portal says against a call: its error, by part."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:500])
    error = answer.json()["error"]
    assert part in json.dumps(error, ensure_ascii=False), error
    return error


def table(text):
    """A table in the place of the sound one."""
    return {
        "files": {"table:list": ("list.csv", text if isinstance(text, bytes) else text.encode())}
    }


def schema(**changes):
    """The table with another schema."""
    described = {"fields": FIELDS, "primaryKey": ["id"], **changes}
    return {"resources": [{"name": "list", "title": "一覧", "schema": described}]}


def column(which, **changes):
    """The schema with one column changed."""
    return schema(fields=[one | (changes if one["name"] == which else {}) for one in FIELDS])


def bomb(mb):
    """A zip of so many megabytes of nothing."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", bytes(mb << 20))
    return packed.getvalue()


HEAD = csv_of(1, 0)
DEEP = "[" * 100_000 + "]" * 100_000
LIES = {
    "column that is not there": (schema(fields=[*FIELDS, {"name": "no"}]), "table:list", "no"),
    "column nobody told of": (schema(fields=FIELDS[:-1]), "table:list", FIELDS[-1]["name"]),
    "text for a number": (table(HEAD + "1,abc,37.49,139.9\r\n"), "table:list", "abc"),
    "word for a date": (
        {**column("v", type="date"), **table(HEAD + "1,now,37.49,139.9\r\n")}, "table:list", "now"),
    "infinity": (table(HEAD + "1,1,37.49,Infinity\r\n"), "table:list", "Infinity"),
    "same key twice": (table(HEAD + "1,1,37,139\r\n2,1,37,139\r\n1,1,37,139\r\n"), "table:list", "4"),
    "no key": (table(HEAD + ",1,37,139\r\n"), "table:list", "2"),
    "required": ({**column("v", constraints={"required": True}), **table(HEAD + "1,,37,139\r\n")},
        "table:list", "required"),
    "enum": (column("v", constraints={"enum": [2, 3]}), "table:list", "enum"),
    "pattern": (column("id", constraints={"pattern": "[0-8]+"}), "table:list", "9"),
    "minimum": (column("経度", constraints={"minimum": 139.905}), "table:list", "139.905"),
    "unique": (column("v", constraints={"unique": True}), "table:list", "3"),
    "key of no column": (schema(primaryKey=["no"]), "resources", "no"),
    "bound of no number": (column("v", constraints={"minimum": "x"}), "resources", "minimum"),
    "pattern without end": (column("id", constraints={"pattern": "(a{9999}){9999}"}), "resources", "pattern"),
    "column of the system": (column("経度", name="ctid"), "resources", "ctid"),
    "column with NUL": (column("経度", name="a\0b"), "resources", "x00"),
    "column of half a character": (column("経度", name="\ud800"), "resources", "ud800"),
    "million columns": (schema(fields=[{"name": f"c{n}"} for n in range(20_000)]), "resources", "20000"),
    "rows of the report": ({"report": {"valid": True, "tasks": [
        {"name": "list", "errors": [], "stats": {"rows": 31}}]}}, "report", "31"),
    "report of another file": ({"report": {"valid": True, "tasks": [
        {"name": "list", "errors": [], "stats": {"sha256": "0" * 64}}]}}, "report", "list"),
}  # fmt: skip
CONTENTS = {
    "nothing": (table(b""), "table:list"),
    "not UTF-8": (table(csv_of(1).replace("id,", "番号,").encode("cp932")), "table:list"),
    "cut in a character": (table(csv_of(1).encode() + "あ".encode()[:2]), "table:list"),
    "NUL": (table(HEAD + "1\0,1,37.49,139.9\r\n"), "table:list"),
    "zip as table": (table(bomb(50)), "table:list"),
    "gzip as table": (table(gzip.compress(csv_of(1).encode())), "table:list"),
    "web page": (table("<!DOCTYPE html><title>404</title>"), "table:list"),
    "million columns": (table(",".join(f"c{n}" for n in range(1_000_000))), "table:list"),
    "row too long": (table(HEAD + "1,1,37.49,139.9,5\r\n"), "table:list"),
    "quote without end": (table(HEAD + '"1,1,37.49,139.9\r\n'), "table:list"),
    "number beyond all": (table(HEAD + "1,99999999999999999999,37.49,139.9\r\n"), "table:list"),
    "number of many digits": (table(HEAD + f"1,1,{'9' * 200_000},139.9\r\n"), "table:list"),
}
JSON = {
    "deep": ({"dataset": DEEP}, "dataset"),
    "deep in a field": ({"source": '{"url": "x", "y": ' + DEEP + "}"}, "source"),
    "not so deep": (
        {"dataset": {"name": "x", "extras": json.loads("[" * 500 + "]" * 500)}},
        "dataset",
    ),
    "huge number": ({"report": '{"valid": true, "x": ' + "9" * 10_000 + "}"}, "report"),
    "NaN": ({"source": '{"url": "x", "y": NaN}'}, "source"),
    "NUL": ({"source": {"url": "x\0"}}, "source"),
    "half a character": ({"source": '{"url": "\\ud800"}'}, "source"),
    "NUL in a title": ({"dataset": {"title": "a\0"}}, "dataset"),
    "limits without end": ({"limits": '{"minimum": Infinity}'}, "limits"),
    "no object": ({"limits": "[]"}, "limits"),
    "number of a version": ({"replaces": "99999999999999999999"}, "replaces"),
    "no number of a version": ({"replaces": "1; DROP TABLE x"}, "replaces"),
    "no truth": ({"resources": "true"}, "resources"),
    "no json": ({"organization": "{"}, "organization"),
    "no text": ({"organization": {"name": {"a": 1}}}, "organization"),
    "name that is an address": ({"dataset": {"name": "../../x", "title": "x"}}, "name"),
}


@pytest.mark.parametrize("case", LIES)
def test_descriptor_that_lies(portal, name, case):
    """The portal reads the table itself: column, row and value of what does not fit are named."""
    changes, part, said = LIES[case]
    with nothing_left(portal):
        told = refused(send(portal, name, **changes), said)
    assert part in told
    assert not known(portal, name)


@pytest.mark.parametrize("case", CONTENTS)
def test_file_that_is_no_table(portal, name, case):
    """Bytes that are no CSV in UTF-8 are refused by the name of their part."""
    changes, part = CONTENTS[case]
    with nothing_left(portal):
        assert part in refused(send(portal, name, **changes))
    assert not known(portal, name)


@pytest.mark.parametrize("case", JSON)
def test_json_that_is_none(portal, name, case):
    """JSON that nobody can read or keep is refused by the name of its part."""
    changes, part = JSON[case]
    with nothing_left(portal):
        assert part in refused(send(portal, name, **changes))
    assert not known(portal, name)


def known(portal, name):
    """Whether the portal knows a dataset of that name, be it a draft."""
    asked = {"params": {"id": name}, "headers": {"Authorization": portal.token}}
    return portal.get("/api/3/action/package_show", **asked).ok
