"""The form that the standard wants of a value, and what can be brought into it for certain."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from harvesters.intake import codes, dates, numbers, positions
from harvesters.intake.numbers import Change, nothing, tidy
from harvesters.japanese import half_width
from harvesters.words import Words

Columns = Callable[[Sequence[str]], list[Change]]
DASHES = re.compile(r"(?<=[\d)])\s*[‐‑–—―−ーｰ]\s*(?=[\d(])")
YES = {"有り", "あり", "ある", "○", "◯", "〇"}
NO = {"無し", "なし", "ない", "×", "✕"}
WEEK = "月火水木金土日"
EVERY_DAY = {"毎日": WEEK, "平日": "月火水木金", "全日": WEEK}
DAY = re.compile("曜日?")
DAYS_APART = re.compile(r"[・、,;\s/]")
DAYS_RANGE = re.compile(r"([月火水木金土日])\s*[~〜～-]\s*([月火水木金土日])")
SMALL_OR_HIRAGANA = re.compile("[ｦ-ﾟぁ-ゖ]")
HIRAGANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}


@dataclass(frozen=True, kw_only=True)
class Form:
    """How values of a kind are written in the standard."""

    expected: Words
    valid: re.Pattern[str]
    repair: Columns


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One value that is not in the form of the standard."""

    row: int
    value: str
    after: str
    """What it can be made for certain; the value itself where nothing is certain."""
    rule: str
    mended: bool


def faults(kind: str, cells: Sequence[str], row_numbers: Sequence[int]) -> list[Fault]:
    """What is not in the form of the standard in a column of a kind, and what becomes of it."""
    form = FORMS.get(kind)
    if form is None:
        return []
    odd = [
        (number, cell)
        for number, cell in zip(row_numbers, cells, strict=True)
        if cell and not form.valid.fullmatch(cell)
    ]
    changes = form.repair([cell for _, cell in odd])
    return [_fault(form, *one, change) for one, change in zip(odd, changes, strict=True)]


def _fault(form: Form, row: int, cell: str, change: Change) -> Fault:
    mended = not change.after or bool(form.valid.fullmatch(change.after))
    after, rule = (change.after, change.rule) if mended else (cell, "")
    return Fault(row=row, value=cell, after=after, rule=rule, mended=mended)


def swapped(latitudes: Sequence[str], longitudes: Sequence[str]) -> list[int]:
    """The places of the rows whose latitude and longitude stand in each other's column."""
    pairs = zip(latitudes, longitudes, strict=True)
    return [place for place, pair in enumerate(pairs) if positions.swapped(*pair)]


def _each(mend: Callable[[str], Change]) -> Columns:
    return lambda cells: [Change("", "no-value") if nothing(cell) else mend(cell) for cell in cells]


def _phone(cell: str) -> Change:
    plain = DASHES.sub("-", half_width(cell))
    return Change(plain, tidy(cell).rule or "form") if plain != cell else Change(cell)


def _postal_code(cell: str) -> Change:
    plain = DASHES.sub("-", half_width(cell)).removeprefix("〒").strip()
    return Change(plain, tidy(cell).rule or "form") if plain != cell else Change(cell)


def _clock(cells: Sequence[str]) -> list[Change]:
    """Hours and minutes; seconds only where they are not zero."""
    return [
        Change(short, change.rule if short != cell else "")
        for cell, change in zip(cells, dates.times(cells), strict=True)
        for short in [re.sub(r"^(\d{2}:\d{2}):00$", r"\1", change.after)]
    ]


def _yes_no(cell: str) -> Change:
    plain = half_width(cell)
    after = "有" if plain in YES else "無" if plain in NO else plain
    return Change(after, "controlled-word") if after != cell else Change(cell)


def _flag(cell: str) -> Change:
    plain = half_width(cell)
    after = "1" if plain in YES | {"有"} else "" if plain in NO | {"無", "0"} else plain
    return Change(after, "controlled-word") if after != cell else Change(cell)


def _weekdays(cell: str) -> Change:
    plain = DAY.sub("", half_width(cell))
    days = EVERY_DAY.get(plain) or DAYS_APART.sub("", DAYS_RANGE.sub(_span, plain))
    certain = days != cell and set(days) <= set(WEEK)
    return Change(days, "weekdays") if certain else Change(cell)


def _span(found: re.Match[str]) -> str:
    first, last = WEEK.index(found[1]), WEEK.index(found[2])
    return WEEK[first : last + 1] if first <= last else WEEK[first:] + WEEK[: last + 1]


