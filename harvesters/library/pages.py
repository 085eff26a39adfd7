"""Answers that come page by page: asked for politely, read, and joined into one document."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
from lxml import etree
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from harvesters import fetch as fetching
from harvesters.errors import NotTheListError, SourceFailedError
from harvesters.fetch import Snapshot
from harvesters.library import documents
from harvesters.source import Progress

PAUSE_S = 0.5
"""Between two pages; a library's server has readers to serve."""
PATIENCE_S = 120
"""The longest that a server may ask us to wait."""
MOST_PAGES = 20_000
BUSY = (429, 502, 503, 504)


@dataclass(kw_only=True)
class Pages:
    """The pages of one list, as they come."""

    session: requests.Session
    base: str
    progress: Progress
    count: int = 0
    size: int = 0
    seen: set[str] = field(default_factory=set)
    last_at: datetime = datetime.min.replace(tzinfo=UTC)

    def ask(self, words: dict[str, str]) -> tuple[etree._Element, Snapshot]:
        """One page; pages without end, and the same page asked for again, are refused."""
        url = f"{self.base}?{urlencode(words)}"
        if self.count:
            time.sleep(PAUSE_S)
        if url in self.seen or self.count >= MOST_PAGES:
            raise SourceFailedError(
                f"{self.base} の一覧が終わりません（{self.count} ページ目で同じ続きを指すか、"
                f"{MOST_PAGES} ページを超えました）。サーバーの管理者に知らせてください。",
                f"the list of {self.base} does not end (page {self.count} leads back to one that came, "
                f"or there are more than {MOST_PAGES}); tell whoever runs the server",
            )
        self.seen.add(url)
        snapshot = fetching.get(url, self.session, None, self._told)
        self.last_at = snapshot.fetched_at
        self.count, self.size = self.count + 1, self.size + len(snapshot.content)
        if self.size > fetching.LARGEST_BYTES:
            raise NotTheListError(
                f"{self.base} は合計 {fetching.LARGEST_BYTES} バイトを超えています。set や期間で分けてください。",
                f"{self.base} sends more than {fetching.LARGEST_BYTES} bytes in all; "
                "divide it by sets or dates",
            )
        return documents.parse(snapshot.content), snapshot

    def _told(self, done: int, total: int) -> None:  # noqa: ARG002  the whole list is not announced
        self.progress(self.size + done, 0)


def opened(address: str, session: requests.Session, progress: Progress) -> Pages:
    """Pages of a server, which may say how long it wants us to wait when it is busy."""
    parts = urlsplit(address)
    retry = Retry(
        total=5,
        backoff_factor=1,
        status_forcelist=BUSY,
        respect_retry_after_header=True,
        retry_after_max=PATIENCE_S,
        raise_on_status=False,
    )
    base = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    session.mount(base, HTTPAdapter(max_retries=retry))
    return Pages(session=session, base=base, progress=progress)


def document(root: etree._Element) -> bytes:
    """The bytes of a joined document: the same records, the same bytes."""
    for one in root.iter("{*}record"):
        one.tail = "\n"
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


def expected(root: etree._Element, name: str, url: str) -> None:
    """A page of something else, such as an error page in XML, is refused by name."""
    if documents.local(root) != name:
        raise NotTheListError(
            f"{url} の応答が {name} ではなく {documents.local(root)} です。アドレスを確かめてください。",
            f"{url} answers with {documents.local(root)}, not with {name}; check the address",
        )
