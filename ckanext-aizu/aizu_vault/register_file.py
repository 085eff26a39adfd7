"""Reads a register from a YAML file and adds to the vault what it lacks; loaded again it changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from aizu_vault.agreements import Membership, Obligation, Recipient, Standing
from aizu_vault.node_names import put_names
from aizu_vault.register import (
    RegisterError,
    add_member,
    add_obligation,
    add_recipient,
    add_terms,
    add_trees,
    put_dataset,
)
from aizu_vault.register_agreements import draft_agreement
from aizu_vault.register_parts import RegisterFile, TreesPart
from aizu_vault.stored_register import read_budgets, read_descriptions, read_register

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection


def load_register(connection: Connection[Any], file: Path, *, by: str) -> list[str]:
    """Adds what the vault lacks of the file, all or nothing, and says what that was.

    Nobody is approved by a file: recipients come in as proposed, agreements as drafts.

    Raises:
        RegisterError: the file is not what it should be, or says of what is settled already something else.
        AgreementError: see `register`.
    """
    wanted = _read(file)
    with connection.transaction():
        return [
            *_load_trees(connection, wanted.trees, by),
            *_load_datasets(connection, wanted, by),
            *_load_terms(connection, wanted, by),
            *_load_recipients(connection, wanted, by),
            *_load_agreements(connection, wanted, by),
            *_load_obligations(connection, wanted, by),
        ]


def _read(file: Path) -> RegisterFile:
    try:
        return RegisterFile.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
        )
        raise RegisterError(f"{file.name}: {told}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RegisterError(f"{file.name}: {error}") from error


def _load_trees(connection: Connection[Any], trees: TreesPart | None, by: str) -> list[str]:
    if trees is None:
        return []
    name = f"trees {trees.version}"
    register = read_register(connection)
    known = register.taxonomy.numbered(trees.version)
    if known is not None:
        if set(known.nodes) != set(trees.nodes()):
            raise RegisterError(f"{name} are complete: other nodes come in a version of their own")
        changed = []
    else:
        add_trees(connection, trees.version, trees.nodes(), since=trees.since, by=by)
        changed = [name]
    named = put_names(connection, trees.names(), by=by)
    return [*changed, *([f"{named} names of nodes"] if named else [])]


def _load_datasets(connection: Connection[Any], wanted: RegisterFile, by: str) -> list[str]:
    known = read_descriptions(connection)
    changed = []
    for name, part in wanted.datasets.items():
        described = part.described(name)
        same = known.get(name) == described
        # Mappings are equal in any order; columns are not.
        if not same or [*known[name].columns] != [*described.columns]:
            put_dataset(connection, described, by=by)
            changed.append(f"dataset {name}")
    return changed


def _load_terms(connection: Connection[Any], wanted: RegisterFile, by: str) -> list[str]:
    known = read_register(connection).terms
    changed = []
    for name, part in wanted.terms.items():
        terms = part.terms(name)
        if name not in known:
            add_terms(connection, terms, by=by)
            changed.append(f"terms {name}")
        elif known[name] != terms:
            raise RegisterError(f"terms {name!r} stay as people read them: expected a new name")
    return changed


def _load_recipients(connection: Connection[Any], wanted: RegisterFile, by: str) -> list[str]:
    known = read_register(connection).recipients
    changed = []
    for name, part in wanted.recipients.items():
        new = Recipient(recipient_id=name, standing=Standing.PROPOSED, country=part.country)
        old = known.get(name)
        if old is None:
            add_recipient(connection, new, by=by)
            changed.append(f"recipient {name}")
        elif old.country != new.country:
            raise RegisterError(f"recipient {name!r} is in {old.country}, and not in {new.country}")
        for member in part.members:
            one = Membership(user=member.user, valid=member.interval())
            if old is None or one not in old.members:
                add_member(connection, name, one.user, one.valid, by=by)
                changed.append(f"member {one.user} of {name}")
    return changed


def _load_agreements(connection: Connection[Any], wanted: RegisterFile, by: str) -> list[str]:
    known = read_register(connection).agreements
    budgets = read_budgets(connection)
    changed = []
    for name, part in wanted.agreements.items():
        agreement, budget = part.agreement(name), part.budget()
        old = known.get(name)
        settled = old and replace(old, state=agreement.state, approvers=agreement.approvers)
        if (settled, budgets.get(name)) != (agreement, budget):
            draft_agreement(connection, agreement, budget, by=by)
            changed.append(f"agreement {name}")
    return changed


def _load_obligations(connection: Connection[Any], wanted: RegisterFile, by: str) -> list[str]:
    known = {replace(one, fulfilled_at=None) for one in read_register(connection).obligations}
    changed = []
    for part in wanted.obligations:
        owed = Obligation(recipient_id=part.recipient, duty=part.duty, due=part.due)
        if owed not in known:
            add_obligation(connection, owed, by=by)
            changed.append(f"obligation {owed.duty} of {owed.recipient_id}")
    return changed
