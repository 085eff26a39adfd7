"""The register as the YAML file that `register_file` reads; standings, states and approvals are in no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from aizu_vault.ages import JST
from aizu_vault.node_names import read_names
from aizu_vault.stored_register import read_budgets, read_descriptions, read_register
from aizu_vault.trees import Tree

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

    from aizu_vault.agreements import Agreement, Recipient, Terms
    from aizu_vault.interval import Interval
    from aizu_vault.node_names import Names
    from aizu_vault.stored_register import Budget, Described
    from aizu_vault.trees import Node, Version

Said = dict[str, Any]


def read_all(connection: Connection[Any]) -> Said:
    """The whole register, in the shape of a file."""
    register, budgets = read_register(connection), read_budgets(connection)
    versions = register.taxonomy.versions
    return _told(
        {
            "trees": _trees(versions[-1], read_names(connection)) if versions else None,
            "datasets": {
                name: _dataset(one) for name, one in read_descriptions(connection).items()
            },
            "terms": {name: _terms(one) for name, one in register.terms.items()},
            "recipients": {name: _recipient(one) for name, one in register.recipients.items()},
            "agreements": {
                name: _agreement(one, budgets[name]) for name, one in register.agreements.items()
            },
            "obligations": [
                {"recipient": one.recipient_id, "duty": one.duty.value, "due": _time(one.due)}
                for one in register.obligations
            ],
        }
    )


def as_yaml(said: Said) -> str:
    """The text of the file."""
    return yaml.safe_dump(said, allow_unicode=True, sort_keys=False, width=110)


def _trees(version: Version, names: Names) -> Said:
    trees = {
        tree.value: {node.code: _node(node, names) for node in version.nodes if node.tree is tree}
        for tree in Tree
    }
    return {"version": version.number, "since": _time(version.since), **trees}


def _node(node: Node, names: Names) -> Said:
    said: Said = {"in": node.parent, "grantable": None if node.grantable else False}
    if name := names.get((node.tree, node.code)):
        said |= {"title_ja": name.ja, "title_en": name.en, "iri": name.iri}
    return _told(said)


def _dataset(one: Described) -> Said:
    dataset = one.dataset
    told = (
        "title_ja",
        "title_en",
        "privacy_level",
        "legal_ground",
        "purpose_specified",
        "register_no",
    )
    return _told(
        {
            "data_class": dataset.data_class,
            **{name: getattr(one, name) for name in told},
            "columns": dict(one.columns),
            "row_owners": dataset.row_owners.value,
            "self_consent_age": dataset.self_consent_age,
            "assent_age": dataset.assent_age,
            "emergency_recipients": sorted(dataset.emergency_recipients),
            "emergency_fields": sorted(dataset.emergency_fields),
        }
    )


def _terms(one: Terms) -> Said:
    return {
        "dataset": one.dataset_id,
        "version": one.version,
        "material": one.material,
        "residents_only": one.residents_only,
    }


def _recipient(one: Recipient) -> Said:
    members = [{"user": member.user, **_times(member.valid)} for member in one.members]
    return _told({"country": one.country, "members": members})


def _agreement(one: Agreement, budget: Budget) -> Said:
    return _told(
        {
            "recipient": one.recipient_id,
            "dataset": one.dataset_id,
            "purpose": one.purpose,
            "fields": sorted(one.fields),
            "terms": one.terms_id,
            "valid": _times(one.valid),
            "requester": one.requester,
            "onward": sorted(one.onward),
            "rows_per_day": budget.rows_per_day,
            "persons": budget.persons,
        }
    )


def _times(interval: Interval) -> Said:
    return _told({"from": _time(interval.start), "until": _time(interval.end)})


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(JST).isoformat() if moment else None


def _told(said: Said) -> Said:
    """Without what says nothing."""
    return {name: value for name, value in said.items() if value is not None and value != []}
