"""MARC 21 and UNIMARC as ISO 2709, MARCXML and MARC-in-JSON, into records of pymarc."""

import io
import logging
import re
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any

from lxml import etree
from pymarc import Field, Indicators, Leader, Record, Subfield
from pymarc.exceptions import BadSubfieldCodeWarning, PymarcException
from pymarc.marc8 import MARC8ToUnicode

from harvesters import json_text
from harvesters.errors import NotTheListError
from harvesters.library.catalogue import RecordError
from harvesters.library.documents import local

END_OF_RECORD, END_OF_FIELD, SUBFIELD = b"\x1d", b"\x1e", b"\x1f"
LOOKS_BINARY = re.compile(rb"\s*[0-9 ]{5}[^\x1d\x1e]{19}[^\x1d]*\x1e", re.DOTALL)
LOST = "\ufffd"
logging.getLogger("pymarc").addHandler(logging.NullHandler())
"""What it writes there of stray signs is told as a finding, with the number of the record."""
NON_SORTING = dict.fromkeys(map(ord, "\x88\x89\x98\x9c"))
"""Signs around an article that does not count in the alphabet; no part of the text."""


def is_binary(content: bytes) -> bool:
    """Whether the bytes begin with a leader and a directory as ISO 2709 wants them."""
    return LOOKS_BINARY.match(content[:200_000]) is not None


def chunks(content: bytes) -> list[bytes]:
    """The records of a binary file; one that ends in the middle is refused."""
    *records, rest = content.split(END_OF_RECORD)
    if rest.strip(b" \t\r\n\0\x1a"):
        raise NotTheListError(
            f"{len(records) + 1} 件目の書誌の途中でファイルが終わっています（残り {len(rest)} バイト）。"
            "もう一度取得してください。",
            f"the file ends in the middle of record {len(records) + 1} "
            f"({len(rest)} bytes of it came); fetch it again",
        )
    return [record.lstrip(b" \t\r\n\0") + END_OF_RECORD for record in records]


def of_binary(chunk: bytes) -> tuple[Record, str]:
    """One record and the name of its encoding; a sign that cannot be read becomes U+FFFD."""
    bodies = _bodies(chunk)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", BadSubfieldCodeWarning)
            raw = Record(data=chunk, to_unicode=False)
    except (PymarcException, BadSubfieldCodeWarning, ValueError, IndexError) as error:
        said = str(error) or type(error).__name__
        raise RecordError(
            f"MARC として壊れています: {said}", f"it is damaged as MARC: {said}"
        ) from error
    encoding = _encoding_of(chunk, str(raw.leader))
    record = Record()
    record.leader = raw.leader
    for field, body in zip(raw.fields, bodies, strict=True):
        record.add_field(_decoded(field, body, encoding))
    return record, encoding


def _bodies(chunk: bytes) -> list[bytes]:
    """The fields as they stand; each must end where the directory says, or texts would be cut."""
    try:
        base = int(chunk[12:17])
        directory = chunk[24 : base - 1].decode("ascii")
        places = [directory[at : at + 12] for at in range(0, len(directory), 12)]
        starts = [base + int(place[7:12]) for place in places]
        ends = [start + int(place[3:7]) - 1 for start, place in zip(starts, places, strict=True)]
    except ValueError as error:
        raise RecordError(
            "リーダーかディレクトリが壊れています",
            "its leader or directory is damaged",
            chunk[:24].decode("ascii", "replace"),
        ) from error
    if any(chunk[end : end + 1] != END_OF_FIELD for end in ends):
        raise RecordError(
            f"ディレクトリの長さが合いません（リーダー {chunk[:5].decode('ascii', 'replace')}、"
            f"実際 {len(chunk)} バイト）",
            f"the lengths in its directory are wrong (leader "
            f"{chunk[:5].decode('ascii', 'replace')}, {len(chunk)} bytes came)",
            chunk[:24].decode("ascii", "replace"),
        )
    return [chunk[start:end] for start, end in zip(starts, ends, strict=True)]


def _encoding_of(chunk: bytes, leader: str) -> str:
    """The leader decides; UTF-8 under a leader that says MARC-8 is frequent and plain to see."""
    if leader[9] == "a":
        return "UTF-8"
    try:
        chunk.decode("utf-8")
    except UnicodeDecodeError:
        return "MARC-8"
    return "MARC-8" if b"\x1b" in chunk else "UTF-8"


