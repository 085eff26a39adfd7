"""The city this portal serves, read from its file in schemas/cities: departments, themes and base map."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ckan.common import config


@cache
def city(file: str) -> dict[str, Any]:
    """The content of a city file.

    Args:
        file: its path; the setting `aizu.city_file` of the portal at hand.
    """
    content: dict[str, Any] = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    return content


def here() -> dict[str, Any]:
    """The city of this portal."""
    return city(config["aizu.city_file"])
