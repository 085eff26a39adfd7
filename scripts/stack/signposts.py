"""The demonstration's deep data in the catalogue: descriptions of what its citizens have in the vault."""

import json
import urllib.error
import urllib.request

from stack.packages import MissingError
from stack.settings import ROOT, Settings

FOLDER = ROOT / "scripts" / "demo_city" / "signposts"
TAKEN = {"name", "__type"}
"""What the portal finds wrong with a dataset whose name is there already, perhaps deleted."""


def describe(settings: Settings, portal: str, token: str) -> None:
    """Puts the city's signposts into the catalogue; those that are there belong to the stewards.

    Args:
        settings: what the operator said.
        portal: address of the portal.
        token: API token of somebody who may make datasets.

    Raises:
        MissingError: the portal does not take one; the message has what it says.
    """
    headers = {"Authorization": token, "Content-Type": "application/json"}
    for file in sorted(FOLDER.glob(f"{settings['AIZU_CITY']}-*.json")):
        address = f"{portal}/api/3/action/package_create"
        request = urllib.request.Request(address, data=file.read_bytes(), headers=headers)
        try:
            urllib.request.urlopen(request, timeout=60).close()
        except urllib.error.HTTPError as error:
            told = json.load(error)["error"]
            if set(told) != TAKEN:
                raise MissingError(f"{file.name}: {told}") from error
