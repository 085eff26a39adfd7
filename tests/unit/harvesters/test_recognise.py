"""Kinds of columns are known by heading and values; figures are measured on real lists, checked by hand."""

import csv
import os
from collections import Counter
from functools import cache

import pytest

from harvesters import intake
from harvesters.standards.kinds import kinds
from harvesters.standards.recognise import recognise

from .conftest import ROOT

FILES = ROOT.parent / "shared" / "data" / "municipal-csv"
TRUTH = ROOT / "tests" / "expected" / "standards" / "kinds.csv"
TOLD_BY_VALUES = {
    "latitude", "longitude", "position", "url", "phone", "postal-code", "prefecture", "city",
    "datetime", "weekdays",
}  # fmt: skip
"""Kinds that need no heading at all."""


@pytest.mark.parametrize(
    ("heading", "values", "kind"),
    [
        ("", ["35.6895", "34.69374"], "latitude"),
        ("", ["139.6917", "135.50218"], "longitude"),
        ("", ["35.6895,139.6917", "34.69374, 135.50218"], "position"),
        ("緯度", ["37°29′21.48″", "37度30分1秒"], "latitude"),
        ("lat", [], "latitude"),
        ("", ["0242-39-1111", "(0242)39-1111", "090-1234-5678"], "phone"),
        ("連絡先", ["０２４２－３９－１１１１"], "phone"),
        ("", ["965-8601", "965-0872"], "postal-code"),
        ("", ["072028", "072036"], "municipality-code"),
        ("", ["072029", "072030"], "number"),
        ("", ["https://example.jp/a", "http://example.jp/"], "url"),
        ("", ["opendata@example.jp"], "email"),
        ("", ["令和6年4月1日", "H31.3.31"], "date"),
        ("開始日", ["2026/11/1", "20261101"], "date"),
        ("", ["2026-11-01T08:30:00"], "datetime"),
        ("", ["8:30", "17時15分", "午後3時"], "time"),
        ("", ["月火水木金", "土・日", "月曜日"], "weekdays"),
        ("", ["有", "無", "○"], "yes-no"),
        ("", ["アイヅワカマツシヤクショ", "ﾂﾙｶﾞｼﾞｮｳ", "ヒガシヤマオンセン"], "kana"),
        ("", ["福島県会津若松市東栄町3-46", "会津若松市追手町1番1号"], "address"),
        ("", ["福島県", "東京都"], "prefecture"),
        ("", ["会津若松市", "河沼郡会津坂下町"], "city"),
        ("料金（基本）", ["300円", "1,000円"], "amount"),
        ("定員", ["70", "30人"], "count"),
        ("", ["令和6年度", "平成元年"], "year"),
        ("名称", ["本庁舎"], "name"),
        ("NO", ["1", "2"], "id"),
        ("備考", [], "text"),
    ],
)
def test_the_kind_of_a_column(heading, values, kind):
    """Headings in many words, values in many forms."""
    assert recognise(heading, values).kind == kind


def test_values_overrule_a_heading_that_they_contradict():
    """A column of telephone numbers under an address is telephone numbers."""
    guess = recognise("contactAddress", ["080-0000-1111、080-0000-2222", "0242-00-1111"])
    assert (guess.kind, guess.named) == ("phone", False)


def test_no_latitude_is_taken_for_a_telephone_number():
    """Degrees with any number of decimals, from all over Japan, with and without a heading."""
    degrees = [f"{20 + step * 0.01:.{decimals}f}" for step in range(2500) for decimals in (3, 6)]
    for heading in ("", "緯度", "列1"):
        assert recognise(heading, degrees).kind == "latitude"
    assert not any(kinds()["phone"].holds(value) for value in degrees)


def test_why_is_told_in_both_languages():
    """Names and shares, for the comments of a proposal."""
    assert recognise("緯度", ["35.6895"]).why == ("見出しと値（100%）", "heading and values (100%)")
    assert recognise("", ["35.6895"]).why == ("値（100%）", "values (100%)")


@cache
def real_columns():
    """Every column of the real lists: file, place, heading, values, kind checked by hand."""
    sheets = {path.name[:4]: intake.read(path.read_bytes()) for path in FILES.glob("*.csv")}
    with TRUTH.open(encoding="utf-8", newline="") as file:
        truth = list(csv.DictReader(file))
    return [
        (number, line["column"], [row[int(line["place"]) - 1] for row in sheet.rows], line["kind"])
        for line in truth
        for number in line["files"].split()
        for sheet in [sheets[number]]
    ]


def figures(found):
    """Precision and recall of each kind, from pairs of the kind found and the true one."""
    right = Counter(true for guess, true in found if guess == true)
    guessed, true = Counter(guess for guess, _ in found), Counter(true for _, true in found)
    return {
        kind: (
            right[kind] / guessed[kind] if guessed[kind] else 1.0,
            right[kind] / true[kind] if true[kind] else 1.0,
        )
        for kind in guessed | true
    }


def compared(name, measured):
    """The figures as they are checked in; AIZU_WRITE_EXPECTED=1 writes them anew."""
    lines = [["kind", "precision", "recall"]]
    lines += [[kind, f"{one:.3f}", f"{two:.3f}"] for kind, (one, two) in sorted(measured.items())]
    text = "".join(f"{','.join(line)}\n" for line in lines)
    path = TRUTH.with_name(name)
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        path.write_text(text, encoding="utf-8")
    return text, path.read_text(encoding="utf-8")


@pytest.mark.skipif(not FILES.is_dir(), reason="the real lists (../shared/data) are not here")
def test_kinds_of_all_columns_of_real_lists():
    """With their headings: nearly every column of 120 lists, and no place or number wrongly."""
    columns = real_columns()
    found = [(recognise(heading, values).kind, kind) for _, heading, values, kind in columns]
    measured = figures(found)
    measured_now, checked_in = compared("figures.csv", measured)
    assert measured_now == checked_in
    assert sum(guess == true for guess, true in found) >= 0.97 * len(found)
    for kind in ("latitude", "longitude", "phone", "postal-code", "url", "date", "time"):
        assert measured[kind] >= (0.99, 0.99), kind


@pytest.mark.skipif(not FILES.is_dir(), reason="the real lists (../shared/data) are not here")
def test_kinds_without_headings():
    """By values alone: what is said is right, and telling kinds are found."""
    written = [one for one in real_columns() if sum(bool(value.strip()) for value in one[2]) >= 3]
    measured = figures([(recognise("", values).kind, kind) for _, _, values, kind in written])
    measured_now, checked_in = compared("figures_without_headings.csv", measured)
    assert measured_now == checked_in
    for kind in TOLD_BY_VALUES:
        precision, recall = measured.get(kind, (1.0, 1.0))
        assert precision >= 0.95, kind
        assert recall >= 0.8, kind
