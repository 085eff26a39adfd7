"""Gets files from the city's servers politely: one session, our name, time-outs, few retries."""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from harvesters.errors import (
    AddressError,
    ConfigurationError,
    NotTheListError,
    SourceFailedError,
    TruncatedError,
    UnreachableError,
)

CONNECT_S, READ_S = 10, 30
WHOLE_S = 300
"""A server that drips for longer than this is as good as silent."""
LARGEST_BYTES = 200 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
BUSY = (429, 500, 502, 503, 504)
NOT_AN_ADDRESS = (
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One of several answers in a snapshot, and what to ask for it with the next time."""

    name: str
    """Of the file in the zip."""
    url: str
    etag: str
    last_modified: str


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What the city sent, byte for byte, and when and from where it came."""

    content: bytes
    url: str
    filename: str
    fetched_at: datetime
    media_type: str = ""
    etag: str = ""
    last_modified: str = ""
    parts: tuple[Part, ...] = ()
    """Of one that several addresses gave, as a zip."""

    @cached_property
    def sha256(self) -> str:
        """The fingerprint of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


def polite_session(contact: str, retries: int = 2) -> requests.Session:
    """A session that says who we are and waits longer before each of its few new attempts."""
    session = requests.Session()
    about = f"; +{contact}" if contact else ""
    session.headers["User-Agent"] = f"aizu-harvester/0.1 (municipal open data{about})"
    retry = Retry(
        total=retries,
        backoff_factor=0.5,
        status_forcelist=BUSY,
        respect_retry_after_header=False,  # a server may ask for an hour; the next run is sooner
        raise_on_status=False,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def get(
    url: str,
    session: requests.Session,
    known: Snapshot | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    patience: tuple[float, float, float] = (CONNECT_S, READ_S, WHOLE_S),
) -> Snapshot:
    """The file at an address; the known snapshot again if the server says it has not changed."""
    connect, read, whole = patience
    if known and known.url != url:
        known = None
    headers = _conditions(known) if known else {}
    try:
        with session.get(url, headers=headers, timeout=(connect, read), stream=True) as response:
            if known and headers and response.status_code == 304:
                return replace(known, fetched_at=_now())
            _refuse_status(response)
            content = _body(response, time.monotonic() + whole, progress)
    except NOT_AN_ADDRESS as error:
        raise ConfigurationError(
            f"アドレスとして使えません: {url}", f"not usable as an address: {url}"
        ) from error
    except requests.TooManyRedirects as error:
        raise AddressError(f"転送が終わりません: {url}", f"endless redirects: {url}") from error
    except requests.RequestException as error:
        raise UnreachableError(
            f"{url} に接続できないか、時間内に応答がありません（{reason(error)}）。"
            "あとでもう一度実行してください。",
            f"no connection to {url}, or no answer in time ({reason(error)}); try again later",
        ) from error
    return Snapshot(
        content=content,
        url=url,
        filename=_filename(response, url),
        fetched_at=_now(),
        media_type=response.headers.get("Content-Type", "").partition(";")[0].strip(),
        etag=response.headers.get("ETag", ""),
        last_modified=_last_modified(response),
    )


def read_file(path: Path) -> Snapshot:
    """A local file in place of the address; it has none of its own."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"ファイルを読めません: {path}（{error.strerror}）",
            f"cannot read the file {path} ({error.strerror})",
        ) from error
    return Snapshot(content=content, url="", filename=path.name, fetched_at=_now())


def _conditions(known: Snapshot) -> dict[str, str]:
    asked = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in asked.items() if value}


def _last_modified(response: requests.Response) -> str:
    """Nothing where the file may have changed again in the second in which it was sent (RFC 9110)."""
    told = response.headers.get("Last-Modified", "")
    try:
        age = parsedate_to_datetime(response.headers["Date"]) - parsedate_to_datetime(told)
    except (KeyError, ValueError, TypeError):
        return told
    return told if age >= timedelta(seconds=1) else ""


def _refuse_status(response: requests.Response) -> None:
    status = f"{response.status_code} {response.reason}"
    if response.status_code == 304:
        raise SourceFailedError(
            f"{response.url} のサーバーは、条件を付けずに尋ねても「変更なし」（{status}）と答えます。"
            "サーバーかその前のキャッシュの故障です。あとでもう一度実行してください。",
            f"the server of {response.url} answers 'not modified' ({status}) though it was asked for "
            "all: it, or a cache before it, is out of order; try again later",
        )
    if response.status_code in BUSY or response.status_code >= 500:
        raise SourceFailedError(
            f"{response.url} のサーバーが故障しています（{status}）。あとでもう一度実行してください。",
            f"the server of {response.url} has failed ({status}); try again later",
            _retry_after(response.headers.get("Retry-After", "")),
        )
    if response.status_code != 200:
        raise AddressError(
            f"{response.url} にファイルがありません（{status}）。アドレスを確かめてください。",
            f"there is no file for us at {response.url} ({status}); check the address",
        )


def _retry_after(header: str) -> float:
    """The seconds that a server wants to be left alone, whether it gives a number or a date."""
    try:
        return float(Retry().parse_retry_after(header))
    except (urllib3.exceptions.InvalidHeader, OverflowError):
        return 0.0


def _body(
    response: requests.Response, deadline: float, progress: Callable[[int, int], None]
) -> bytes:
    """Reads what has come so far again and again, so that a dripping server meets the deadline."""
    announced = response.raw.length_remaining or 0
    content = bytearray()
    try:
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            content += chunk
            progress(len(content), announced)
            _refuse_endless(response.url, len(content), deadline)
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.ReadTimeout(error) from error
    except urllib3.exceptions.HTTPError as error:
        raise TruncatedError(
            f"{response.url} が途中で切れました。{announced} バイトのうち {response.raw.tell()} "
            "バイトしか届いていません。あとでもう一度実行してください。",
            f"{response.url} broke off: {response.raw.tell()} of {announced} bytes came; "
            "try again later",
        ) from error
    return bytes(content)


def _refuse_endless(url: str, size: int, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise UnreachableError(
            f"{url} の送信が遅すぎるため打ち切りました（{size} バイトまで受信）。",
            f"{url} sends too slowly; given up after {size} bytes",
        )
    if size > LARGEST_BYTES:
        raise NotTheListError(
            f"{url} は {LARGEST_BYTES} バイトを超えています。一覧の大きさではありません。",
            f"{url} is larger than {LARGEST_BYTES} bytes; that is not a list",
        )


def _filename(response: requests.Response, url: str) -> str:
    """The name that the server gives, else the last part of the address that was asked for.

    Where a redirect ended says nothing, and nothing in a name may lead to another folder.
    """
    given = _disposed(response.headers.get("Content-Disposition", ""))
    name = given or unquote(urlsplit(url).path.rpartition("/")[2])
    return re.sub(r"[\x00-\x1f/\\:]", "_", name).strip(". ") or "original"


def _disposed(header: str) -> str:
    """The file name of a Content-Disposition; bare bytes in it, which are not allowed, are UTF-8."""
    message = Message()
    message["Content-Disposition"] = header.encode("latin-1").decode("utf-8", "replace")
    name = (message.get_filename() or "").replace("\\", "/").rpartition("/")[2]
    return "" if "\ufffd" in name else name


def reason(error: requests.RequestException) -> str:
    """The innermost cause, since the outer ones show addresses of Python objects."""
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return type(cause).__name__


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