def _kana(cell: str) -> Change:
    """Wide letters and signs may stay: they are as good between kana."""
    if not SMALL_OR_HIRAGANA.search(cell):
        return Change(cell.strip(), "spaces" if cell != cell.strip() else "")
    return Change(half_width(cell).translate(HIRAGANA), "full-width-kana")


FORMS = {
    "latitude": Form(
        expected=Words("世界測地系の緯度（35.6895 の形）", "latitude, as 35.6895"),
        valid=re.compile(r"(2\d|3\d|4[0-5])(\.\d+)?"),
        repair=positions.degrees,
    ),
    "longitude": Form(
        expected=Words("世界測地系の経度（139.6917 の形）", "longitude, as 139.6917"),
        valid=re.compile(r"(12[2-9]|1[34]\d|15[0-3])(\.\d+)?"),
        repair=positions.degrees,
    ),
    "municipality-code": Form(
        expected=Words("6 桁の数字", "six digits"),
        valid=re.compile(r"\d{6}"),
        repair=codes.municipality_codes,
    ),
    "town-id": Form(
        expected=Words("町字 ID（0001000 か 0001-000）", "town ID, as 0001000 or 0001-000"),
        valid=re.compile(r"\d{7}|\d{4}-\d{3}"),
        repair=partial(codes.digits, width=7),
    ),
    "postal-code": Form(
        expected=Words("郵便番号（9658601 か 965-8601）", "postal code, as 9658601 or 965-8601"),
        valid=re.compile(r"\d{7}|\d{3}-\d{4}"),
        repair=_each(_postal_code),
    ),
    "corporate-number": Form(
        expected=Words("13 桁の数字", "thirteen digits"),
        valid=re.compile(r"\d{13}"),
        repair=_each(tidy),
    ),
    "phone": Form(
        expected=Words("半角の電話番号（0242-39-1111 の形）", "telephone number, as 0242-39-1111"),
        valid=re.compile(r"\(?0\d{1,4}\)?[- ]?\(?\d{1,4}\)?[- ]?\d{3,4}"),
        repair=_each(_phone),
    ),
    "extension": Form(
        expected=Words("半角の内線番号", "extension in half width"),
        valid=re.compile(r"[\d,\-]+"),
        repair=_each(_phone),
    ),
    "email": Form(
        expected=Words("メールアドレス", "e-mail address"),
        valid=re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"),
        repair=_each(tidy),
    ),
    "url": Form(
        expected=Words("https:// で始まる URL", "URL that begins with https://"),
        valid=re.compile(r"https?://\S+"),
        repair=_each(lambda cell: Change(cell.strip(), "spaces" if cell != cell.strip() else "")),
    ),
    "date": Form(
        expected=Words("日付（2026-11-01 の形）", "date, as 2026-11-01"),
        valid=re.compile(r"\d{4}-\d{2}-\d{2}"),
        repair=dates.dates,
    ),
    "datetime": Form(
        expected=Words("日時（2026-11-01T08:30:00 の形）", "date and time, as 2026-11-01T08:30:00"),
        valid=re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:?\d{2})?"),
        repair=dates.datetimes,
    ),
    "time": Form(
        expected=Words("時刻（08:30 の形）", "time, as 08:30"),
        valid=re.compile(r"\d{2}:\d{2}(:\d{2})?"),
        repair=_clock,
    ),
    "weekdays": Form(
        expected=Words("曜日の並び（月火水木金 の形）", "days, as 月火水木金"),
        valid=re.compile(r"[月火水木金土日祝]+"),
        repair=_each(_weekdays),
    ),
    "yes-no": Form(
        expected=Words("有 か 無", "有 or 無"), valid=re.compile("有|無"), repair=_each(_yes_no)
    ),
    "flag": Form(
        expected=Words("該当は 1、ほかは空", "1, or empty"),
        valid=re.compile("1"),
        repair=_each(_flag),
    ),
    "kana": Form(
        expected=Words("全角カナ", "kana in full width"),
        valid=re.compile(r"(?!\s)[^ｦ-ﾟぁ-ゖ]+(?<!\s)"),
        repair=_each(_kana),
    ),
    "count": Form(
        expected=Words("整数", "whole number"),
        valid=re.compile(r"-?\d+"),
        repair=partial(numbers.numbers, whole=True),
    ),
    "amount": Form(
        expected=Words("円の金額（数字だけ）", "yen, digits alone"),
        valid=re.compile(r"\d+(\.\d+)?"),
        repair=numbers.numbers,
    ),
    "number": Form(
        expected=Words("数値", "number"),
        valid=re.compile(r"-?\d+(\.\d+)?"),
        repair=numbers.numbers,
    ),
}
