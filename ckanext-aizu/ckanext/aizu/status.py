"""What is known of the last check of a dataset's source; kept beside the dataset, so that a check changes nothing in it."""

import json
from contextlib import suppress
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

TASK_TYPE = "aizu_harvest"
STATES = ("ok", "unchanged", "failed")
CHECK, REPORT = "check", "report"


def record(dataset_id: str, key: str, value: dict[str, Any]) -> None:
    """Keeps one piece of knowledge about a dataset, in the place of the last one.

    Args:
        dataset_id: id of the dataset.
        key: `CHECK` or `REPORT`.
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


def read(dataset_id: str) -> dict[str, dict[str, Any]]:
    """What is known of a dataset, by key; empty for a dataset no harvester feeds."""
    rows = model.Session.query(model.TaskStatus.key, model.TaskStatus.value).filter(
        model.TaskStatus.entity_id == dataset_id, model.TaskStatus.task_type == TASK_TYPE
    )
    return {key: json.loads(value) for key, value in rows}


def add_states(datasets: list[dict[str, Any]]) -> None:
    """Adds `harvest_state` to the datasets of a list, by one query."""
    by_id = {dataset["id"]: dataset for dataset in datasets if "id" in dataset}
    if not by_id:
        return
    rows = model.Session.query(model.TaskStatus.entity_id, model.TaskStatus.state).filter(
        model.TaskStatus.entity_id.in_(by_id),
        model.TaskStatus.task_type == TASK_TYPE,
        model.TaskStatus.key == CHECK,
    )
    for dataset_id, state in rows:
        by_id[dataset_id]["harvest_state"] = state


def add_to(dataset: dict[str, Any]) -> None:
    """Adds the last check and the last report to a dataset that is about to be shown.

    Sets `harvest_state`, `harvest_checked`, `harvest_changed`, `harvest_message`,
    `harvest_message_en` and `validation_report` (JSON text).
    """
    known = read(dataset["id"])
    for name, value in known.get(CHECK, {}).items():
        dataset[f"harvest_{name}"] = value
    if REPORT in known:
        dataset["validation_report"] = json.dumps(known[REPORT], ensure_ascii=False)
