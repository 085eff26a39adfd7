"""What the gate lets through, what it refuses, and in which words."""

import pytest

from ckanext.aizu.diff import Table, compare
from ckanext.aizu.gate import WHAT_TO_DO, Limits, Notable, Rule, decide, figures

HEADER = ("id", "kind", "diameter")


def table(rows, header=HEADER, key=("id",), kind="integer"):
    fields = [{"name": name, "type": "string"} for name in header[:2]]
    fields += [{"name": name, "type": kind} for name in header[2:]]
    content = "\r\n".join([",".join(header), *rows]).encode()
    return Table(content=content, fields=fields, key=key)


def numbered(first, last, text="消火栓,75"):
    return [f"{number},{text}" for number in range(first, last + 1)]


BEFORE = table(numbered(1, 100))
NOTHING = Table(content=b"", fields=BEFORE.fields, key=BEFORE.key)


def rules(plan):
    return [reason.rule for reason in plan.reasons]


@pytest.mark.parametrize(
    ("after", "limits", "expected"),
    [
        (table(numbered(1, 100)), Limits(), []),
        (table(numbered(11, 100)), Limits(), []),
        (table(numbered(12, 100)), Limits(), [Rule.MASS_DELETION]),
        (table(numbered(12, 100)), Limits(removed_share=0.11), []),
        (table(numbered(2, 100)), Limits(removed_share=0), [Rule.MASS_DELETION]),
        (table(numbered(1, 100) + numbered(201, 900)), Limits(), []),
        (table(numbered(1, 99)), Limits(minimum=99, maximum=99), []),
        (table(numbered(1, 99)), Limits(minimum=100), [Rule.TOO_FEW_ROWS]),
        (table(numbered(1, 100)), Limits(maximum=99), [Rule.TOO_MANY_ROWS]),
        (table([]), Limits(), [Rule.NOTHING_LEFT, Rule.MASS_DELETION]),
        (table(numbered(1, 100, "消火栓,100")), Limits(), [Rule.ALL_CHANGED]),
        (table(numbered(1, 100, "消火栓,100")), Limits(all_may_change=True), []),
        (table(numbered(1, 99, "消火栓,100") + ["100,消火栓,75"]), Limits(), []),
        (table(numbered(1, 100), kind="number"), Limits(), [Rule.FIELD_RETYPED]),
        (table(numbered(1, 100), key=("kind", "id")), Limits(), [Rule.KEY_CHANGED]),
        (table(numbered(1, 100), key=()), Limits(), [Rule.KEY_CHANGED]),
        (table(numbered(1, 100, "消火栓"), HEADER[:2]), Limits(), [Rule.FIELD_REMOVED]),
        (table(numbered(1, 100, "消火栓,75,"), (*HEADER, "notes")), Limits(), []),
        (
            table(numbered(1, 100, "消火栓,75"), ("no", *HEADER[1:]), key=("no",)),
            Limits(),
            [Rule.FIELD_REMOVED, Rule.KEY_CHANGED],
        ),
    ],
)
def test_reasons(after, limits, expected):
    """One rule each, at its bound and just beyond it."""
    plan = decide(compare(BEFORE, after), limits)
    assert rules(plan) == expected


def test_a_first_version_is_held_against_nothing_but_the_bounds():
    """There is nothing that it could lose."""
    assert decide(compare(NOTHING, BEFORE), Limits(minimum=100, maximum=100)).reasons == ()
    other_key = Table(content=b"", fields=BEFORE.fields, key=("kind",))
    assert decide(compare(other_key, BEFORE), Limits()).reasons == ()
    assert rules(decide(compare(NOTHING, NOTHING), Limits(minimum=1))) == [Rule.TOO_FEW_ROWS]


def test_short_tables_may_change_in_every_row():
    """Four libraries have other numbers of free seats each time."""
    before, after = table(numbered(1, 9)), table(numbered(1, 9, "消火栓,100"))
    assert not decide(compare(before, after), Limits()).reasons
    before, after = table(numbered(1, 10)), table(numbered(1, 10, "消火栓,100"))
    assert rules(decide(compare(before, after), Limits())) == [Rule.ALL_CHANGED]


