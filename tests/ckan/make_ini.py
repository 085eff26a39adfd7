"""Writes test.ini for what runs inside CKAN: the portal's servers, with a database and settings for tests."""

import json
import os
import re
import sys
from configparser import RawConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from stack import services  # noqa: E402

# What CKAN's own tests take for granted: the settings of its test-core.ini that are not CKAN's defaults.
SETTINGS = {
    "use": "egg:ckan",
    "testing": "true",
    "SECRET_KEY": "for tests only, and as long as a key has to be",
    "ckan.plugins": "aizu_search",
    "ckan.site_id": "test.ckan.net",
    "ckan.site_url": "http://test.ckan.net",
    "ckan.locale_order": "en pt_BR ja it cs_CZ ca es fr el sv sr sr@latin no sk fi ru de pl nl bg ko_KR hu sa sl lv",
    "ckan.extra_resource_fields": "alt_url",
    "ckan.auth.create_unowned_dataset": "true",
    "ckan.auth.user_create_groups": "true",
    "ckan.auth.user_create_organizations": "true",
}


def main() -> None:
    """Makes the database and the configuration."""
    var = Path(os.environ["AIZU_TEST_VAR"])
    ini = RawConfigParser()
    ini.optionxform = str  # CKAN tells SECRET_KEY from secret_key
    ini.read(var / "ckan.ini", encoding="utf-8")
    portal = ini["app:main"]
    create(portal["sqlalchemy.url"], json.loads((var / "secrets.json").read_text()))
    ini["app:main"] = {
        **SETTINGS,
        "sqlalchemy.url": f"{portal['sqlalchemy.url']}_test",
        "ckan.redis.url": re.sub("/0$", "/5", portal["ckan.redis.url"]),
        "solr_url": portal["solr_url"],
        "ckan.storage_path": str(var / "test-storage"),
    }
    with (var / "test.ini").open("w", encoding="utf-8") as file:
        ini.write(file)


def create(portal: str, secrets: dict[str, str]) -> None:
    """Makes a database beside the portal's, empty; CKAN's fixtures fill it."""
    port, name = re.search(r":(\d+)/(\w+)$", portal).groups()
    server = ["-h", "127.0.0.1", "-p", port, "-U", services.SERVER_USER]
    services.run_as_server(
        [str(services.postgres_bin() / "psql"), *server, "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        secret=secrets["postgres_password"],
        script=f"DROP DATABASE IF EXISTS {name}_test; CREATE DATABASE {name}_test OWNER {name};",
    )


if __name__ == "__main__":
    main()
