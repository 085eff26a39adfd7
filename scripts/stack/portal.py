"""The portal itself: its secrets, its CKAN configuration, its one set-up run and the first harvest."""

import hashlib
import json
import re
import secrets as random_secrets
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stack.folder import write_private
from stack.packages import MissingError, tied
from stack.services import MAX_UPLOAD_MB
from stack.settings import ROOT, VENV, Settings

PLUGINS = (
    "aizu aizu_deep aizu_map aizu_table aizu_search activity stats image_view datastore aizu_datastore "
    "scheming_datasets dcat structured_data croissant"
)
SECRET_NAMES = (
    "postgres_password",
    "ckan_password",
    "datastore_reader_password",
    "redis_password",
    "secret_key",
    "csrf_secret_key",
    "api_token_secret",
)
_LOGGING = """
[loggers]
keys = root, ckan, werkzeug
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[logger_ckan]
level = WARNING
handlers = console
qualname = ckan
propagate = 0
[logger_werkzeug]
level = WARNING
handlers = console
qualname = werkzeug
propagate = 0
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = plain
[formatter_plain]
format = %(asctime)s %(levelname)s %(name)s %(message)s
"""


def read_secrets(var: Path) -> dict[str, str]:
    """The portal's random secrets, made on the first start and kept, readable by the owner only."""
    file = var / "secrets.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    missing = {name: random_secrets.token_hex(24) for name in SECRET_NAMES if name not in found}
    if missing:
        write_private(file, json.dumps(found | missing, indent=1))
    return found | missing


def write_ini(settings: Settings, secrets: Mapping[str, str], ports: Mapping[str, int]) -> Path:
    """Writes `var/ckan.ini` from the settings; it is made anew at every start.

    Args:
        settings: what the operator said.
        secrets: of `read_secrets`.
        ports: of the own servers: `postgres`, `redis`.
    """
    host = f"127.0.0.1:{ports.get('postgres', 0)}"
    ckan, reader = secrets["ckan_password"], secrets["datastore_reader_password"]
    encrypted = str(settings.site_url.startswith("https://")).lower()
    options = {
        "use": "egg:ckan",
        "debug": "false",
        "SECRET_KEY": secrets["secret_key"],
        "WTF_CSRF_SECRET_KEY": secrets["csrf_secret_key"],
        "SESSION_COOKIE_SECURE": encrypted,
        "REMEMBER_COOKIE_SECURE": encrypted,
        "api_token.jwt.encode.secret": f"string:{secrets['api_token_secret']}",
        "api_token.jwt.decode.secret": f"string:{secrets['api_token_secret']}",
        "sqlalchemy.url": settings["AIZU_DATABASE_URL"] or f"postgresql://ckan:{ckan}@{host}/ckan",
        "ckan.datastore.write_url": settings["AIZU_DATASTORE_WRITE_URL"]
        or f"postgresql://ckan:{ckan}@{host}/datastore",
        "ckan.datastore.read_url": settings["AIZU_DATASTORE_READ_URL"]
        or f"postgresql://datastore_reader:{reader}@{host}/datastore",
        "ckan.redis.url": redis_url(settings, secrets, ports),
        "solr_url": settings["AIZU_SOLR_URL"] or "aizu-search://postgresql",
        "ckan.site_id": "aizu",
        "ckan.site_url": settings.site_url,
        "ckan.plugins": PLUGINS,
        "ckan.storage_path": str(settings.var / "storage"),
        "ckan.max_resource_size": str(MAX_UPLOAD_MB),
        "ckan.locale_default": "ja",
        "ckan.locales_offered": "ja en",
        "ckan.display_timezone": "Asia/Tokyo",
        "scheming.dataset_schemas": "ckanext.aizu:dataset.yaml",
        "scheming.presets": "ckanext.scheming:presets.json ckanext.dcat.schemas:presets.yaml",
        "scheming.dataset_fallback": "false",
        "ckanext.dcat.rdf.profiles": "aizu_deep",
        "ckanext.dcat.enable_content_negotiation": "true",
        "ckanext.dcat.resource.inherit.license": "true",
        "ckan.views.default_views": "aizu_map aizu_table image_view",
        "licenses_group_url": f"file://{ROOT / 'ckanext-aizu/ckanext/aizu/licences.json'}",
        "ckan.cors.origin_allow_all": "true",
        "ckan.gravatar_default": "disabled",
        "ckan.auth.create_user_via_web": "false",
        "ckan.auth.public_user_details": "false",
        "ckan.auth.user_create_groups": "false",
        "ckan.auth.user_create_organizations": "false",
        "ckan.hide_version": "true",
        "aizu.deep.token_key": str(settings.var / "deep-token.pem"),
        "aizu.city_file": str(ROOT / "schemas" / "cities" / f"{settings['AIZU_CITY']}.yaml"),
        "smtp.server": settings["AIZU_SMTP_SERVER"] or "localhost",
        "smtp.starttls": settings["AIZU_SMTP_STARTTLS"],
        "smtp.user": settings["AIZU_SMTP_USER"],
        "smtp.password": settings["AIZU_SMTP_PASSWORD"],
        "smtp.mail_from": settings["AIZU_MAIL_FROM"],
        # Everybody can read this address, so it is given only where mail is sent.
        "email_to": settings["AIZU_ADMIN_EMAIL"] if settings["AIZU_SMTP_SERVER"] else "",
    }
    lines = [f"{name} = {value}" for name, value in (options | settings.ckan).items()]
    # configparser reads % as the start of an interpolation.
    body = "\n".join(line.replace("%", "%%") for line in lines)
    head = (
        "# Written by scripts/serve at every start; settings belong in aizu.env beside this file.\n"
    )
    file = settings.var / "ckan.ini"
    write_private(file, f"{head}[app:main]\n{body}\n{_LOGGING}")
    return file


