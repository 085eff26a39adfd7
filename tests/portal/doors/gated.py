"""A signpost in the catalogue whose rows lie in the vault of the running portal, every one of them a canary."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aizu_vault.settings import Vault
from tests.portal.conftest import Portal
from tests.unit.deep.described import SIGNPOST

from .datasets import canaries, values
from .people import People
from .vault_city import Kept, kept
from .walk import Target


@dataclass(frozen=True, kw_only=True)
class Gated:
    """What the catalogue shows, and what is in the vault."""

    target: Target
    kept: Kept


@contextmanager
def signpost(portal: Portal, people: People) -> Iterator[Gated]:
    """A dataset of deep data; `word` is what attempts to put something behind its signpost carry."""
    words = canaries("cell", "count", "tried")
    name, title = f"test-{uuid.uuid4().hex[:8]}", f"扉{uuid.uuid4().hex[:6]}"
    accounts = {"citizen": people["citizen"].id, "other": people["recipient"].id}
    vault = Vault.open(portal.var / "vault")
    with kept(vault, name, words["cell"], int(words["count"]), **accounts) as found:
        dataset = people["editor"].api.package_create(
            name=name,
            title=title,
            notes="試験",
            tags=[{"name": title}],
            license_id="other-closed",
            owner_org=people.department,
            resources=[SIGNPOST | {"deep_dataset": name}],
        )
        own = [dataset["resources"][0]["id"]]
        places = {
            **{f"{kind}_id": own for kind in ("table", "file", "link")},
            "filename": ["list.csv"],
            "agreement_id": [found.agreement],
            "purpose_id": [found.purpose],
            "word": [words["tried"]],
        }
        secrets = {"person": str(found.persons[1]), "folder": str(vault.places.folder).lower()}
        target = Target(canaries=words | secrets, values=values(people, dataset, title, places))
        yield Gated(target=target, kept=found)
