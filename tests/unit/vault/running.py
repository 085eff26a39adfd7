"""The service as people reach it: gunicorn on a port of its own, for a vault with the small city."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests
from joserfc import jwt
from joserfc.jwk import OKPKey

from aizu_vault.settings import Vault
from aizu_vault.subjects import link_login, make_withdrawal_code

from .city import PEOPLE, City, yes

GUNICORN = Path(sys.executable).with_name("gunicorn")


def claims(user="citizen-1", **changes):
    """What the portal says in a token; None takes a word away."""
    now = int(time.time())
    usual = {"iss": "aizu-ckan", "aud": "aizu-vault", "sub": user, "iat": now, "exp": now + 60}
    said = usual | {"jti": secrets.token_urlsafe(16)} | changes
    return {name: value for name, value in said.items() if value is not None}


def somewhere():
    """An address that nobody else has, as nginx tells it: wrong codes are counted by address."""
    return {"X-Forwarded-For": "10." + ".".join(str(secrets.randbelow(256)) for _ in range(3))}


class Running(City):
    """A vault, its service, and people who reach it."""

    def __init__(self, vault, token_key):
        super().__init__(vault)
        self.log = vault.places.folder.parent / "service.log"
        self.token_key = OKPKey.import_key(token_key.read_bytes())
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self.url = f"http://127.0.0.1:{self.address[1]}/deep"
        self.process = self._start()
        self.callback(self.stop)
        # Whoever changes the vault's files must not change them under a service that is only just starting.
        assert self.get("withdraw").status_code == 200
        self.codes = [make_withdrawal_code(self.steward, self.keys, one) for one in PEOPLE]
        for number, one in enumerate(PEOPLE, 1):
            link_login(self.steward, self.keys, one, f"citizen-{number}", 2)

    def open_again(self):
        """Takes up keys that were renewed."""
        self.vault = Vault.open(self.vault.places.folder)
        self.keys = self.vault.keys

    def _start(self):
        words = ["--config", "python:aizu_vault.web_server", "--bind"]
        number = self._listener.fileno()
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [GUNICORN, *words, f"fd://{number}", "aizu_vault.service:application()"],
                env=os.environ | {"AIZU_VAULT": str(self.vault.places.folder)},
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[number],
            )

    def stop(self):
        """Ends it as the supervisor does."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        self._listener.close()

    def token(self, user="citizen-1", key=None, alg="Ed25519", **changes):
        """A token as the portal makes it, or not quite."""
        said = claims(user, **changes)
        return jwt.encode({"alg": alg}, said, key or self.token_key, algorithms=[alg])

    def post(self, path, said=None, token=None, **options):
        """A request as a program makes it."""
        headers = somewhere() | ({"Authorization": f"Bearer {token}"} if token else {})
        url = f"{self.url}/{path}"
        return requests.post(url, json=said, headers=headers, timeout=30, **options)

    def press(self, button, code, **more):
        """A button of the page for withdrawing."""
        form = {"code": code, "what": button} | more
        return requests.post(f"{self.url}/withdraw", form, headers=somewhere(), timeout=30)

    def agree(self, *people):
        """They consent, whatever they have said before."""
        self.record_all(*[(one, yes(one, nonce=secrets.token_hex(8))) for one in people])

    def get(self, path):
        """A request as a browser makes it."""
        return requests.get(f"{self.url}/{path}", timeout=30)

    def logged(self):
        """What the service has written."""
        return self.log.read_text(encoding="utf-8")
