"""JSON is read the same way whatever it holds, and every fault in it is told with its place."""

import pytest

from harvesters import json_text
from harvesters.errors import NotTheListError


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"a": 37.40, "b": 1e3, "c": 007}', None),
        ('{"a": 37.40, "b": 1e3}', {"a": "37.40", "b": "1e3"}),
        ('{"a": 1}\n\n{"a": 2}\n', [{"a": "1"}, {"a": "2"}]),
        ("[NaN]", ["NaN"]),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_numbers_stay_as_they_are_written(text, read):
    """With every digit, and however many there are."""
    if read is None:
        with pytest.raises(NotTheListError):
            json_text.parse(text)
    else:
        assert json_text.parse(text) == read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": [1, 2', "ends in the middle"),
        ('{"a": "b', "ends in the middle"),
        ('{"a": __ID__, "b": 1}', r"line 1, character 7, near .* \(Expecting value\)"),
        ('{"a": 1}\n{"a": , "b": 2}\n{"a": 3}', "line 2, character 7"),
        ("[" * 200_000 + "]" * 200_000, "nested too deeply"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
        ('{"a":1}\n' + "[" * 200_000, "nested too deeply"),
    ],
    ids=["list", "text", "placeholder", "line", "lists", "objects", "second line"],
)
def test_what_cannot_be_read_is_refused_with_its_place(text, said):
    """Nothing that is sent may end in a fault of the program."""
    with pytest.raises(NotTheListError, match=said):
        json_text.parse(text)
