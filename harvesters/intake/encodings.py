"""Which encoding a text file is in: every one that fits strictly is tried, the likeliest text wins."""

import codecs
import re
from collections import Counter
from collections.abc import Iterable

from harvesters.errors import NotTheListError
from harvesters.japanese import heading_key

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
EIGHT_BIT = ("utf-8-sig", "cp932", "euc-jp")
JIS_ESCAPES = (b"\x1b$B", b"\x1b$@", b"\x1b(J", b"\x1b(I")
SAMPLE = 20_000
"""Characters that are looked at to tell one encoding from another; all bytes must fit anyway."""
PLAUSIBLE = (
    (re.compile("[ぁ-ゖァ-ヺー々]"), 3),
    (re.compile("[亜-腕一-龥]"), 1),
    (re.compile("[　-〿！-～]"), 1),
    (re.compile("[｡-ﾟ]"), -1),
    (re.compile("[\x80-\u024f\ue000-\uf8ff\ufffd]"), -4),
)
"""What stands in lists of Japanese offices, and what appears when bytes are read wrongly."""
JAPANESE = re.compile("[\u3040-\u9fff]")
HALF_KANA = re.compile(r"(?:[ｱ-ﾝｦ](?:(?<=[ｳｶ-ﾄﾊ-ﾎ])ﾞ|(?<=[ﾊ-ﾎ])ﾟ)?[ｧ-ｯｰ･]*|[\x00-\x7f])*")
"""Well-formed half-width kana: sound marks only where they belong."""
COMMON = set(
    "名称番号住所地区町村市県都道府郡丁目字電話年月日時間分類種別区備考施設学校園保育幼小中高大"
    "図書館公民会館場所緯経度面積人口世帯男女総数合計件料金開始終了曜休定員所在説明画像写真管理者"
    "担当課部局団体法事業内容用途構造建築土木道路川河海山林農水消防火栓槽災害避難警察病院医療福祉"
    "祉高齢障子供児童生徒教育文化財観光駅停留系統路線国際統計調査表項単位円千百万現在作成更新"
)
"""Kanji of headings: words read from wrong bytes hold few of them."""
SURE = 4
SHOWN = 5


def decode(content: bytes, known_headings: Iterable[str] = ()) -> tuple[str, str]:
    """The encoding and the text; mixed or unknown encodings are refused with their lines."""
    fitting = _fitting(content)
    if not fitting:
        _refuse(content)
    known = {heading_key(heading) for heading in known_headings}
    encoding, text = max(fitting, key=lambda one: _likelihood(one, content, known))
    if encoding in {"cp932", "euc-jp"}:
        _refuse_mixed(content, encoding)
    return encoding, text


def _fitting(content: bytes) -> list[tuple[str, str]]:
    """Every encoding that fits strictly; a byte order mark leaves no choice."""
    found = []
    for encoding in _candidates(content):
        try:
            found.append((encoding, content.decode(_codec(encoding))))
        except UnicodeDecodeError:
            continue
    return found


def _candidates(content: bytes) -> tuple[str, ...]:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return (encoding,)
    if any(escape in content for escape in JIS_ESCAPES) and content.isascii():
        return ("iso-2022-jp",)
    if len(content) % 2 == 0 and any(sign in content for sign in (b"\n\0", b"\0\n", b"\0\r")):
        return ("utf-16-le", "utf-16-be", *EIGHT_BIT)
    return EIGHT_BIT


def _codec(encoding: str) -> str:
    """Python's plain iso2022_jp knows no half-width kana, which old systems write."""
    return "iso2022_jp_ext" if encoding == "iso-2022-jp" else encoding


def _likelihood(one: tuple[str, str], content: bytes, known: set[str]) -> tuple[int, float, int]:
    """Known headings count more than letters, letters more than the order of trying."""
    encoding, text = one
    sample = text[:SAMPLE]
    cells = re.split('[,\t;\r\n"]+', sample)
    hits = len(known & {heading_key(cell) for cell in cells}) if known else 0
    order = -EIGHT_BIT.index(encoding) if encoding in EIGHT_BIT else 1
    return hits, _plausibility(encoding, sample, content), order


