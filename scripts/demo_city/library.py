"""An invented library's books: titles with readings, creators, and ISBN of a range that nobody has."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

EARLIEST = date(2025, 4, 1)
DAYS = 580
REPOSITORY = "library.aizuwakamatsu.example.jp"
SETS = {"general": "一般書", "children": "児童書", "local": "郷土資料"}
Word = tuple[str, str]
"""A word and how it is read."""
PLACES: tuple[Word, ...] = (
    ("会津", "アイヅ"), ("猪苗代湖", "イナワシロコ"), ("只見川", "タダミガワ"), ("磐梯山", "バンダイサン"),
    ("鶴ヶ城", "ツルガジョウ"), ("雪国", "ユキグニ"), ("城下町", "ジョウカマチ"), ("奥会津", "オクアイヅ"),
)  # fmt: skip
THINGS: tuple[tuple[Word, str, str], ...] = (
    (("歴史", "レキシ"), "212.6", "歴史"), (("民話", "ミンワ"), "388.1", "民話"),
    (("植物", "ショクブツ"), "472.1", "植物"), (("野鳥", "ヤチョウ"), "488.2", "鳥類"),
    (("温泉", "オンセン"), "453.9", "温泉"), (("漆器", "シッキ"), "752.6", "漆器"),
    (("郷土料理", "キョウド リョウリ"), "596.2", "料理"), (("酒造り", "サケズクリ"), "588.5", "酒"),
    (("除雪", "ジョセツ"), "518.5", "除雪"), (("鉄道", "テツドウ"), "686.2", "鉄道"),
    (("農業", "ノウギョウ"), "612.1", "農業"), (("染織", "センショク"), "753.2", "染織"),
    (("祭り", "マツリ"), "386.1", "祭礼"), (("地図", "チズ"), "291.2", "地図"),
    (("暮らし", "クラシ"), "382.1", "生活"), (("物語", "モノガタリ"), "913.6", "小説"),
)  # fmt: skip
FORMS: tuple[tuple[str, str], ...] = (
    ("{place}の{thing}", "{place} ノ {thing}"), ("{place}{thing}入門", "{place} {thing} ニュウモン"),
    ("{thing}をたずねて : {place}散歩", "{thing} オ タズネテ : {place} サンポ"),
    ("はじめての{thing} : {place}編", "ハジメテ ノ {thing} : {place} ヘン"),
    ("{place}と{thing}の百年", "{place} ト {thing} ノ ヒャクネン"),
    ("図説{place}の{thing}", "ズセツ {place} ノ {thing}"),
)  # fmt: skip
FAMILIES: tuple[Word, ...] = (
    ("白雪", "シラユキ"), ("磐城野", "イワキノ"), ("猪又坂", "イノマタザカ"), ("只野川", "タダノガワ"),
    ("飯盛沢", "イイモリサワ"), ("蘆野原", "アシノハラ"), ("鶴見台", "ツルミダイ"), ("檜枝", "ヒノエダ"),
)  # fmt: skip
GIVEN: tuple[Word, ...] = (
    ("冬子", "フユコ"), ("雪斗", "ユキト"), ("春乃", "ハルノ"), ("大樹", "ダイキ"), ("澄江", "スミエ"),
    ("峰雄", "ミネオ"), ("千波", "チナミ"), ("朔", "サク"),
)  # fmt: skip
PUBLISHERS = (
    "雪あかり書房",
    "猪苗代湖畔社",
    "あかべこ出版",
    "只見線文庫",
    "七日町活版所",
    "磐梯書林",
)


@dataclass(frozen=True)
class Book:
    """One record of the catalogue."""

    number: int
    changed: date
    deleted: bool
    part: str
    title: Word
    volume: str
    creators: tuple[Word, ...]
    publisher: str
    year: int
    isbn: str
    ndc: str
    subject: str
    pages: int

    @property
    def identifier(self) -> str:
        """As OAI-PMH names it."""
        return f"oai:{REPOSITORY}:{self.number:07d}"


@cache
def books(count: int = 3000) -> tuple[Book, ...]:
    """The same books every day, in the order in which they were changed last."""
    chance = random.Random("library of Aizuwakamatsu")  # noqa: S311  a demonstration, no secret
    made = [_book(number, chance) for number in range(1, count + 1)]
    return tuple(sorted(made, key=lambda book: (book.changed, book.number)))


def _book(number: int, chance: random.Random) -> Book:
    place, (thing, ndc, subject) = chance.choice(PLACES), chance.choice(THINGS)
    written, read = chance.choice(FORMS)
    creators = [
        tuple(f"{family}, {given}" for family, given in zip(*names, strict=True))
        for names in _pairs(chance)
    ]
    return Book(
        number=number,
        changed=EARLIEST + timedelta(days=chance.randrange(DAYS)),
        deleted=number % 250 == 0,
        part=chance.choices(list(SETS), [6, 3, 1])[0],
        title=(
            written.format(place=place[0], thing=thing[0]),
            read.format(place=place[1], thing=thing[1]),
        ),
        volume=str(chance.randint(1, 4)) if chance.random() < 0.1 else "",
        creators=tuple((written, read) for written, read in creators),
        publisher=chance.choice(PUBLISHERS),
        year=chance.randint(1962, 2026),
        isbn=_isbn(number) if chance.random() < 0.93 else "",
        ndc=ndc,
        subject=subject,
        pages=chance.randint(48, 420),
    )


def _pairs(chance: random.Random) -> list[tuple[Word, Word]]:
    count = chance.choices([1, 2, 3], [7, 2, 1])[0]
    return list(zip(chance.sample(FAMILIES, count), chance.sample(GIVEN, count), strict=True))


def _isbn(number: int) -> str:
    """Of a range that no publisher has; some are written with hyphens, as catalogues do."""
    body = f"9784999{900 + number // 100:03d}{number % 100:02d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    if number % 3:
        return f"{body}{-total % 10}"
    return f"978-4-{body[4:10]}-{body[10:]}-{-total % 10}"
