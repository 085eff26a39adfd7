"""What somebody may try in order to put rows, files or views behind a signpost; in each stands a word to be looked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from .people import Person
from .walk import Values, filled

FIELDS = [{"id": "a", "type": "text"}]
ROWS = [{"a": "{word}"}]
TABLE = {"resource_id": "{table_id}", "force": True, "fields": FIELDS, "records": ROWS}
LINK = {"name": "{word}", "url": "https://{word}.example.jp/list.csv"}
OWN, DATASET = {"id": "{table_id}"}, {"package_id": "{dataset_id}"}
PAGE = "/dataset/{dataset_id}/resource"
PUBLISHED = {
    "dataset": '{"name": "{dataset_id}", "title": "{word}", "notes": "x", "license_id": "cc-by"}',
    "organization": '{"name": "{organization_id}", "title": "x"}',
    "resources": '[{"name": "a", "title": "x", "schema": {"fields": [{"name": "a", "type": "string"}]}}]',
    "source": '{"url": "https://example.jp/list.csv"}',
    "report": '{"valid": true, "tasks": []}',
    "override_reason": "試験",
}


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A call of an action, or a form that a browser sends if it is to a path.

    Attributes:
        file: the name of the part that is a file.
    """

    to: str
    told: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""

    @property
    def by_form(self) -> bool:
        """Whether a browser sends it."""
        return self.to.startswith("/")

    def by(self, person: Person, values: Values) -> requests.Response:
        """Tries it."""
        to, told = next(filled(self.to, values)), next(filled(self.told, values))
        options: dict[str, Any] = {"timeout": 60, "allow_redirects": False}
        if self.file:
            content = f"a\r\n{values['word'][0]}\r\n"
            options["files"] = {self.file: ("list.csv", content.encode())}
        if self.by_form:
            told = {"save": "go", **told, **person.form}
            return person.browser.post(person.portal.url + to, data=told, **options)
        options["data" if self.file else "json"] = told
        return person.program.post(f"{person.portal.url}/api/3/action/{to}", **options)


ATTEMPTS = {
    "table": Attempt(to="datastore_create", told=TABLE),
    "table with an alias": Attempt(
        to="datastore_create", told=TABLE | {"aliases": ["{word}"], "primary_key": ["a"]}
    ),
    "table with a trigger": Attempt(
        to="datastore_create", told=TABLE | {"triggers": [{"function": "{word}"}]}
    ),
    "table of a new resource": Attempt(
        to="datastore_create",
        told={"resource": DATASET | {"name": "{word}"}, "fields": FIELDS, "records": ROWS},
    ),
    "rows": Attempt(to="datastore_upsert", told=TABLE | {"method": "insert"}),
    "file": Attempt(to="resource_patch", told=OWN, file="upload"),
    "file, said to be one": Attempt(
        to="resource_update", told=OWN | {"url_type": "upload", "name": "{word}"}, file="upload"
    ),
    "file beside it": Attempt(
        to="resource_create", told=DATASET | {"name": "{word}"}, file="upload"
    ),
    "file in a revision": Attempt(
        to="package_revise",
        told={"match__name": "{dataset_id}"},
        file="update__resources__0__upload",
    ),
    "file of its own": Attempt(to="file_create", told={"name": "{word}"}, file="upload"),
    "link": Attempt(to="resource_patch", told=OWN | LINK),
    "link beside it": Attempt(to="resource_create", told=DATASET | LINK),
    "link in its place": Attempt(
        to="package_patch", told={"id": "{dataset_id}", "resources": [OWN | LINK]}
    ),
    "view": Attempt(
        to="resource_view_create",
        told={"resource_id": "{table_id}", "view_type": "aizu_table", "title": "{word}"},
    ),
    "table designer": Attempt(
        to="resource_patch", told=OWN | {"url_type": "tabledesigner", "description": "{word}"}
    ),
    "datapusher": Attempt(to="datapusher_submit", told={"resource_id": "{table_id}"}),
    "publication": Attempt(to="aizu_publish", told=PUBLISHED, file="table:a"),
    "undoing": Attempt(to="aizu_undo", told={"name": "{dataset_id}", "to": 1, "reason": "{word}"}),
    "approval": Attempt(
        to="aizu_approve",
        told={"name": "{dataset_id}", "content_hash": "{word}", "reason": "{word}"},
    ),
    "form: file": Attempt(
        to=PAGE + "/{table_id}/edit",
        told={"name": "{word}", "url_type": "upload", "url": "list.csv"},
        file="upload",
    ),
    "form: link": Attempt(to=PAGE + "/{table_id}/edit", told=LINK),
    "form: new file": Attempt(
        to=PAGE + "/new", told={"id": "", "name": "{word}", "url": "list.csv"}, file="upload"
    ),
    "form: new link": Attempt(to=PAGE + "/new", told=LINK | {"id": ""}),
    "form: link by its id": Attempt(to=PAGE + "/new", told=LINK | OWN),
    "form: second signpost": Attempt(
        to=PAGE + "/new", told=LINK | {"id": "", "url_type": "deep_data"}
    ),
    "form: view": Attempt(
        to=PAGE + "/{table_id}/new_view?view_type=aizu_table", told={"title": "{word}"}
    ),
    "form: dictionary": Attempt(
        to="/dataset/{dataset_id}/dictionary/{table_id}", told={"info__0__label": "{word}"}
    ),
    "form: held": Attempt(
        to="/dataset/{dataset_id}/held", told={"content_hash": "{word}", "reason": "{word}"}
    ),
}
