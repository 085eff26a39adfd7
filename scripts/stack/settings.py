"""Every setting an operator may give, declared once: by environment, in `var/aizu.env`, or left at its default."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE_NAME = "aizu.env"
# Shared by all portals of one checkout.
VENV = ROOT / ".venv"
_LINE = re.compile(r"^(?:export\s+)?([A-Za-z_][\w.:-]*)\s*=\s*(.*?)\s*$")


class SettingError(Exception):
    """A setting cannot be used; the message names it, what came and what was expected."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One name an operator may set, with its default and what it means."""

    name: str
    default: str
    meaning: str


DECLARED: tuple[Setting, ...] = (
    Setting(name="AIZU_VAR", default="var", meaning="Folder of all data, logs and secrets."),
    Setting(name="AIZU_PORT", default="5000", meaning="Port on which people reach the portal."),
    Setting(
        name="AIZU_BIND",
        default="127.0.0.1",
        meaning="Address to listen on; 0.0.0.0 lets other machines in (:: those with IPv6).",
    ),
    Setting(
        name="AIZU_SITE_URL",
        default="",
        meaning="Address people type, without a path; default: of AIZU_BIND and AIZU_PORT.",
    ),
    Setting(
        name="AIZU_CITY",
        default="aizuwakamatsu",
        meaning="Which schemas/cities/*.yaml this portal serves.",
    ),
    Setting(
        name="AIZU_CITY_URL",
        default="",
        meaning="Address that stands for the city's systems in the city file; default: the "
        "simulated city that is started with the portal.",
    ),
    Setting(
        name="AIZU_CONTACT",
        default="opendata@city.example.jp",
        meaning="Contact address that the harvesters send in their User-Agent.",
    ),
    Setting(name="AIZU_ADMIN_NAME", default="admin", meaning="Name of the first sysadmin."),
    Setting(
        name="AIZU_ADMIN_EMAIL",
        default="opendata@city.example.jp",
        meaning="Mail address of the first sysadmin.",
    ),
    Setting(name="AIZU_WORKERS", default="2", meaning="Web worker processes (150 to 250 MB each)."),
    Setting(
        name="AIZU_DATABASE_URL",
        default="",
        meaning="Existing PostgreSQL database of the catalogue "
        "(postgresql://user:password@host/ckan); default: an own cluster below AIZU_VAR.",
    ),
    Setting(
        name="AIZU_DATASTORE_WRITE_URL",
        default="",
        meaning="Existing DataStore database, owner's address; needed with AIZU_DATABASE_URL.",
    ),
    Setting(
        name="AIZU_DATASTORE_READ_URL",
        default="",
        meaning="Existing DataStore database, read-only role; needed with AIZU_DATABASE_URL.",
    ),
    Setting(
        name="AIZU_REDIS_URL",
        default="",
        meaning="Existing Redis (redis://host:6379/0); default: an own one below AIZU_VAR.",
    ),
    Setting(
        name="AIZU_SOLR_URL",
        default="",
        meaning="Existing Solr core (http://host:8983/solr/ckan); default: the embedded search.",
    ),
    Setting(name="AIZU_SMTP_SERVER", default="", meaning="Mail server, host:port; empty: no mail."),
    Setting(name="AIZU_SMTP_USER", default="", meaning="User at the mail server."),
    Setting(name="AIZU_SMTP_PASSWORD", default="", meaning="Password at the mail server."),
    Setting(name="AIZU_SMTP_STARTTLS", default="false", meaning="true: encrypt mail by STARTTLS."),
    Setting(
        name="AIZU_MAIL_FROM",
        default="opendata@city.example.jp",
        meaning="Sender of the portal's mail.",
    ),
)
# Where this machine reaches what listens everywhere.
_FROM_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_DEFAULTS = {setting.name: setting.default for setting in DECLARED}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What this portal was told, by name, and the CKAN options that were passed through."""

    values: dict[str, str]
    ckan: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    @property
    def var(self) -> Path:
        """Absolute path of the folder of all data."""
        return (ROOT / self["AIZU_VAR"]).absolute()

    @property
    def port(self) -> int:
        """Port on which people reach the portal."""
        return int(self["AIZU_PORT"])

    @property
    def site_url(self) -> str:
        """Address people type, without a trailing slash."""
        return (self["AIZU_SITE_URL"] or self.own_url).rstrip("/")

    @property
    def own_url(self) -> str:
        """Address at which this machine itself reaches the portal."""
        host = _FROM_HERE.get(self["AIZU_BIND"], self["AIZU_BIND"])
        return f"http://{in_address(host)}:{self.port}"

    @property
    def own_postgres(self) -> bool:
        """Whether the portal brings its own PostgreSQL cluster."""
        return not self["AIZU_DATABASE_URL"]

    @property
    def own_redis(self) -> bool:
        """Whether the portal brings its own Redis."""
        return not self["AIZU_REDIS_URL"]


def in_address(host: str) -> str:
    """A host as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def load(*, var: str | None = None, port: int | None = None) -> Settings:
    """Reads the settings; command line before environment before file before default.

    Args:
        var: `--var` of the command line, relative to the current folder.
        port: `--port` of the command line.

    Raises:
        SettingError: a name is unknown or a value cannot be used.
    """
    given = {name: value for name, value in os.environ.items() if name in _DEFAULTS}
    if var is not None:
        given["AIZU_VAR"] = var
    if "AIZU_VAR" in given:
        # Relative to where it is said; the default, below, is relative to the checkout.
        given["AIZU_VAR"] = str(Path(given["AIZU_VAR"]).absolute())
    if port is not None:
        given["AIZU_PORT"] = str(port)
    folder = ROOT / given.get("AIZU_VAR", _DEFAULTS["AIZU_VAR"])
    written, ckan = _read(folder / FILE_NAME)
    settings = Settings(values=_DEFAULTS | written | given, ckan=ckan)
    _check(settings)
    return settings


