"""Reads YAML files part by part and explains a mistake in one line: file, key, expected."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import yaml

from harvesters.errors import ConfigurationError

SCHEMAS = files("harvesters.schemas")


class Part:
    """One mapping of a YAML file, which remembers where it stands and which keys were read."""

    def __init__(self, file: str, place: str, values: Any) -> None:
        self.file = file
        self.place = place
        if not isinstance(values, dict):
            self.wrong("", "key: value の並び", "a mapping of keys to values", values)
        self._values: dict[str, Any] = values
        self._unread = set(values)

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self._take(key, default)
        if not isinstance(value, str) or not value and default is None:
            self.wrong(key, "文字列（数字は引用符で囲む）", "a text (quote numbers)", value)
        return value.strip()

    def number(self, key: str, default: float | None = None) -> float:
        """A number."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(key, "数値", "a number", value)
        return float(value)

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number from zero up."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.wrong(key, "0 以上の整数", "a whole number from 0 up", value)
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            self.wrong(key, "true か false", "true or false", value)
        return value

    def texts(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        """A list of texts."""
        value = self._take(key, default)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.wrong(key, "文字列の一覧", "a list of texts", value)
        return tuple(value)

    def items(self, key: str, default: list[Any] | None = None) -> list[Any]:
        """A list of anything; the caller looks at each item."""
        value = self._take(key, default)
        if not isinstance(value, list):
            self.wrong(key, "一覧（- で始まる行）", "a list (lines that start with -)", value)
        return value

    def parts(self, key: str, default: list[Any] | None = None) -> list["Part"]:
        """A list of mappings."""
        items = self.items(key, default)
        return [
            Part(self.file, self._path(f"{key}[{number}]"), item)
            for number, item in enumerate(items)
        ]

    def part(self, key: str, default: dict[str, Any] | None = None) -> "Part":
        """A mapping inside this one."""
        return Part(self.file, self._path(key), self._take(key, default))

    def rest(self) -> list[str]:
        """The keys that are not read yet, in the order of the file."""
        return [key for key in self._values if key in self._unread]

    def one_of(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """A text out of a list that the message repeats."""
        value = self.text(key, default)
        if value not in (choices := list(allowed)):
            names = ", ".join(choices)
            self.wrong(key, f"次のどれか: {names}", f"one of: {names}", value)
        return value

    def anything(self, key: str) -> Any:
        """A value that the caller looks at."""
        return self._take(key, None)

    def all_read(self) -> None:
        """Stops at a key that nobody asked for: most often it is misspelt."""
        for key in self.rest():
            known = ", ".join(str(name) for name in self._values if name not in self._unread)
            self.wrong(key, f"既知のキー: {known}", f"a known key: {known}", key)

    def wrong(self, key: str, ja: str, en: str, value: object) -> NoReturn:
        """Refuses the file in one line."""
        where = f"{self.file}: {self._path(key)}" if key or self.place else self.file
        raise ConfigurationError(
            f"{where}: {value!r} は使えません。期待: {ja}",
            f"{where}: got {value!r}, expected {en}",
        )

    def _take(self, key: str, default: Any) -> Any:
        self._unread.discard(key)
        return self._values.get(key, default)

    def _path(self, key: str) -> str:
        return ".".join(piece for piece in (self.place, key) if piece)


def changed_at(*path: str) -> tuple[int, int]:
    """When a file below schemas/ was written, and its size; zeros where it is not there."""
    try:
        told = Path(str(SCHEMAS.joinpath(*path))).stat()
    except OSError:
        return 0, 0
    return told.st_mtime_ns, told.st_size


def read_part(*path: str) -> Part:
    """A YAML file below schemas/ as a part."""
    shown = "/".join(("schemas", *path))
    file = SCHEMAS.joinpath(*path)
    if not file.is_file():
        folder = SCHEMAS.joinpath(*path[:-1])
        names = sorted(one.name[:-5] for one in folder.iterdir() if one.name.endswith(".yaml"))
        raise ConfigurationError(
            f"{shown} がありません。あるもの: {', '.join(names)}",
            f"{shown} does not exist. There are: {', '.join(names)}",
        )
    try:
        return Part(shown, "", yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        line = " ".join(str(error).split())
        raise ConfigurationError(
            f"{shown} は YAML として読めません: {line}", f"{shown} is not YAML: {line}"
        ) from error
