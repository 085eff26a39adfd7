"""Tells those who answer for a dataset that its updates fail or are held back, and that they work again: once each time.

By CKAN's notifier, which is mail unless a plugin sends it elsewhere.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import redis
from ckan import model
from rq import Retry

JSON = dict[str, Any]
State = Literal["well", "failed", "held"]
PATIENCE = timedelta(hours=24)
"""A source that does not answer for longer needs a person, too."""
AGAIN_S = [60, 600, 3600, 6 * 3600, 24 * 3600]
"""When a mail server is asked again that has refused."""

PAGES = {
    "failed": "/aizu/stewards/{name}",
    "held": "/dataset/{name}/held",
    "well": "/dataset/{name}",
}
SUBJECTS = {
    "failed": "更新できていません: {title} / Updates are failing",
    "held": "更新を見合わせています: {title} / Update held back",
    "well": "ふたたび更新できました: {title} / Updates work again",
}
BODIES = {
    "failed": """\
{title} を更新できていません。公開中のデータは、最後に正しく取得できたものです。

理由: {message}
詳しくは: {url}

Updates of {title_en} are failing; readers keep the last good version.

Reason: {message_en}
More: {url}
""",
    "held": """\
{title} の更新を見合わせています。内容を見て、承認するか破棄してください。公開中のデータは変わっていません。

理由: {message}
詳しくは: {url}

An update of {title_en} is held back until somebody approves or discards it; readers keep what they had.

Reason: {message_en}
More: {url}
""",
    "well": """\
{title} をふたたび更新できるようになりました。することはありません。

詳しくは: {url}

Updates of {title_en} work again. There is nothing to do.

More: {url}
""",
}

log = logging.getLogger(__name__)


def next_state(before: State, check: Mapping[str, Any]) -> State:
    """What the owners know after a check: a source that is silent for a while is no news.

    Args:
        before: what they know.
        check: the last one, as it is kept.
    """
    if check["state"] != "failed":
        return "well"
    if check.get("cause") == "gate":
        return "held"
    if check.get("cause") == "source" and not _for_long(check):
        return before
    return "failed"


def _for_long(check: Mapping[str, Any]) -> bool:
    good = check.get("good")
    if not good:
        return False
    return datetime.fromisoformat(check["checked"]) - datetime.fromisoformat(good) > PATIENCE


def tell(dataset_id: str, state: State, check: Mapping[str, Any]) -> None:
    """Hands the news to the background worker, one job for each person.

    Args:
        dataset_id: the dataset; its state has just become another one, and that is already kept.
        state: the new one.
        check: why.
    """
    if not _may_reach_people():
        _say_that_nobody_is_told()
        return
    dataset = tk.get_action("package_show")({"ignore_auth": True}, {"id": dataset_id})
    subject, body = _words(dataset, state, check)
    for name, address in _owners(dataset):
        try:
            tk.enqueue_job(
                mail,
                [name, address, subject, body],
                title=f"mail to {address}: {dataset['name']} {state}",
                rq_kwargs={"retry": Retry(max=len(AGAIN_S), interval=AGAIN_S)},
            )
        except redis.RedisError:
            log.exception("%s is not told that %s is %s", address, dataset["name"], state)


def mail(name: str, address: str, subject: str, body: str) -> None:
    """The job: one mail to one person; a mail server that refuses it is asked again later."""
    tk.mail_recipient(name, address, subject, body)


def _may_reach_people() -> bool:
    return bool(tk.config.get("smtp.server")) or any(p.PluginImplementations(p.INotifier))


@cache
def _say_that_nobody_is_told() -> None:
    log.warning("No mail is sent to the owners of datasets: AIZU_SMTP_SERVER is not set")


def _words(dataset: JSON, state: State, check: Mapping[str, Any]) -> tuple[str, str]:
    title = " ".join(dataset["title"].split())
    told = {
        "title": title,
        "title_en": dataset.get("title_en") or title,
        "message": check.get("message", ""),
        "message_en": check.get("message_en") or check.get("message", ""),
        "url": tk.config["ckan.site_url"] + PAGES[state].format(name=dataset["name"]),
    }
    return SUBJECTS[state].format(**told), BODIES[state].format(**told)


def _owners(dataset: JSON) -> list[tuple[str, str]]:
    """Editors and administrators of the department who have an address; else the dataset's contact."""
    people = (
        model.Session.query(model.User)
        .join(model.Member, model.Member.table_id == model.User.id)
        .filter(
            model.Member.group_id == dataset["owner_org"],
            model.Member.table_name == "user",
            model.Member.state == "active",
            model.Member.capacity.in_(["admin", "editor"]),
            model.User.state == "active",
        )
    )
    found = {
        user.email: user.display_name
        for user in people
        if user.email and not (user.plugin_extras or {}).get("aizu")
    }
    contacts = {one.get("email"): one.get("name") or "" for one in dataset.get("contact") or []}
    kept = found or contacts or {dataset.get("maintainer_email"): dataset.get("maintainer") or ""}
    return [(name, address) for address, name in kept.items() if address]
