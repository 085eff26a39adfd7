"""Wrong withdrawal codes, counted by the address they come from."""

from aizu_vault.wrong_codes import ADDRESSES, ALLOWED, SECONDS, WrongCodes


def test_one_is_forgiven_each_minute():
    """However many came: nobody is kept waiting for long. A network of IPv6 counts as one address."""
    now = [0.0]
    codes = WrongCodes(lambda: now[0])
    counted = [codes.count(f"2001:db8::{number}") for number in range(ALLOWED + 5)]
    assert counted == [False] * ALLOWED + [True] * 5
    assert not codes.count("2001:db8:0:1::")
    now[0] += 3 * SECONDS
    assert [codes.count("2001:db8::") for _ in range(4)] == [False, False, False, True]


def test_what_is_remembered_is_bounded():
    """Whoever has many addresses does not fill the memory; the oldest are forgotten."""
    codes = WrongCodes()
    for _ in range(ALLOWED):
        assert not codes.count("192.0.2.1")
    for number in range(ADDRESSES):
        codes.count(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert not codes.count("192.0.2.1")
