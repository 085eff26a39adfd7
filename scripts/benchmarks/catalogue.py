"""A catalogue to search in: real datasets of Tokyo where they are at hand, made ones otherwise; and its way into CKAN."""

import json
import random
import sys
import tarfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from stack.settings import ROOT

Dataset = dict[str, Any]

REAL = ROOT.parent / "shared" / "data" / "ckan" / "tokyo_package_show_all_dev.tar.gz"
ORGANIZATIONS = [f"bench-department-{number}" for number in range(12)]
GROUPS = [f"bench-theme-{number}" for number in range(12)]
_SUBJECTS = (
    *("防災", "環境", "人口", "世帯", "統計", "予算", "福祉", "保育", "学校", "図書館"),
    *("公園", "道路", "橋", "水道", "除雪", "バス", "観光", "農業", "選挙", "祭り"),
)
_KINDS = ("一覧", "計画", "統計", "位置", "推移", "台帳", "調査", "報告", "地図", "年度別")
TAGS = [f"{subject}の{kind}" for subject, kind in product(_SUBJECTS, _KINDS)]
_PAIRS = (*product(_SUBJECTS, _KINDS), ("消火栓", "一覧"))
_PLACES = (
    "会津若松市",
    "喜多方市",
    "会津美里町",
    "磐梯町",
    "猪苗代町",
    "湯川村",
    "柳津町",
    "金山町",
)
_FORMATS = ("CSV", "XLSX", "PDF", "GeoJSON", "JSON", "KML", "ZIP", "HTML", "SHP", "XML")
_CHUNK = 200
_BEGIN = datetime(2020, 1, 1)  # noqa: DTZ001 (CKAN keeps its times without a zone)


def source() -> str:
    """Where the titles come from, in words."""
    return "real datasets of Tokyo" if REAL.exists() else "made datasets: the real ones are absent"


def datasets() -> Iterator[Dataset]:
    """Datasets as CKAN's `package_show` gives them, without end; the same at every run."""
    bases = list(_real()) if REAL.exists() else [_made(*pair) for pair in _PAIRS]
    chance = random.Random(0)  # noqa: S311 (no secret)
    number = 0
    while True:
        for base in bases:
            yield _varied(base, number, number // len(bases), chance)
            number += 1


def _for_creation(dataset: Dataset) -> Dataset:
    """What `package_create` takes of a dataset."""
    fields = ("id", "name", "title", "notes", "license_id", "owner_org", "tags", "groups")
    resources = [
        {name: one[name] for name in ("id", "name", "description", "url", "format")}
        for one in dataset["resources"]
    ]
    return {**{name: dataset[name] for name in fields}, "resources": resources}


def _real() -> Iterator[Dataset]:
    with tarfile.open(REAL) as archive:
        for member in archive:
            file = archive.extractfile(member)
            text = file.read() if file else b""
            # A few of the answers are pages of errors.
            if text.startswith(b"{"):
                yield json.loads(text)["result"]


def _made(subject: str, kind: str) -> Dataset:
    resources = [
        {
            "name": f"{subject}{kind}（{form}）",
            "description": f"{subject}の{kind}です。",
            "format": form,
        }
        for form in _FORMATS[: 1 + len(subject + kind) % len(_FORMATS)]
    ]
    notes = f"市内の{subject}に関する{kind}です。更新のたびに公開します。" * 8
    return {"title": f"{subject}{kind}", "notes": notes, "resources": resources, "extras": []}


def _varied(base: Dataset, number: int, lap: int, chance: random.Random) -> Dataset:
    """A dataset of its own, from a base that may be in the catalogue already."""
    identity = str(uuid.UUID(int=number, version=4))
    title = (
        base["title"] if lap == 0 else f"{_PLACES[lap % len(_PLACES)]}の{base['title']}（{lap}）"
    )
    changed = (_BEGIN + timedelta(minutes=number)).isoformat()
    organization = ORGANIZATIONS[chance.randrange(len(ORGANIZATIONS))]
    return {
        **base,
        "id": identity,
        "name": f"bench-{number}",
        "title": title,
        "notes": base["notes"] or title,
        "type": "dataset",
        "state": "active",
        "private": False,
        "license_id": "cc-by",
        "metadata_created": changed,
        "metadata_modified": changed,
        "owner_org": organization,
        "organization": {"name": organization},
        "tags": [{"name": name} for name in chance.sample(TAGS, 3)],
        "groups": [{"name": name} for name in chance.sample(GROUPS, chance.randrange(3))],
        "resources": _resources(base["resources"], identity),
    }


def _resources(bases: Sequence[Dataset], dataset: str) -> list[Dataset]:
    return [
        {
            **base,
            "id": str(uuid.uuid5(uuid.UUID(dataset), str(position))),
            "name": base["name"] or base["format"],
            "url": base.get("url") or f"https://example.jp/{dataset}/{position}",
        }
        for position, base in enumerate(bases)
    ]


# -- into CKAN ----------------------------------------------------------------------------------


def create(found: Iterable[Dataset], count: int) -> None:
    """Makes datasets as the portal does, with their departments and themes."""
    import ckan.plugins.toolkit as tk

    site = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]

    def act(action: str, data: Dataset) -> None:
        tk.get_action(action)({"ignore_auth": True, "user": site}, data)

    for action, names in (("organization_create", ORGANIZATIONS), ("group_create", GROUPS)):
        for name in names:
            act(action, {"name": name, "title": name})
    for number, dataset in enumerate(found, 1):
        act("package_create", _for_creation(dataset))
        _progress("Creating", number, count)


def fill(found: Iterable[Dataset], done: int, size: int) -> None:
    """Adds datasets: a row, and the document that CKAN makes, in few transactions."""
    from ckan import model
    from ckan.lib.search import index_for

    index = index_for(model.Package)
    columns = set(model.package_table.columns.keys()) - {"extras", "plugin_data"}
    for number, dataset in enumerate(found, done + 1):
        row = {name: dataset.get(name) for name in columns}
        # What is written in a transaction of CKAN's is committed with it.
        model.Session.execute(model.package_table.insert(), [row])
        index.update_dict({**dataset, "with_custom_schema": dataset})
        if number % _CHUNK == 0 or number == size:
            model.Session.commit()
            _progress("Adding", number, size)
    # As the server does by itself some time after so many changes.
    with model.ensure_engine().connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in ("aizu_search.dataset", "aizu_search.stored", "package"):
            alone.exec_driver_sql(f"vacuum analyze {table}")


def _progress(what: str, number: int, count: int) -> None:
    end = "\n" if number == count else ""
    sys.stdout.write(f"\r{what} dataset {number:,}/{count:,}{end}")
    sys.stdout.flush()