def _decoded(field: Any, body: bytes, encoding: str) -> Field:
    """What stands before the first subfield, which pymarc drops, is one without a code."""
    if field.control_field:
        return Field(tag=field.tag, data=_text(field.data, encoding))
    parts = [Subfield(part.code, _text(part.value, encoding)) for part in field.subfields]
    if stray := body.partition(SUBFIELD)[0][2:]:
        parts.append(Subfield(" ", _text(stray, encoding)))
    return Field(tag=field.tag, indicators=field.indicators, subfields=parts)


def _text(data: bytes, encoding: str) -> str:
    if encoding == "UTF-8":
        return unicodedata.normalize("NFC", data.decode("utf-8", "replace"))
    complaints = io.StringIO()
    try:
        with redirect_stderr(complaints):  # pymarc says there, and nowhere else, what it drops
            said = str(MARC8ToUnicode().translate(data))
    except (IndexError, TypeError):
        return data.decode("ascii", "replace")
    dropped = [line for line in complaints.getvalue().splitlines() if " 0x20 " not in line]
    return said + LOST if dropped else said


def of_xml(element: etree._Element) -> Record:
    """A record of MARCXML, with or without its namespace."""
    record = Record()
    for one in element:
        name, said = local(one), one.text or ""
        if name == "leader":
            record.leader = Leader(said.ljust(24)[:24])
        elif name == "controlfield":
            record.add_field(Field(tag=_tag(one), data=said))
        elif name == "datafield":
            record.add_field(_data_field(one))
    return record


def is_marc(element: etree._Element) -> bool:
    """Whether an element has the parts of a MARCXML record."""
    return any(
        local(one) in {"leader", "controlfield", "datafield"}
        for one in element
        if isinstance(one.tag, str)
    )


def _data_field(element: etree._Element) -> Field:
    parts = [
        Subfield(str(part.get("code", "")) or " ", part.text or "")
        for part in element
        if local(part) == "subfield"
    ]
    indicators = Indicators(str(element.get("ind1", " ")), str(element.get("ind2", " ")))
    return Field(tag=_tag(element), indicators=indicators, subfields=parts)


def _tag(element: etree._Element) -> str:
    """Programs that take tags for numbers drop the zeros in front; pymarc puts them back."""
    tag = str(element.get("tag", ""))
    if not re.fullmatch(r"[0-9]{1,3}|[0-9A-Za-z]{3}", tag):
        raise RecordError(
            f"タグ {tag!r} は MARC のものではありません", f"its tag {tag!r} is not MARC's", tag
        )
    return tag


def nameless(record: Record) -> list[tuple[str, str]]:
    """Tag and text of the subfields that have lost their code."""
    return [
        (field.tag, part.value)
        for field in record.fields
        if not field.control_field
        for part in field.subfields
        if not part.code.strip()
    ]


def of_json(content: str) -> Iterator[Any]:
    """The records of a JSON document, or of one for each line."""
    whole = json_text.parse(content)
    records = whole if isinstance(whole, list) else [whole]
    if not any(isinstance(one, dict) and "fields" in one for one in records):
        raise NotTheListError(
            "JSON ですが書誌（MARC-in-JSON）ではありません。書誌を書き出したファイルを渡してください。",
            "this JSON is no catalogue (MARC-in-JSON); hand over a file of records",
        )
    yield from records


def of_object(told: Any) -> Record:
    """A record of MARC-in-JSON."""
    record = Record()
    try:
        record.leader = Leader(str(told["leader"]).ljust(24)[:24])
        for field in told["fields"]:
            ((tag, said),) = field.items()
            record.add_field(_of_member(tag, said))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(
            f"MARC-in-JSON の形ではありません（{error}）", f"it is not MARC-in-JSON ({error})"
        ) from error
    return record


def _of_member(tag: str, said: Any) -> Field:
    if isinstance(said, str):
        return Field(tag=tag, data=said)
    parts = [Subfield(code, value) for part in said["subfields"] for code, value in part.items()]
    return Field(tag=tag, indicators=Indicators(said["ind1"], said["ind2"]), subfields=parts)
