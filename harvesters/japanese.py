"""What all of Japan shares: ways of writing that a table must see through, and one time zone."""

import unicodedata
from zoneinfo import ZoneInfo

TIME_ZONE = ZoneInfo("Asia/Tokyo")
"""Of a time that names none."""


def heading_key(heading: str) -> str:
    """What is the same in two spellings of one heading: width, brackets, spaces, case aside."""
    return "".join(unicodedata.normalize("NFKC", heading).split()).casefold()


def half_width(text: str) -> str:
    """Full-width digits, signs and spaces as ASCII, without spaces around."""
    return unicodedata.normalize("NFKC", text).strip()
