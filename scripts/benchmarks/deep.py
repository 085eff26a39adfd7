"""How fast deep data is released beside a plain COPY and CKAN's own dump, and how long a withdrawal waits meanwhile."""

import configparser
import os
import re
import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import ckanapi
import numpy as np
import polars as pl
import psycopg
import requests
from joserfc import jwt
from joserfc.jwk import OKPKey
from psycopg import sql

from aizu_vault.agreements import State
from aizu_vault.consent import Role, Scope, Subject
from aizu_vault.demo import APPROVERS
from aizu_vault.events import consents, record_all
from aizu_vault.intake import ingest
from aizu_vault.interval import ALWAYS
from aizu_vault.log.append import append
from aizu_vault.register import add_member
from aizu_vault.register_agreements import approve_agreement, draft_agreement, turn_agreement
from aizu_vault.release import Release
from aizu_vault.settings import Vault
from aizu_vault.stored_register import Budget, read_register
from aizu_vault.subjects import enrol, make_withdrawal_code
from aizu_vault.wishes import Wish
from benchmarks.portal import running
from harvesters import settings as setting
from stack.settings import ROOT
from stack.supervisor import out

VAR = ROOT / "var" / "bench-deep"
PORT = 5092
AGREEMENT, LIKE, PURPOSE, RECIPIENT = "bench", "watch-2026", "care.watch", "asahi-hospital"
PEOPLE, PAIRS = 1_000, 5
RELEASES, WITHDRAWALS = 8, 200
COLUMNS = {"person": "text", "time": "timestamptz", "pulse": "int", "temperature": "float"}
GOAL_COPY, GOAL_DUMP, GOAL_ACK = 0.6, 2.0, 0.5


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How many rows there are of each person, from which day on."""

    name: str
    first: date
    days: int
    each: int

    @property
    def where(self) -> dict[str, dict[str, str]]:
        """The filter on these days."""
        end = self.first + timedelta(days=self.days)
        return {"time": {"from": f"{self.first}T00:00:00+09:00", "to": f"{end}T00:00:00+09:00"}}


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows as an open table of CKAN's DataStore."""

    resource_id: str
    connection: psycopg.Connection[Any]


SHAPES = (
    Shape(name="a week, every 5 minutes", first=date(2026, 2, 2), days=7, each=288),
    Shape(name="a month, every half-hour", first=date(2026, 4, 1), days=30, each=48),
)


def measure() -> None:
    """Prints rows per second, memory, and the time until a withdrawal is acknowledged."""
    shutil.rmtree(VAR, ignore_errors=True)
    with running(VAR, PORT):
        vault = Vault.open(VAR / "vault")
        people = _settle(vault)
        out(f"\n{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before it began")
        for shape in SHAPES:
            _ingest(vault, people, shape)
            wish = Wish(agreement=AGREEMENT, purpose=PURPOSE, where=shape.where)
            with _table(b"".join(_released(vault, wish))) as table:
                _beside_copy(vault, wish, shape, table)
                if shape == SHAPES[0]:
                    _beside_dump(shape, table)
        _withdrawals(vault, people)
    shutil.rmtree(VAR, ignore_errors=True)


def _settle(vault: Vault) -> list[UUID]:
    """People who consent, beside those of the demonstration, an agreement and users of its recipient."""
    people = [uuid4() for _ in range(PEOPLE)]
    with vault.connect("deep_steward") as steward:
        _agree(steward)
        for number in range(RELEASES):
            add_member(steward, RECIPIENT, _user(number), ALWAYS, by="bench")
        born = date(1980, 5, 5)
        enrol(steward, vault.keys, [Subject(subject_id=one, birth_date=born, synthetic=True) for one in people])  # fmt: skip
    scope = Scope(
        data="vitals", purpose=PURPOSE, recipient=RECIPIENT,
        fields=frozenset({"pulse", "temperature"}), version=1,
    )  # fmt: skip
    with vault.connect("deep_consent") as recorder:
        for start in range(0, PEOPLE, 500):
            said = [
                (one, consents(nonce="yes", actor=str(one), role=Role.SELF, terms="vitals-1", scope=scope))
                for one in people[start : start + 500]
            ]  # fmt: skip
            record_all(recorder, vault.keys, said)
    return people


