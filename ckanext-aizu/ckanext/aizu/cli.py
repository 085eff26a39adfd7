"""`ckan aizu setup`: brings databases, accounts, departments and themes up to date, in one start of CKAN."""

import json
import os
import sys
from typing import Any

import ckan.plugins.toolkit as tk
import click
from ckan import model
from ckan.cli.db import upgrade
from ckan.common import config
from ckan.lib.i18n import build_js_translations
from ckan.lib.search.common import is_available
from ckanext.datastore.backend.postgres import get_write_engine
from ckanext.datastore.cli import permissions_sql
from sqlalchemy.engine import make_url

from ckanext.aizu import city, cli_versions, fence, held, in_step, versions
from ckanext.aizu.logic.auth import HARVESTER

TOKEN_NAME = "harvesters"  # noqa: S105  a label, no secret


def get_commands() -> list[click.Command]:
    """The commands of this plugin, for IClick."""
    return [aizu]


@click.group(short_help="The city's portal.")
def aizu() -> None:
    """Commands of the city's portal."""


aizu.add_command(cli_versions.recover)
aizu.add_command(cli_versions.versions)


@aizu.command()
@click.option("--admin-name", envvar="AIZU_ADMIN_NAME", default="admin", show_default=True)
@click.option("--admin-email", envvar="AIZU_ADMIN_EMAIL", default="opendata@city.example.jp")
@click.option("--admin-password", envvar="AIZU_ADMIN_PASSWORD", required=True)
@click.option("--keep-token", is_flag=True, help="Make no new token for the harvesters.")
@click.option(
    "--user",
    "users",
    type=(str, str),
    multiple=True,
    help="An account of the demonstration, by name and id.",
)
@click.pass_context
def setup(
    context: click.Context,
    admin_name: str,
    admin_email: str,
    admin_password: str,
    keep_token: bool,
    users: tuple[tuple[str, str], ...],
) -> None:
    """Migrate the databases; make the sysadmin, the harvesters' account, departments and themes.

    The texts of the browser's scripts are translated, too: CKAN's own server would do it at its start.

    Accounts of the demonstration have ids by which its vault knows them, and passwords that nobody is told.

    What is there already is kept, the sysadmin's password included. The last line of the output
    is JSON: the new API token of the harvesters, if one was made, and whether the password given
    here is the sysadmin's.
    """
    context.invoke(upgrade, version="head", plugin="", skip_core=False, skip_plugins=False)
    datastore_permissions()
    # An index of an older form is made anew by the first who asks it: here nobody waits for a page.
    is_available()
    _account(admin_name, admin_email, admin_password)
    for name, known_as in users:
        address = f"{name}@{admin_email.partition('@')[2]}"
        _account(name, address, os.urandom(24).hex(), id=known_as)
    admin = _user(admin_name)
    admin.sysadmin = True
    password_holds = admin.validate_password(admin_password)
    token = _harvester(admin_email, keep_token=keep_token)
    model.repo.commit()
    _departments_and_themes()
    in_step.recover_all()
    build_js_translations()
    sys.stdout.write("\n" + json.dumps({"token": token, "password_holds": password_holds}) + "\n")


def datastore_permissions() -> None:
    """Runs what `ckan datastore set-permissions` prints; its owner needs no superuser for it."""
    urls = [
        make_url(config[name])
        for name in ("sqlalchemy.url", "ckan.datastore.write_url", "ckan.datastore.read_url")
    ]
    names = [urls[0].database, urls[1].database, *(url.username for url in urls)]
    script = permissions_sql(*(str(name) for name in names))
    lines = [line for line in script.splitlines() if not line.startswith("\\connect")]
    raw = get_write_engine().raw_connection()
    try:
        with raw.cursor() as cursor:
            cursor.execute("\n".join(lines))
            for kept in (versions, held, fence):
                kept.create_table(cursor, str(urls[2].username))
        raw.commit()
    finally:
        raw.close()


def _account(name: str, email: str, password: str, **values: str) -> None:
    if not model.User.get(name):
        values |= {"name": name, "email": email, "password": password}
        tk.get_action("user_create")(_as_site(), values)


def _user(name: str) -> model.User:
    user = model.User.get(name)
    if user is None:
        raise click.ClickException(f"the account {name} is not there although it was just made")
    return user


def _harvester(email: str, *, keep_token: bool) -> str | None:
    """The account that publishes: no sysadmin, known to the auth functions by a mark."""
    _account(HARVESTER, f"{HARVESTER}@{email.partition('@')[2]}", os.urandom(24).hex())
    user = _user(HARVESTER)
    user.plugin_extras = {**(user.plugin_extras or {}), "aizu": {HARVESTER: True}}
    known = tk.get_action("api_token_list")(_as_site(), {"user_id": user.id})
    if known and keep_token:
        return None
    for token in known:
        tk.get_action("api_token_revoke")(_as_site(), {"jti": token["id"]})
    made = tk.get_action("api_token_create")(_as_site(), {"user": user.id, "name": TOKEN_NAME})
    return str(made["token"])


def _departments_and_themes() -> None:
    here = city.here()
    for kind, entries, role in (
        ("organization", here["departments"], "editor"),
        ("group", here["themes"], "member"),
    ):
        for entry in entries:
            _group(kind, entry)
            member = {"id": entry["name"], "username": HARVESTER, "role": role}
            tk.get_action(f"{kind}_member_create")(_as_site(), member)


def _group(kind: str, entry: dict[str, Any]) -> None:
    """Makes a department or theme; one that is there belongs to the stewards and is left alone."""
    if model.Group.get(entry["name"]):
        return
    extras = [
        {"key": key, "value": entry[key]}
        for key in ("title_en", "description_en", "email")
        if entry.get(key)
    ]
    known = {key: entry.get(key, "") for key in ("name", "title", "description")}
    tk.get_action(f"{kind}_create")(_as_site(), {**known, "extras": extras})


def _as_site() -> Any:
    site_user = tk.get_action("get_site_user")({"ignore_auth": True}, {})
    return {"user": site_user["name"], "ignore_auth": True}