def test_a_share_is_what_it_is_written_as():
    """3 of 30 rows are 10 %, not more."""
    for total in range(10, 400, 10):
        before = table(numbered(1, total))
        after = table(numbered(1, total - total // 10))
        assert not decide(compare(before, after), Limits()).reasons, total


def test_reasons_have_figures_and_say_what_to_do():
    """In both languages; a clerk can act on them."""
    (reason,) = decide(compare(BEFORE, table(numbered(1, 70))), Limits()).reasons
    assert reason.ja.startswith("100 行のうち 30 行（30.0%）が削除されます（上限 10.0%）。")
    assert reason.en.startswith("30 of 100 rows (30.0%) are removed; allowed are 10.0%. ")
    assert reason.ja.endswith(WHAT_TO_DO[Rule.MASS_DELETION][0])
    assert reason.en.endswith(WHAT_TO_DO[Rule.MASS_DELETION][1])


def test_every_rule_says_what_to_do():
    """A rule without advice would only say no."""
    assert WHAT_TO_DO.keys() == set(Rule)


def test_without_a_key_a_changed_row_counts_as_removed_and_the_words_say_so():
    """Nobody could tell which row it was."""
    before, after = (
        table(numbered(1, 100), key=()),
        table(numbered(1, 80) + numbered(81, 100, "消火栓,100"), key=()),
    )
    (reason,) = decide(compare(before, after), Limits()).reasons
    assert reason.rule is Rule.MASS_DELETION
    assert "20 行（20.0%）が削除または変更されます" in reason.ja
    assert "20 of 100 rows (20.0%) are removed or changed" in reason.en


def test_all_changed_tells_of_numbers_that_are_only_written_otherwise():
    """Then the source's program changed and not the world."""
    after = table(numbered(1, 100, "消火栓,075"))
    (reason,) = decide(compare(BEFORE, after), Limits()).reasons
    assert reason.rule is Rule.ALL_CHANGED
    assert "数値の書き方だけの違い 100 行" in reason.ja
    assert "100 of them differ in the writing of numbers alone" in reason.en


def test_columns_are_named():
    """With both types, and both keys."""
    after = table(numbered(1, 100), ("id", "sort", "diameter"), key=("id", "sort"), kind="number")
    words = {reason.rule: reason.en for reason in decide(compare(BEFORE, after), Limits()).reasons}
    assert words[Rule.FIELD_REMOVED].startswith("1 column is gone: kind. ")
    assert "1 column is of another type: diameter (integer → number). " in words[Rule.FIELD_RETYPED]
    assert words[Rule.KEY_CHANGED].startswith(
        "The key that tells rows apart changes: id → id, sort."
    )


def test_new_columns_and_rows_without_a_key_are_noted():
    """They keep nothing from being published."""
    after = table([*numbered(1, 100, "消火栓,75,"), ",消火栓,75,"], (*HEADER, "notes"))
    plan = decide(compare(BEFORE, after), Limits())
    assert not plan.reasons
    assert [note.rule for note in plan.notes] == [Notable.FIELD_ADDED, Notable.KEYLESS_ROWS]
    assert plan.notes[0].ja == "1 列が加わります: notes"
    assert plan.notes[1].en.startswith("Rows whose key (id) is blank or repeats: 1. ")


@pytest.mark.parametrize("share", [-0.1, 1.1, 10])
def test_a_share_is_from_0_to_1(share):
    """10 for 10 % would let everything pass."""
    with pytest.raises(ValueError, match="share from 0 to 1"):
        Limits(removed_share=share)


def test_a_reason_in_short_is_its_figures():
    """What to do is left out where there is no room for it; a reason of another day stays as it was told."""
    plan = decide(compare(BEFORE, table(numbered(1, 80))), Limits())
    (reason,) = plan.reasons
    ja, en = figures(reason.rule, reason.ja, reason.en)
    assert ja == "100 行のうち 20 行（20.0%）が削除されます（上限 10.0%）。"
    assert en == "20 of 100 rows (20.0%) are removed; allowed are 10.0%."
    assert figures("former-rule", "多い。承認を。", "Many. Approve.") == (
        "多い。承認を。",
        "Many. Approve.",
    )