def redis_url(settings: Settings, secrets: Mapping[str, str], ports: Mapping[str, int]) -> str:
    """Where Redis is: the operator's, or the portal's own with its password."""
    own = f"redis://:{secrets['redis_password']}@127.0.0.1:{ports.get('redis', 0)}/0"
    return settings["AIZU_REDIS_URL"] or own


def has_live(settings: Settings) -> bool:
    """Whether a source of the city is asked every few seconds, and needs a worker of its own."""
    city = ROOT / "schemas" / "cities" / f"{settings['AIZU_CITY']}.yaml"
    return bool(re.search(r"^ +schedule: +every ", city.read_text(encoding="utf-8"), re.MULTILINE))


def first_password(settings: Settings) -> Path:
    """Where the sysadmin's password waits until it has been shown, however often the start breaks off."""
    return settings.var / "first-password"


def set_up(
    settings: Settings, environment: Mapping[str, str], log: Path, users: Mapping[str, str]
) -> None:
    """Brings databases, accounts, departments and themes up to date, where anything changed.

    Args:
        settings: what the operator said.
        environment: of CKAN.
        log: of what it says.
        users: names and ids of the demonstration's, besides the accounts that every portal has.

    Raises:
        MissingError: the set-up failed; the message has its last line.
    """
    stamp = settings.var / "set-up"
    wanted = _fingerprint(settings, users)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    waiting = first_password(settings)
    if not waiting.exists():
        write_private(waiting, random_secrets.token_urlsafe(12))
    command = [*tied(signal.SIGTERM), str(VENV / "bin" / "ckan"), "aizu", "setup"]
    if _harvest_env(settings).get("AIZU_API_TOKEN"):
        command.append("--keep-token")
    command += [word for name, its_id in users.items() for word in ("--user", name, its_id)]
    extra = {
        "AIZU_ADMIN_PASSWORD": waiting.read_text(),
        "AIZU_ADMIN_NAME": settings["AIZU_ADMIN_NAME"],
        "AIZU_ADMIN_EMAIL": settings["AIZU_ADMIN_EMAIL"],
    }
    with log.open("ab") as errors:
        result = subprocess.run(
            command, env={**environment, **extra}, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    lines = result.stdout.strip().splitlines()
    if result.returncode:
        tail = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise MissingError(f"the set-up of CKAN failed; see {log}\n    {' '.join(tail)}")
    made = json.loads(lines[-1])
    if not made["password_holds"]:
        waiting.unlink()
    if made["token"]:
        write_harvest_env(settings, environment["AIZU_CITY_URL"], token=made["token"])
    stamp.write_text(wanted)


def write_harvest_env(
    settings: Settings,
    city_url: str,
    *,
    redis: str | None = None,
    token: str | None = None,
) -> None:
    """Leaves the harvesters what they need to reach city, portal and queue: `var/harvest.env`.

    Args:
        settings: what the operator said.
        city_url: address that stands for the city's systems; empty if there is none.
        redis: address of Redis with its password; None keeps the one that is there.
        token: a new API token; None keeps the one that is there.
    """
    before = _harvest_env(settings)
    lines = {
        "AIZU_PORTAL_URL": settings.own_url,
        "AIZU_API_TOKEN": token or before.get("AIZU_API_TOKEN", ""),
        "AIZU_CITY": settings["AIZU_CITY"],
        "AIZU_CITY_URL": city_url,
        "AIZU_CONTACT": settings["AIZU_CONTACT"],
        "AIZU_REDIS_URL": redis or before.get("AIZU_REDIS_URL", ""),
    }
    text = "".join(f"{name}={value}\n" for name, value in lines.items())
    write_private(settings.var / "harvest.env", text)


def api_token(settings: Settings) -> str:
    """The token of the harvesters; empty if an operator has taken it away."""
    return _harvest_env(settings).get("AIZU_API_TOKEN", "")


def _harvest_env(settings: Settings) -> dict[str, str]:
    file = settings.var / "harvest.env"
    lines = file.read_text().splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines)


def _fingerprint(settings: Settings, users: Mapping[str, str]) -> str:
    """Changes with every file and setting that the set-up works from."""
    names = [n for n in settings.values if n.startswith(("AIZU_DATA", "AIZU_ADMIN", "AIZU_CITY"))]
    said = [*((name, settings[name]) for name in names), *users.items()]
    digest = hashlib.sha256(repr(said).encode())
    files = sorted((ROOT / "ckanext-aizu").glob("ckanext/**/*.py"))
    files += sorted((ROOT / "ckanext-aizu").glob("ckanext/**/*.po"))
    files += [ROOT / "requirements.lock", ROOT / "schemas/cities" / f"{settings['AIZU_CITY']}.yaml"]
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
