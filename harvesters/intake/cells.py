"""What a cell looks like: a number, a date, a unit, a note; nothing is changed here."""

import re
from collections.abc import Sequence

from harvesters.japanese import half_width

NUMBER = re.compile(r"[+\-△▲−]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?(e[+-]?\d+)?[%*]?")
DATE = re.compile(
    r"(\d{4}|[MTSHR]\d{1,2}|(明治|大正|昭和|平成|令和)(\d{1,2}|元))[-/.年]\d{1,2}([-/.月]\d{1,2}日?)?月?"
    r"([ T]\d{1,2}:\d{2}(:\d{2})?)?|\d{1,2}/\d{1,2}/\d{4}|(\d{4}|(昭和|平成|令和)(\d{1,2}|元))年度?"
)
TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?|\d{1,2}時(\d{1,2}分)?")
ABSENT = re.compile(
    r"[-‐－ー―–*＊…･・.xX×/／]+|不明|なし|無し|無|非公開|未定|N/?A|null", re.IGNORECASE
)
"""What stands where there is no value; it tells nothing about its column."""
UNIT = re.compile(
    r"[人名戸件棟台本基校園室席床円%回日時分年月歳倍点冊]|世帯|[千百万億]+[人円]|時間|人/世帯|人/km2"
    r"|箇所|か所|カ所|ヶ所|k?wh?|[ckm]?m[23]?|[km]?g|ha|t|l|トン|リットル|°c|単位.*"
    r"|[(\[【〔][^(\[【〔]{1,12}[)\]】〕]",
    re.IGNORECASE,
)
NOTE = re.compile(
    r"※|[(]?注\d*[:)]|[(]注|[*]\d*[^\d*]|出典|資料[:]|[(]?単位|作成|更新日[:]|ダウンロードした時刻"
    r"|備考[:]|[(]備考"
)
AS_OF = re.compile(r".*現在[)]?")


def kind_of(cell: str) -> str:
    """number, date, time, text, or nothing where the cell has no value."""
    text = half_width(cell)
    if not text or ABSENT.fullmatch(text):
        return ""
    if any(sign.isdigit() for sign in text):
        for kind, pattern in (("number", NUMBER), ("date", DATE), ("time", TIME)):
            if pattern.fullmatch(text):
                return kind
    return "text"


def is_unit(cell: str) -> bool:
    """人, (千円), 【℃】, 単位: …"""
    return bool(UNIT.fullmatch(half_width(cell)))


def is_note(cell: str) -> bool:
    """※ …, 注) …, 単位: …, … 現在, 統計名: — what stands above and below tables."""
    text = half_width(cell)
    return bool(NOTE.match(text) or AS_OF.fullmatch(text)) or text.endswith(":")


def filled(cells: Sequence[str]) -> set[int]:
    """The places of the cells that hold anything."""
    return {place for place, cell in enumerate(cells) if cell and not cell.isspace()}
