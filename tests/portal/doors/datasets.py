"""Datasets whose content is canaries: one made by hand, one published in versions."""

import io
import random
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ckanapi import ValidationError

from tests.portal.conftest import Portal
from tests.portal.dataset_versions import publish

from .people import People, Person
from .walk import Target, Values

FIELDS = {"id": "integer", "v": "string", "緯度": "number", "経度": "number"}
SCHEMA = {
    "fields": [{"name": name, "type": kind} for name, kind in FIELDS.items()],
    "primaryKey": ["id"],
}
COMMON: Values = {
    "ver": ["3"],
    "format": ["ttl", "xml", "jsonld", "rdf"],
    "target_locale": ["en"],
    "storage_name": ["default"],
    "number": ["1", "2"],
    "before": ["1"],
    "after": ["2"],
}


def canaries(*kinds: str) -> dict[str, str]:
    """A fresh word for each kind of content; for counts, a number that stands on few pages by chance."""
    found = {kind: f"{kind}{uuid.uuid4().hex[:12]}" for kind in kinds}
    if "count" in found:
        found["count"] = str(random.randrange(11_000, 13_000))
    return found


def by_hand(people: People) -> Target:
    """A dataset with a table, an uploaded file, a linked address and a view, as stock CKAN makes them."""
    editor, words = people["editor"], canaries("row", "file", "link", "count")
    title = f"扉{uuid.uuid4().hex[:6]}"
    dataset = editor.api.package_create(
        name=f"test-{uuid.uuid4().hex[:8]}",
        title=title,
        notes="試験",
        tags=[{"name": title}],
        license_id="cc-by",
        owner_org=people.department,
    )
    ident = dataset["id"]
    table = _table(editor, ident, words)
    upload = io.BytesIO(f"a,b\r\n1,{words['file']}\r\n".encode())
    upload.name = "list.csv"
    file = editor.api.resource_create(package_id=ident, name="試験", format="CSV", upload=upload)
    address = f"https://{words['link']}.example.jp/list.csv"
    link = editor.api.resource_create(package_id=ident, name="試験", url=address)
    view = editor.api.resource_view_create(resource_id=table, title="試験", view_type="aizu_table")
    resources = {"table_id": [table], "file_id": [file["id"]], "link_id": [link["id"]]}
    more = {"view_id": [view["id"]], "filename": ["list.csv"], **resources}
    return Target(canaries=words, values=values(people, dataset, title, more))


def published(portal: Portal, people: People) -> Target:
    """A dataset of two versions and one that is held back, as aizu_publish makes them."""
    words = canaries("row", "file", "held", "link")
    name, title = f"test-{uuid.uuid4().hex[:8]}", f"扉{uuid.uuid4().hex[:6]}"
    editor = people["editor"]
    told = {"name": name, "title": title, "notes": "試験", "license_id": "cc-by"}
    told["tags"] = [{"name": title}]
    changes = {
        "dataset": told,
        "organization": {"name": people.department, "title": "扉の試験"},
        "source": {"url": f"https://{words['link']}.example.jp/list.csv"},
        "resources": [{"name": "list", "title": "一覧", "title_en": "List", "schema": SCHEMA}],
        "limits": {},
    }

    def sent(word: str, rows: int) -> dict[str, Any]:
        cells = [f"{row},{word}{row},37.49{row % 10},139.93" for row in range(rows)]
        lines = [",".join(FIELDS), *cells, ""]
        files = {
            "table:list": ("list.csv", "\r\n".join(lines).encode()),
            "original": ("raw.txt", words["file"].encode()),
        }
        return publish(portal, name, 1, token=editor.token, **changes, files=files)

    sent(words["row"], 19)
    ids = sent(words["row"], 20)["resources"]
    with suppress(ValidationError):
        sent(words["held"], 1)
    dataset = editor.api.package_show(id=name)
    more = {
        "table_id": [ids["table:list"]],
        "file_id": [ids["original"]],
        "filename": [*(one["url"].rsplit("/", 1)[-1] for one in dataset["resources"])],
    }
    return Target(canaries=words, values=values(people, dataset, title, more))


def made_private(people: People, target: Target) -> Target:
    """The dataset from now on private and changed: the change is what nobody has seen who must not."""
    editor, ident = people["editor"], target.values["dataset_uuid"][0]
    words = {**target.canaries, **canaries("later")}
    dataset = editor.api.package_patch(id=ident, private=True, notes=words["later"])
    return Target(canaries=words, values={**target.values, **_arguments(editor, dataset)})


def values(people: People, dataset: dict[str, Any], title: str, more: Values) -> Values:
    """What stands for the arguments of routes and actions where they are about a dataset."""
    editor, ident = people["editor"], dataset["id"]
    told = {"object": ident, "object_type": "package", "capacity": "public"}
    people["sysadmin"].api.member_create(id=people.theme, **told)
    return {
        **COMMON,
        **_arguments(editor, editor.api.package_show(id=ident)),
        "organization_id": [people.department],
        "group_id": [people.theme],
        "tag_id": [title],
        "user_id": [editor.name],
        "title": [title],
        **more,
    }


def _arguments(editor: Person, dataset: dict[str, Any]) -> Values:
    activities = editor.api.package_activity_list(id=dataset["id"])
    return {
        "dataset_id": [dataset["name"]],
        "dataset_uuid": [dataset["id"]],
        "dataset_series_id": [dataset["name"]],
        "stewards_name": [dataset["name"]],
        # Those with an address or a file of their own first.
        "resource_id": [one["id"] for one in reversed(dataset["resources"])],
        "activity_id": [one["id"] for one in activities],
    }


def _table(editor: Person, ident: str, words: Mapping[str, str]) -> str:
    rows = [{"a": words["row"]}] * int(words["count"])
    told = {
        "resource": {"package_id": ident, "name": "試験"},
        "fields": [{"id": "a", "type": "text"}],
    }
    table: str = editor.api.datastore_create(**told, records=rows)["resource_id"]
    return table
