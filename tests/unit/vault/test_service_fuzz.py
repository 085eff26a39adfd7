"""Whatever is sent, the answer is one of the fixed texts, and neither it nor the service's log repeats what came."""

import json
import random
import re
import socket
from secrets import token_hex

import pytest
import requests

from aizu_vault.answers import Refusal

from .conftest import ALL
from .test_service import refusal

SEED = 6
MANY = 5000 if ALL else 200
POSTED = ("release", "own", "withdraw", "log/bundle")
WORDS = (
    *("agreement", "purpose", "fields", "where", "format", "receiver", "resume", "after"),
    *("dataset", "code", "scope", "since", "data", "recipient", "from", "to", "time", "heart"),
)


class Sender:
    """Makes requests that cannot be granted; what is random in them never stands anywhere else."""

    def __init__(self, service, seed):
        self.service, self.random = service, random.Random(seed)
        self.canary = f"canary_{token_hex(6)}"

    def word(self):
        """A text as people who try things send it."""
        around = (
            "",
            "'",
            '"; DROP TABLE vault.block; --',
            "\0",
            "\ud800",
            "%s",
            "{}",
            "<b>",
            "\r\n",
        )
        return self.random.choice(around) + self.canary + self.random.choice(around)

    def value(self, depth=0):
        """Anything that JSON has."""
        kinds = [self.word, lambda: 10 ** self.random.choice((0, 9, 30)), lambda: -1, lambda: None]
        kinds += [lambda: 1e308, lambda: True, lambda: float("nan")]
        if depth < 3:
            kinds += [lambda: [self.value(depth + 1)] * self.random.randint(0, 3)]
            kinds += [lambda: self.body(depth + 1)]
        return self.random.choice(kinds)()

    def body(self, depth=0):
        """Some of the words that the service knows, or that it does not."""
        names = self.random.sample(WORDS, self.random.randint(1, 4))
        return {self.random.choice((name, self.word())): self.value(depth) for name in names}

    def sent(self):
        """The bytes of a body."""
        text = json.dumps(self.body() | {self.word(): self.canary})
        return self.random.choice(
            (
                text,
                text[: len(text) // 2],
                "[" * 30_000 + self.canary,
                f"code={self.canary}&what={self.canary}",
                f'{{"{self.canary}": 1e999}}',
                self.canary * 9000,
                "",
            )
        ).encode()

    def headers(self):
        """With a token that is good, none, or something else."""
        kinds = ("application/json", "application/json; charset=" + self.canary, "text/plain")
        kinds += ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "")
        tokens = (f"Bearer {self.service.token('doctor')}", f"Bearer {self.canary}", "Bearer", None)
        return {
            "Content-Type": self.random.choice(kinds),
            "Authorization": self.random.choice((*tokens, "Bearer e30.e30.e30", "Basic eDp5")),
            "X-Forwarded-For": self.random.choice((self.canary, "::1", "x" * 3000)),
            "Cookie": f"auth_tkt={self.canary}",
        }

    def send(self):
        """One request."""
        path = self.random.choice((*POSTED, *POSTED, f"{self.canary}", f"../{self.canary}"))
        body = self.sent()
        return requests.request(
            self.random.choice(("POST",) * 9 + ("PUT", "DELETE", "TRACE", self.canary.upper())),
            f"{self.service.url}/{path}?{self.canary}={self.canary}",
            data=iter([body[:7], body[7:]]) if self.random.random() < 0.2 and body else body,
            headers=self.headers(),
            timeout=20,
        )


def is_fixed(answer):
    """Whether there is nothing in an answer but one of the fixed texts."""
    if answer.headers["Content-Type"].startswith("text/html"):
        told = re.search(r'role="alert">.*?</div>', answer.text, re.DOTALL)[0]
        return any(one.ja in told for one in Refusal)
    return refusal(answer) in Refusal


def test_whatever_is_sent_is_answered_by_a_fixed_text(service):
    """As JSON, as a form, in chunks, with good tokens and bad ones."""
    sender = Sender(service, SEED)
    leaves = service.count("audit.log_leaf")
    for number in range(MANY):
        answer = sender.send()
        assert answer.status_code in range(400, 500), (number, answer.request.url)
        assert is_fixed(answer), (number, answer.text)
        assert sender.canary.casefold() not in (answer.text + str(answer.headers)).casefold()
    assert sender.canary not in service.logged().casefold()
    assert " failed at " not in service.logged()
    assert service.count("audit.log_leaf") == leaves


@pytest.mark.parametrize(
    "head",
    [
        "{} / HTTP/1.1\r\n\r\n",
        "GET /{} HTTP/9\r\n\r\n",
        "GET / HTTP/1.1\r\n{}\r\n\r\n",
        "GET / HTTP/1.1\r\n{}\x00: x\r\n\r\n",
        "GET /deep/health HTTP/1.1\r\nX: " + "{}" * 2000 + "\r\n\r\n",
        "POST /deep/withdraw HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
        "POST /deep/withdraw HTTP/1.1\r\nTransfer-Encoding: {}\r\n\r\n",
        "POST /deep/own HTTP/1.1\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n{}\r\n",
    ],
)
def test_what_is_no_http_is_not_repeated(service, head):
    """Neither to whoever sent it nor in the log."""
    canary = f"canary{token_hex(6)}"
    with socket.create_connection(service.address, timeout=10) as connection:
        connection.sendall(head.replace("{}", canary).encode())
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"Cache-Control: no-store, private" in answer
    assert canary.encode() not in answer
    assert canary not in service.logged()
