"""Every setting of the `aizu` command, read from the environment or from `$AIZU_VAR/harvest.env`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harvesters.errors import ConfigurationError

FILE_NAME = "harvest.env"
DEFAULTS = {
    "AIZU_PORTAL_URL": "",
    "AIZU_API_TOKEN": "",
    "AIZU_CITY": "aizuwakamatsu",
    "AIZU_CITY_URL": "",
    "AIZU_CONTACT": "",
    "AIZU_REDIS_URL": "",
    "AIZU_VAR": "var",
}


CHECKOUT = Path(__file__).resolve().parents[1]
"""Where scripts/serve keeps its `var`, unless the package was installed as a copy."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where to fetch from, where to publish, and who we say we are."""

    portal_url: str
    """Address of the portal, for example http://127.0.0.1:5000 (AIZU_PORTAL_URL)."""

    api_token: str
    """API token of the account that publishes (AIZU_API_TOKEN)."""

    city: str
    """Name of the city file in schemas/cities (AIZU_CITY)."""

    city_url: str
    """Address of the city's server; city files may say {AIZU_CITY_URL} (AIZU_CITY_URL)."""

    contact: str
    """Mail address or page that a server's operator finds in our User-Agent (AIZU_CONTACT)."""

    redis_url: str
    """Address of the portal's Redis, where runs are queued and journaled (AIZU_REDIS_URL)."""

    var: Path
    """Folder for what the runs leave behind (AIZU_VAR)."""

    @property
    def servers(self) -> tuple[str, str]:
        """What addresses in city files may begin with: the city's server, and the portal."""
        return self.city_url, self.portal_url

    @property
    def file(self) -> Path:
        """Where settings are read from that the environment does not have."""
        return self.var / FILE_NAME


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force: the environment first, then harvest.env, then the defaults."""
    var = _var(environ.get("AIZU_VAR", ""))
    values = DEFAULTS | _env_file(var / FILE_NAME)
    values |= {name: environ[name] for name in DEFAULTS if environ.get(name)}
    return Settings(
        portal_url=values["AIZU_PORTAL_URL"].rstrip("/"),
        api_token=values["AIZU_API_TOKEN"],
        city=values["AIZU_CITY"],
        city_url=values["AIZU_CITY_URL"].rstrip("/"),
        contact=values["AIZU_CONTACT"],
        redis_url=values["AIZU_REDIS_URL"],
        var=var,
    )


def need_portal(settings: Settings) -> None:
    """Refuses to begin where nothing could be published in the end."""
    needed = {"AIZU_PORTAL_URL": settings.portal_url, "AIZU_API_TOKEN": settings.api_token}
    names = ", ".join(name for name, value in needed.items() if not value)
    if not names:
        return
    there = settings.file.is_file()
    raise ConfigurationError(
        f"設定 {names} が、環境変数にも {settings.file}{'' if there else '（ファイルなし）'} にも"
        "ありません。ポータルを scripts/serve で起動すると書かれます。",
        f"the setting {names} is neither in the environment nor in {settings.file}"
        f"{'' if there else ' (no such file)'}; scripts/serve writes it",
    )


def _var(told: str) -> Path:
    """The folder told, else that of the checkout, whichever folder the command is called from."""
    if told:
        return Path(told).absolute()
    own = CHECKOUT / DEFAULTS["AIZU_VAR"]
    return own if own.is_dir() else Path(DEFAULTS["AIZU_VAR"]).absolute()


def _env_file(path: Path) -> dict[str, str]:
    """The KEY=value lines of a file that need not exist."""
    if not path.is_file():
        return {}
    pairs = (
        line.partition("=")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "=" in line and not line.lstrip().startswith("#")
    )
    return {name.strip(): value.strip() for name, _, value in pairs}
