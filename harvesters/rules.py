"""What broken rules and repairs are called, and what is to be done, in both languages."""

from harvesters.words import Words

RULES: dict[str, tuple[Words, Words]] = {
    "type-error": (
        Words("型が違います（期待: {expected}）", "wrong type (expected: {expected})"),
        Words("その型の値だけを書いてください", "write a value of this type and nothing else"),
    ),
    "required": (
        Words("必須の値がありません", "a required value is missing"),
        Words("値を書いてください", "fill in the value"),
    ),
    "pattern": (
        Words("形式が違います（{expected}）", "wrong form ({expected})"),
        Words("桁数と先頭の 0 を確かめてください", "check the number of digits and leading zeros"),
    ),
    "minimum": (
        Words("小さすぎます（最小 {expected}）", "too small (minimum {expected})"),
        Words("値を確かめてください", "check the value"),
    ),
    "maximum": (
        Words("大きすぎます（最大 {expected}）", "too large (maximum {expected})"),
        Words("値を確かめてください", "check the value"),
    ),
    "primary-key": (
        Words("番号が {expected} 行目と同じです", "the same key as in row {expected}"),
        Words("行ごとに違う番号を付けてください", "give every row a key of its own"),
    ),
    "primary-key-empty": (
        Words("番号がありません", "the key is empty"),
        Words("番号を付けてください", "give the row a key"),
    ),
    "table-dimensions": (
        Words("行数が範囲の外です（{expected}）", "row count out of bounds ({expected})"),
        Words(
            "一覧が途中で切れていないか、市のファイルの rows を確かめてください",
            "check that the list is whole, and rows in the city file",
        ),
    ),
    "outside-city": (
        Words("位置が市の外です", "the position is outside the city"),
        Words("緯度と経度を確かめてください", "check latitude and longitude"),
    ),
    "swapped-coordinates": (
        Words("緯度と経度が入れ替わっているようです", "latitude and longitude seem swapped"),
        Words("緯度の列に緯度を書いてください", "write the latitude in the latitude column"),
    ),
    "half-position": (
        Words("緯度と経度の片方がありません", "only one of latitude and longitude is given"),
        Words("両方書くか、両方空にしてください", "give both, or neither"),
    ),
    "number-form": (
        Words("数値の書き方が違います", "not a plain number"),
        Words("0〜9 と小数点だけで書いてください", "use the digits 0 to 9 and a point only"),
    ),
}
REPAIRS: dict[str, tuple[Words, Words]] = {
    "spaces": (
        Words("端の空白", "spaces at the ends"),
        Words("値の前後の空白を除きました", "Spaces at the ends removed"),
    ),
    "half-width": (
        Words("全角の数字", "full-width digits"),
        Words("全角の数字を半角に直しました", "Full-width digits made half-width"),
    ),
    "unit": (
        Words("単位", "unit"),
        Words("数値から単位を除きました", "Units removed from numbers"),
    ),
    "municipality-code": (
        Words("自治体コードの桁", "digits of the municipality code"),
        Words("自治体コードの桁を補いました", "Digits of the municipality code restored"),
    ),
    "leading-zeros": (
        Words("先頭の 0", "leading zeros"),
        Words("先頭の 0 を補いました", "Leading zeros restored"),
    ),
    "short-row": (
        Words("短い行", "short row"),
        Words("行の終わりに無い値を空としました", "Values missing at the end of a row left empty"),
    ),
    "separators": (
        Words("桁区切り", "thousands separators"),
        Words("数値から桁区切りのコンマを除きました", "Thousands separators removed"),
    ),
    "minus-sign": (
        Words("△▲", "minus signs"),
        Words("△や▲をマイナスに直しました", "Triangles made minus signs"),
    ),
    "decimal-zero": (
        Words("末尾の .0", "trailing .0"),
        Words("整数の末尾の .0 を除きました", "Trailing .0 removed from whole numbers"),
    ),
    "no-value": (
        Words("値なしの印", "marks for no value"),
        Words("「-」「…」などの印を空としました", "Marks such as - and … left empty"),
    ),
    "wareki": (
        Words("和暦", "Japanese eras"),
        Words("和暦を西暦に直しました", "Years of Japanese eras converted"),
    ),
    "date-form": (
        Words("日付の形", "form of dates"),
        Words("日付を 2026-11-01 の形に直しました", "Dates written as 2026-11-01"),
    ),
    "serial-date": (
        Words("Excel の日付番号", "Excel's day numbers"),
        Words("Excel の日付番号を日付に直しました", "Excel's day numbers made dates"),
    ),
    "time-form": (
        Words("時刻の形", "form of times"),
        Words("時刻を 08:30:00 の形に直しました", "Times written as 08:30:00"),
    ),
    "dms": (
        Words("度分秒", "degrees, minutes, seconds"),
        Words("度分秒を十進の度に直しました", "Degrees, minutes and seconds made decimal"),
    ),
    "swapped-coordinates": (
        Words("緯度と経度の入れ替わり", "latitude and longitude swapped"),
        Words("入れ替わった緯度と経度を戻しました", "Latitude and longitude changed back"),
    ),
    "tokyo-datum": (
        Words("日本測地系", "Tokyo datum"),
        Words("日本測地系の位置を世界測地系に直しました", "Positions moved from the Tokyo datum"),
    ),
    "plane-coordinates": (
        Words("平面直角座標", "plane coordinates"),
        Words("平面直角座標を緯度・経度に直しました", "Plane coordinates made degrees"),
    ),
    "merged-cells": (
        Words("結合セル", "merged cells"),
        Words("結合されたセルの値を各行に補いました", "Values of merged cells filled in"),
    ),
    "vehicle-name": (
        Words("車両の名前の揺れ", "spellings of a vehicle's name"),
        Words("車両の名前を一つの表記にそろえました", "One spelling for the name of a vehicle"),
    ),
    "decimal-comma": (
        Words("小数点のコンマ", "decimal commas"),
        Words("小数点のコンマを点に直しました", "Decimal commas made points"),
    ),
    "compass": (
        Words("方位の言葉", "points of the compass"),
        Words("北北東などの方位を度に直しました", "Points of the compass made degrees"),
    ),
    "list-form": (
        Words("括弧付きの一覧", "lists in brackets"),
        Words(
            "括弧付きの一覧を「; 」区切りに直しました", "Lists in brackets separated by ; instead"
        ),
    ),
    "ditto": (
        Words("同上", "ditto marks"),
        Words("「〃」「同上」を上の行の値にしました", "Ditto marks replaced by the value above"),
    ),
    "standard-number": (
        Words("ISBN などの形", "form of ISBN and the like"),
        Words(
            "ISBN を 13 桁に、ISSN と NCID を決まった形に直しました",
            "ISBN made 13 digits, ISSN and NCID brought into their form",
        ),
    ),
    "utc": (
        Words("協定世界時", "UTC"),
        Words("日時を協定世界時（UTC）に直しました", "Times converted to UTC"),
    ),
    "computed": (
        Words("計算した値", "computed values"),
        Words(
            "空席数か利用中を、座席数との差として入れました",
            "Free seats, or seats in use, computed from all seats",
        ),
    ),
    "open-state": (
        Words("開室の書き方", "form of open and closed"),
        Words("開館・閉館などを true と false に直しました", "Open and closed made true and false"),
    ),
}
"""Rule: its name in a line of figures, and what was done, for the readers of the dataset's page."""
TYPES = {
    "number": Words("数値", "number"),
    "integer": Words("整数", "whole number"),
    "boolean": Words("true か false", "true or false"),
    "date": Words("日付（2026-11-01 の形）", "date, as 2026-11-01"),
    "time": Words("時刻（08:30:00 の形）", "time, as 08:30:00"),
    "datetime": Words("日時（2026-11-01T08:30:00Z の形）", "time, as 2026-11-01T08:30:00Z"),
    "year": Words("年（2026 の形）", "year, as 2026"),
}
OTHER = (
    Words("規則に合いません（{expected}）", "breaks a rule ({expected})"),
    Words("値を確かめてください", "check the value"),
)
