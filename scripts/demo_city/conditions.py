"""Conditional requests (RFC 9110, section 13): whether who asks has the file as it is already."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256


def etag(content: bytes) -> str:
    """The same for the same bytes, and for no others."""
    return f'"{sha256(content).hexdigest()[:32]}"'


def http_date(moment: datetime) -> str:
    """As headers have it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def not_modified(headers: Mapping[str, str], tag: str, modified: datetime) -> bool:
    """Whether 304 is the answer; a date counts only where no tag is told."""
    tags = headers.get("If-None-Match")
    if tags is not None:
        known = {one.strip().removeprefix("W/") for one in tags.split(",")}
        return bool(known & {tag, "*"})
    try:
        since = parsedate_to_datetime(headers.get("If-Modified-Since", ""))
    except ValueError:
        return False
    return modified.replace(microsecond=0) <= since