def _read(file: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Splits the operator's file into our settings and CKAN's options (`ckan.…`, with a dot)."""
    ours: dict[str, str] = {}
    ckan: dict[str, str] = {}
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if not match:
            raise SettingError(f"{file}, line {number}: expected NAME=value, found {line!r}")
        name, value = match[1], _unquoted(match[2])
        if name in _DEFAULTS:
            ours[name] = value
        elif "." in name:
            ckan[name] = value
        else:
            raise SettingError(
                f"{file}, line {number}: unknown setting {name}; known are "
                f"{', '.join(_DEFAULTS)} and CKAN's own options, which have a dot"
            )
    return ours, ckan


def _unquoted(value: str) -> str:
    quoted = re.fullmatch(r"""(["'])(.*)\1""", value)
    return quoted[2] if quoted else value


def _check(settings: Settings) -> None:
    if not settings["AIZU_PORT"].isdecimal() or not 0 < settings.port < 65536:
        raise SettingError(f"AIZU_PORT: expected 1 to 65535, found {settings['AIZU_PORT']!r}")
    if not settings["AIZU_WORKERS"].isdecimal() or settings["AIZU_WORKERS"] == "0":
        raise SettingError(f"AIZU_WORKERS: expected 1 or more, found {settings['AIZU_WORKERS']!r}")
    databases = ("AIZU_DATABASE_URL", "AIZU_DATASTORE_WRITE_URL", "AIZU_DATASTORE_READ_URL")
    missing = [name for name in databases if not settings[name]]
    if 0 < len(missing) < len(databases):
        raise SettingError(f"an existing PostgreSQL needs all three addresses; missing: {missing}")
    if "%" in settings["AIZU_DATABASE_URL"]:
        # CKAN hands the address to alembic's configparser, which takes % for an interpolation.
        raise SettingError(
            "AIZU_DATABASE_URL: CKAN cannot migrate a database whose address has a %; choose a "
            "password that needs no escaping"
        )
    city = ROOT / "schemas" / "cities" / f"{settings['AIZU_CITY']}.yaml"
    if not city.exists():
        known = ", ".join(sorted(file.stem for file in city.parent.glob("*.yaml")))
        raise SettingError(f"AIZU_CITY: no file {city}; known cities: {known}")
