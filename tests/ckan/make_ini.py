"""Writes var/test/test.ini for the tests that run inside CKAN: the portal's servers, databases of their own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from stack import services  # noqa: E402

PLUGINS = "aizu_search datastore text_view"
DATABASES = {"ckan": "ckan_test", "datastore": "datastore_test"}


def main() -> None:
    """Makes the databases and the configuration."""
    var = Path(os.environ["AIZU_TEST_VAR"])
    ini = (var / "ckan.ini").read_text(encoding="utf-8")
    port = int(re.search(r"^sqlalchemy\.url = .*:(\d+)/ckan$", ini, re.MULTILINE)[1])
    secrets = json.loads((var / "secrets.json").read_text())
    create(port, secrets["postgres_password"])
    for name, test in DATABASES.items():
        ini = re.sub(
            rf"(_?url = postgresql://.*/){name}$", rf"\g<1>{test}", ini, flags=re.MULTILINE
        )
    changes = {
        "ckan.plugins": PLUGINS,
        "ckan.site_url": "http://test.ckan.net",
        "ckan.site_id": "test",
        "ckan.locale_default": "en",
        "ckan.storage_path": str(var / "test-storage"),
        "ckan.views.default_views": "text_view",
    }
    for name, value in changes.items():
        ini = re.sub(rf"^{re.escape(name)} = .*$", f"{name} = {value}", ini, flags=re.MULTILINE)
    ini = re.sub(r"^(ckan\.redis\.url = .*)/0$", r"\g<1>/5", ini, flags=re.MULTILINE)
    ini = ini.replace("[app:main]\n", "[app:main]\ntesting = true\n")
    (var / "test.ini").write_text(ini, encoding="utf-8")
    permit(var)


def create(port: int, password: str) -> None:
    """Makes the two databases, empty."""
    psql = str(services.postgres_bin() / "psql")
    lines = []
    for database in DATABASES.values():
        lines += [f"DROP DATABASE IF EXISTS {database};", f"CREATE DATABASE {database} OWNER ckan;"]
    server = ["-h", "127.0.0.1", "-p", str(port), "-U", services.SERVER_USER]
    services.run_as_server(
        [psql, *server, "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        secret=password,
        script="\n".join(lines),
    )


def permit(var: Path) -> None:
    """Gives the DataStore of the tests what `ckan datastore set-permissions` prints."""
    code = (
        "from ckan.cli.cli import ckan; from ckanext.aizu.cli import datastore_permissions; "
        "import sys; sys.argv = ['ckan', 'db', 'upgrade']; ckan(standalone_mode=False); "
        "datastore_permissions()"
    )
    environment = {**os.environ, "CKAN_INI": str(var / "test.ini")}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


if __name__ == "__main__":
    main()
