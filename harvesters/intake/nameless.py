"""Names for the columns of lists that are always published without headings."""

import re

KEN_ALL = (
    "全国地方公共団体コード",
    "旧郵便番号",
    "郵便番号",
    "都道府県名カナ",
    "市区町村名カナ",
    "町域名カナ",
    "都道府県名",
    "市区町村名",
    "町域名",
    "一町域が二以上の郵便番号",
    "小字毎に番地が起番",
    "丁目を有する町域",
    "一つの郵便番号で二以上の町域",
    "更新の表示",
    "変更理由",
)
"""Japan Post's list of postal codes, KEN_ALL.CSV."""
POSTAL_CODE = re.compile(r"\d{7}")
PREFECTURE = re.compile(r".{2,3}[都道府県]")


def names_for(cells: list[str], width: int) -> list[str]:
    """The published names where the list is known by its form, else the places of the columns."""
    if (
        width == len(cells) == len(KEN_ALL)
        and POSTAL_CODE.fullmatch(cells[2])
        and PREFECTURE.fullmatch(cells[6])
    ):
        return list(KEN_ALL)
    return [f"{place} 列目" for place in range(1, width + 1)]
