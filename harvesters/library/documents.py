"""XML from strangers, read without entities, without a network, and refused with the place."""

import re

from lxml import etree

from harvesters.errors import NotTheListError

PAGE = re.compile(rb"\s*<(!doctype html|html)", re.IGNORECASE)
MARK = b"\xef\xbb\xbf"


def is_xml(content: bytes) -> bool:
    """Whether the bytes begin like XML, in whatever encoding."""
    return content.replace(b"\0", b"").lstrip(MARK + b"\xff\xfe \t\r\n").startswith(b"<")


def parse(content: bytes) -> etree._Element:
    """The root of a document; whoever declares entities is refused."""
    content = content.removeprefix(MARK).lstrip()
    if not content:
        raise NotTheListError("ファイルが空です（0 バイト）。", "the file is empty (0 bytes)")
    if PAGE.match(content):
        _refuse_page(content)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        reason = str(error.msg).partition(", line ")[0]
        raise NotTheListError(
            f"XML として読めません（{line} 行 {column} 文字目: {reason}）。"
            "途中で切れていないか、文字コードの指定が正しいかを確かめてください。",
            f"this is not well-formed XML (line {line}, column {column}: {reason}); "
            "check that it is whole and that the declared encoding is right",
        ) from error
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise NotTheListError(
            "XML が実体（ENTITY）を宣言しているため、安全のため読みません。実体を使わずに書き出してください。",
            "this XML declares entities and is not read, for safety; write it without entities",
        )
    return root


def local(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return str(etree.QName(element).localname)


def child(element: etree._Element, name: str) -> etree._Element | None:
    """The first child of that name, whatever its namespace."""
    return next(iter(children(element, name)), None)


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """The children of that name, whatever their namespace."""
    return [one for one in element if isinstance(one.tag, str) and local(one) == name]


def text(element: etree._Element | None) -> str:
    """What an element says, on one line; nothing where there is none."""
    return " ".join("".join(map(str, element.itertext())).split()) if element is not None else ""


def _refuse_page(content: bytes) -> None:
    said = " ".join(re.sub(rb"<[^>]*>", b" ", content[:2000]).decode("utf-8", "replace").split())
    raise NotTheListError(
        f"書誌ではなくウェブページ（HTML）です。エラー画面が返ったようです: {said[:80]}",
        f"this is a web page (HTML), not a catalogue, maybe an error page: {said[:80]}",
    )