def _agree(steward: psycopg.Connection[Any]) -> None:
    """Like one of the demonstration, with a budget that no run uses up."""
    like = read_register(steward).agreements[LIKE]
    draft_agreement(steward, replace(like, agreement_id=AGREEMENT), Budget(rows_per_day=10**12), by="bench")  # fmt: skip
    turn_agreement(steward, AGREEMENT, State.SUBMITTED, by="bench")
    for approver in APPROVERS:
        approve_agreement(steward, AGREEMENT, by=approver)
    turn_agreement(steward, AGREEMENT, State.ACTIVE, by="bench")


def _user(number: int) -> str:
    return f"bench-{number}"


def _ingest(vault: Vault, people: list[UUID], shape: Shape) -> None:
    rng = np.random.default_rng(1)
    begin = np.datetime64(f"{shape.first}T00:00", "us") - np.timedelta64(9, "h")
    step = np.timedelta64(86_400 // shape.each, "s")
    times = begin + np.arange(shape.days * shape.each) * step
    for start in range(0, PEOPLE, 200):
        some = [str(one) for one in people[start : start + 200]]
        many = len(some) * len(times)
        frame = pl.DataFrame(
            {
                "subject": np.repeat(some, len(times)),
                "time": pl.Series(np.tile(times, len(some))).dt.replace_time_zone("UTC"),
                "pulse": rng.integers(50, 120, many),
                "temperature": rng.normal(36.4, 0.3, many).round(2),
            }
        )
        ingest(vault, "vitals", frame)


def _beside_copy(vault: Vault, wish: Wish, shape: Shape, table: Table) -> None:
    """The same rows, released and copied out of a table, by turns, in this process."""
    copy = sql.SQL("COPY {} TO STDOUT (FORMAT csv)").format(sql.Identifier(table.resource_id))
    ratios, rates, shares = [], [], []
    for _ in range(PAIRS):
        with _timing_the_log() as log:
            rows, ours = _timed(_released(vault, wish))
        with table.connection.cursor() as cursor, cursor.copy(copy) as copied:
            plain, theirs = _timed(bytes(piece) for piece in copied)
        rates.append(rows / ours)
        ratios.append(rows / ours * theirs / plain)
        shares.append(sum(log) / ours)
    ratio = statistics.median(ratios)
    out(
        f"{shape.name}: {rows:,} rows of {PEOPLE:,} people, {statistics.median(rates):,.0f} rows/s; ÷ COPY "
        f"{ratio:.2f} ({min(ratios):.2f}–{max(ratios):.2f}; goal {GOAL_COPY}) {_mark(ratio >= GOAL_COPY)}; "
        f"the log takes {statistics.median(shares):.0%} of it"
    )


def _beside_dump(shape: Shape, table: Table) -> None:
    """Over HTTP, by turns: what a recipient gets, and CKAN's download of the same rows, open to everybody."""
    address = f"{_site()}/datastore/dump/{table.resource_id}?bom=false"
    ratios, rates = [], []
    _clear_peak()
    for _ in range(PAIRS):
        with _post("release", _token(0), _asked(shape)) as answer:
            rows, ours = _timed(answer.iter_content(None))
        with requests.get(address, stream=True, timeout=600) as answer:
            plain, theirs = _timed(answer.iter_content(None))
        rates.append(rows / ours)
        ratios.append(rows / ours * theirs / plain)
    ratio = statistics.median(ratios)
    out(
        f"  over HTTP: {statistics.median(rates):,.0f} rows/s; ÷ CKAN's dump {ratio:.1f} (goal {GOAL_DUMP:g}) "
        f"{_mark(ratio >= GOAL_DUMP)}; peak memory of the vault {_peak_mb():,.0f} MB"
    )


def _withdrawals(vault: Vault, people: list[UUID]) -> None:
    """By code over HTTP, one after another, while all places for releases are taken, for ever anew."""
    leaving = people[:WITHDRAWALS]
    with vault.connect("deep_steward") as steward:
        codes = [make_withdrawal_code(steward, vault.keys, one) for one in leaving]
    over = threading.Event()
    seconds = []
    with ThreadPoolExecutor(RELEASES) as pool:
        takers = [pool.submit(_take, number, over) for number in range(RELEASES)]
        try:
            time.sleep(2)
            for code in codes:
                begun = time.perf_counter()
                with _post("withdraw", None, {"code": code}) as answer:
                    answer.raise_for_status()
                seconds.append(time.perf_counter() - begun)
        finally:
            over.set()
    for taker in takers:
        taker.result()
    p99 = statistics.quantiles(seconds, n=100)[-1]
    out(
        f"withdrawal acknowledged, {RELEASES} releases running, {WITHDRAWALS} of them: median "
        f"{statistics.median(seconds):.2f} s, p99 {p99:.2f} s (goal {GOAL_ACK}) {_mark(p99 <= GOAL_ACK)}, "
        f"slowest {max(seconds):.2f} s; peak memory of the vault {_peak_mb():,.0f} MB"
    )


def _take(number: int, over: threading.Event) -> None:
    while not over.is_set():
        with _post("release", _token(number), _asked(SHAPES[0])) as answer:
            answer.raise_for_status()
            for _ in answer.iter_content(None):
                if over.is_set():
                    break


def _asked(shape: Shape) -> dict[str, object]:
    return {"agreement": AGREEMENT, "purpose": PURPOSE, "where": shape.where}


def _post(path: str, token: str | None, said: dict[str, object]) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.post(
        f"{_site()}/deep/{path}", json=said, headers=headers, stream=True, timeout=600
    )


def _token(number: int) -> str:
    """As the portal makes it."""
    key = OKPKey.import_key((VAR / "deep-token.pem").read_bytes())
    now = int(time.time())
    said = {"iss": "aizu-ckan", "aud": "aizu-vault", "sub": _user(number), "jti": uuid4().hex}
    return jwt.encode(
        {"alg": "Ed25519"}, said | {"iat": now, "exp": now + 60}, key, algorithms=["Ed25519"]
    )


def _clear_peak() -> None:
    for process in _processes():
        Path(f"/proc/{process}/clear_refs").write_text("5")


def _peak_mb() -> float:
    statuses = (Path(f"/proc/{process}/status").read_text() for process in _processes())
    return max(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) for status in statuses) / 1024


