"""Characters that count as the same: width, case, accents, old forms of kanji, the two kana."""

import re
import unicodedata
from functools import cache

from opencc import OpenCC

KANJI = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
"""Characters of which each means something, for a regular expression; Korean syllables, too."""
# Middle dot (・) and double hyphen (゠) lie inside the katakana block but separate words.
KANA = "\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"

# Forms in names that are not in the official list of old forms.
_NAMES = str.maketrans("髙﨑嶋嶌冨邉齊槗栁曻埜", "高崎島島富辺斉橋柳昇野")
_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_KANA_VARIANTS = {
    "ゔぁ": "ば",
    "ゔぃ": "び",
    "ゔぇ": "べ",
    "ゔぉ": "ぼ",
    "ゔ": "ぶ",
    "ぢ": "じ",
    "づ": "ず",
    "ヷ": "ば",
    "ヺ": "ぼ",
    "ゑ": "え",
    "ゐ": "い",
}
_VARIANTS = re.compile("|".join(_KANA_VARIANTS))


def width_and_case(text: str) -> str:
    """Full and half width, upper and lower case become one."""
    return unicodedata.normalize("NFKC", text).casefold()


def normalise(text: str) -> str:
    """Old and new forms of kanji become one as well."""
    return width_and_case(text).translate(_new_forms())


@cache
def _new_forms() -> dict[int, str]:
    ideographs = [chr(code) for code in range(0x4E00, 0xA000)]
    converted = OpenCC("t2jp").convert("\n".join(ideographs)).split("\n")
    pairs = zip(ideographs, converted, strict=True)
    return {ord(old): new for old, new in pairs if old != new} | _NAMES


def unaccented(word: str) -> str:
    """The letters without their accents."""
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFKD", word)
    return "".join(part for part in parts if not unicodedata.combining(part))


def hiragana(word: str) -> str:
    """Katakana as hiragana, sounds written in two ways as one: ゴミ → ごみ, サーバー → さーば."""
    word = _VARIANTS.sub(lambda found: _KANA_VARIANTS[found.group()], word.translate(_HIRAGANA))
    # コピー is not コピ, but サーバー is サーバ: Lucene draws the line at four characters, too.
    return word[:-1] if len(word) > 3 and word.endswith("ー") else word


def storable(text: str) -> str:
    """The text without what PostgreSQL takes in no text: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()
