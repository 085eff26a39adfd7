"""What is known of the last check of a dataset's source; kept beside the dataset, so that a check changes nothing in it."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.aizu import freshness, notices

JSON = dict[str, Any]
TASK_TYPE = "aizu_harvest"
STATES = ("ok", "unchanged", "failed")
CAUSES = ("source", "data", "gate", "program")
CHECK, REPORT, FINDINGS, NOTICE = "check", "report", "findings", "notice"
ALARMED = {(NOTICE, "failed"), (NOTICE, "held")}


def record(dataset_id: str, key: str, value: JSON) -> None:
    """Keeps one piece of knowledge about a dataset, in the place of the last one.

    Args:
        dataset_id: id of the dataset.
        key: `CHECK`, `REPORT`, `FINDINGS`, or `NOTICE` of what its owners know.
        value: anything JSON can hold.
    """
    context: Any = {"ignore_auth": True, "user": ""}
    entity = {"entity_id": dataset_id, "task_type": TASK_TYPE, "key": key}
    with suppress(tk.ObjectNotFound):
        entity["id"] = tk.get_action("task_status_show")(context, dict(entity))["id"]
    text = json.dumps(value, ensure_ascii=False)
    tk.get_action("task_status_update")(
        {"ignore_auth": True, "user": ""},
        {**entity, "entity_type": "dataset", "value": text, "state": value.get("state", "ok")},
    )


def read(dataset_id: str) -> dict[str, JSON]:
    """What is known of a dataset, by key; empty for a dataset no harvester feeds."""
    rows = model.Session.query(model.TaskStatus.key, model.TaskStatus.value).filter(
        model.TaskStatus.entity_id == dataset_id, model.TaskStatus.task_type == TASK_TYPE
    )
    return {key: json.loads(value) for key, value in rows}


def note(dataset_id: str, check: JSON, findings: Sequence[JSON] = ()) -> JSON:
    """Takes a check down, and since when there has been none that worked; returns all of it.

    Args:
        dataset_id: id of the dataset.
        check: state, times and words.
        findings: what is wrong with the list, by cell; of a check that worked there are none.
    """
    known = read(dataset_id)
    worked = check["state"] != "failed"
    good = check["checked"] if worked else freshness.last_good(known.get(CHECK, {}))
    noted = {**check, "good": good}
    record(dataset_id, CHECK, noted)
    if findings or known.get(FINDINGS, {}).get("cells"):
        record(dataset_id, FINDINGS, {"cells": [*findings], "checked": check["checked"]})
    before = known.get(NOTICE, {}).get("state", "well")
    if (after := notices.next_state(before, noted)) != before:
        record(dataset_id, NOTICE, {"state": after})
        notices.tell(dataset_id, after, noted)
    return noted


def note_unchanged(looks: Mapping[str, JSON]) -> None:
    """Takes down, in one transaction, that datasets were looked at and are as they should be.

    Args:
        looks: times, by the id of the dataset.
    """
    task = model.TaskStatus
    keys = [CHECK, FINDINGS, NOTICE]
    asked = model.Session.query(task).filter(task.task_type == TASK_TYPE, task.key.in_(keys))
    found = asked.filter(task.entity_id.in_(looks)).all()
    known = {(one.entity_id, one.key): one for one in found}
    empty = {"state": "unchanged", "cause": "", "message": "", "message_en": ""}
    for dataset_id, look in looks.items():
        entity = {"entity_id": dataset_id, "entity_type": "dataset", "task_type": TASK_TYPE}
        check = known.get((dataset_id, CHECK)) or task(**entity, key=CHECK)
        _put(check, {**empty, **look, "good": look["checked"]})
        if findings := known.get((dataset_id, FINDINGS)):
            _put(findings, {"cells": [], "checked": look["checked"]})
    recovered = {one.entity_id: one for one in found if (one.key, one.state) in ALARMED}
    for notice in recovered.values():
        _put(notice, {"state": "well"})
    model.Session.commit()
    for dataset_id in recovered:
        notices.tell(dataset_id, "well", looks[dataset_id])


def _put(task: model.TaskStatus, value: JSON) -> None:
    task.value = json.dumps(value, ensure_ascii=False)
    task.state = value.get("state", "ok")
    task.last_updated = datetime.now(UTC).replace(tzinfo=None)
    model.Session.add(task)


def checks(dataset_ids: list[str]) -> dict[str, JSON]:
    """The last check of each of these datasets that has had one, by one query."""
    rows = model.Session.query(model.TaskStatus.entity_id, model.TaskStatus.value).filter(
        model.TaskStatus.entity_id.in_(dataset_ids),
        model.TaskStatus.task_type == TASK_TYPE,
        model.TaskStatus.key == CHECK,
    )
    return {dataset_id: json.loads(value) for dataset_id, value in rows}


def add_checks(datasets: list[JSON]) -> None:
    """Adds the last check to the datasets of a list."""
    by_id = {dataset["id"]: dataset for dataset in datasets if "id" in dataset}
    for dataset_id, check in (checks(list(by_id)) if by_id else {}).items():
        _add(by_id[dataset_id], check)


def add_to(dataset: JSON) -> None:
    """Adds the last check and the last report to a dataset that is about to be shown.

    Sets `harvest_<name>` for each name of the check, `harvest_late_after` and
    `validation_report` (JSON text).
    """
    known = read(dataset["id"])
    _add(dataset, known.get(CHECK, {}))
    if REPORT in known:
        dataset["validation_report"] = json.dumps(known[REPORT], ensure_ascii=False)


def _add(dataset: JSON, check: JSON) -> None:
    dataset.update({f"harvest_{name}": value for name, value in check.items()})
    if check.get("cause") == "program":
        # It says where on the harvester's machine the fault is logged, which is for stewards.
        dataset.update(harvest_message="", harvest_message_en="")
    if check:
        late = freshness.late_after(check, dataset.get("frequency") or "")
        dataset["harvest_late_after"] = late.isoformat() if late else ""