def _processes() -> list[int]:
    """Those of this portal's vault."""
    words = ["pgrep", "-f", f"aizu_vault.web_server .*{VAR}/"]
    found = subprocess.run(words, capture_output=True, text=True)
    return [int(process) for process in found.stdout.split()]


def _site() -> str:
    return f"http://127.0.0.1:{PORT}"


def _mark(holds: bool) -> str:
    return "✓" if holds else "✗"


def _released(vault: Vault, wish: Wish) -> Iterator[bytes]:
    release = Release.begin(vault, _user(0), wish)
    yield from release
    release.close()


def _timed(pieces: Iterable[bytes]) -> tuple[int, float]:
    """How many lines, and in which time."""
    begun = time.perf_counter()
    lines = sum(piece.count(b"\n") for piece in pieces)
    return lines, time.perf_counter() - begun


@contextmanager
def _timing_the_log() -> Iterator[list[float]]:
    """The seconds that appending to the log takes, each time."""
    seconds: list[float] = []

    def timed(*values: Any) -> list[int]:
        begun = time.perf_counter()
        leaves = append(*values)
        seconds.append(time.perf_counter() - begun)
        return leaves

    with patch("aizu_vault.release_record.append", timed):
        yield seconds


@contextmanager
def _table(csv: bytes) -> Iterator[Table]:
    known = setting.read({"AIZU_VAR": str(VAR)})
    portal = ckanapi.RemoteCKAN(known.portal_url, apikey=known.api_token, user_agent="bench")
    name = f"bench-{uuid4().hex[:8]}"
    owner = portal.action.organization_list()[0]
    dataset = portal.action.package_create(
        name=name, title=name, notes=name, license_id="cc-by", owner_org=owner
    )
    made = portal.action.datastore_create(
        resource={"package_id": dataset["id"], "name": name},
        fields=[{"id": column, "type": kind} for column, kind in COLUMNS.items()],
    )
    config = configparser.ConfigParser(interpolation=None)
    config.read(VAR / "ckan.ini")
    with psycopg.connect(config["app:main"]["ckan.datastore.write_url"]) as connection:
        connection.autocommit = True
        load = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER)").format(
            sql.Identifier(made["resource_id"]), sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
        )
        with connection.cursor() as cursor, cursor.copy(load) as copy:
            copy.write(csv)
        yield Table(resource_id=made["resource_id"], connection=connection)
    portal.action.package_delete(id=dataset["id"])