def _plausibility(encoding: str, sample: str, content: bytes) -> float:
    """The mean weight of the characters that are not ASCII.

    NUL never stands in a text, and a line break does. UTF-8 hardly ever fits by chance.
    """
    if "\0" in sample or (encoding.startswith("utf-16-") and not {"\n", "\r"} & {*sample}):
        return -10
    signs = [sign for sign in sample if not sign.isascii()]
    if not signs or encoding == "utf-8-sig":
        return SURE
    if encoding == "euc-jp" and 2 * sum(sign in COMMON for sign in signs) > len(signs):
        return SURE + 1
    if encoding == "cp932" and max(content) < 0xE0 and HALF_KANA.fullmatch(sample):
        return SURE
    return sum(_weight(sign, encoding) for sign in signs) / len(signs)


def _weight(sign: str, encoding: str) -> float:
    """Kanji of JIS level 2 are rare, and frequent in text that is read wrongly."""
    code = sign.encode("euc-jp", "ignore") if "一" <= sign <= "龥" else b""
    if code >= b"\xd0" or (len(code) == 3 and encoding == "euc-jp"):
        return -1
    if encoding == "euc-jp" and "｡" <= sign <= "ﾟ":
        return 2  # two bytes there, which no other encoding forms by chance
    return next((weight for letters, weight in PLAUSIBLE if letters.match(sign)), -2)


def _refuse_mixed(content: bytes, encoding: str) -> None:
    """UTF-8 lines inside CP932 often decode without an error, into other characters."""
    lines = [(number, "utf-8" in fits) for number, fits in _lines(content) if fits != ["ascii"]]
    odd = [number for number, is_utf8 in lines if is_utf8]
    if 0 < len(odd) < len(lines) / 2:
        _say_mixed(odd, "UTF-8", encoding)
    if odd:
        _say_unknown([number for number, is_utf8 in lines if not is_utf8])


def _lines(content: bytes) -> Iterable[tuple[int, list[str]]]:
    """The encodings that fit each line alone; UTF-8 counts only where it shows Japanese."""
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.isascii():
            yield number, ["ascii"]
            continue
        fits = []
        for encoding in ("utf-8", "cp932", "euc-jp"):
            try:
                text = line.decode(encoding)
            except UnicodeDecodeError:
                continue
            if encoding != "utf-8" or JAPANESE.search(text):
                fits.append(encoding)
        yield number, fits[:1] if fits[:1] == ["utf-8"] else fits


def _refuse(content: bytes) -> None:
    """Says which lines are unlike the others, or where the first unreadable one is."""
    lines = [(number, fits) for number, fits in _lines(content) if fits != ["ascii"]]
    votes = Counter(encoding for _, fits in lines for encoding in fits)
    if not votes:
        _say_unknown([number for number, _ in lines])
    common = votes.most_common(1)[0][0]
    odd = [(number, fits) for number, fits in lines if common not in fits]
    unreadable = [number for number, fits in odd if not fits]
    if unreadable:
        _say_unknown(unreadable)
    _say_mixed([number for number, _ in odd], odd[0][1][0] if odd else "?", common)


def _say_unknown(lines: list[int]) -> None:
    shown = ", ".join(map(str, lines[:SHOWN]))
    raise NotTheListError(
        f"文字コードが分かりません。読めない行: {shown}（全部で {len(lines)} 行）。ファイルが途中で"
        "切れていないか確かめ、UTF-8 か Shift_JIS（CP932）のどちらか一つで保存し直してください。",
        f"unknown encoding; unreadable lines: {shown} ({len(lines)} in all). Check that the file "
        "is whole, and save it again in UTF-8 or in Shift_JIS (CP932), and in one of them only.",
    )


def _say_mixed(lines: list[int], odd: str, common: str) -> None:
    shown = ", ".join(map(str, lines[:SHOWN]))
    raise NotTheListError(
        f"文字コードが混ざっています。{shown} 行目（{len(lines)} 行）は {odd.upper()}、ほかは "
        f"{common.upper()} のようです。全体を UTF-8 か Shift_JIS のどちらか一つで保存し直してください。",
        f"mixed encodings: line {shown} ({len(lines)} in all) seems to be {odd.upper()}, the "
        f"others {common.upper()}. Save the whole list again in one encoding.",
    )
