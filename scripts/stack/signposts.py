"""The demonstration's deep data in the catalogue: descriptions of what its citizens have in the vault."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

from stack.settings import ROOT, Settings

FOLDER = ROOT / "scripts" / "demo_city" / "signposts"
TAKEN = {"name", "__type"}
"""What the portal finds wrong with a dataset whose name is there already, perhaps deleted."""


def describe(settings: Settings, portal: str, token: str) -> Iterator[str]:
    """Puts the city's signposts into the catalogue; those that are there belong to the stewards.

    Args:
        settings: what the operator said.
        portal: address of the portal.
        token: API token of somebody who may make datasets.

    Yields:
        What went wrong; the portal is none the worse for it.
    """
    headers = {"Authorization": token, "Content-Type": "application/json"}
    for file in sorted(FOLDER.glob(f"{settings['AIZU_CITY']}-*.json")):
        address = f"{portal}/api/3/action/package_create"
        request = urllib.request.Request(address, data=file.read_bytes(), headers=headers)
        try:
            urllib.request.urlopen(request, timeout=60).close()
        except urllib.error.HTTPError as error:
            told = error.read().decode(errors="replace")
            if error.code != 409 or json.loads(told)["error"].keys() != TAKEN:
                yield f"{file.name} is not in the catalogue: {told}"
        except OSError as error:
            yield f"{file.name} is not in the catalogue: {error}"
