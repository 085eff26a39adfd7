"""Writes what the gate is given into the tables of the vault."""

from psycopg.types.range import Range

from aizu_vault.consent import Change, Grant, Objection, Representation, RepresentationEnded

TABLES = (
    "taxonomy_version",
    "taxonomy_node",
    "dataset",
    "terms",
    "recipient",
    "recipient_member",
    "obligation",
    "agreement",
    "subject",
    "event",
)


# What the vault wants to know of a dataset and the gate does not.
DESCRIBED = {
    "title_ja": "見本",
    "title_en": "Sample",
    "privacy_level": 3,
    "legal_ground": "Act, article 61",
    "purpose_specified": "Health of citizens",
    "register_no": "1",
}


def store(cursor, register, people, *, described=()):
    """Everything there is about these people, in an empty database; `described` if it is a whole vault's."""
    found = {name: [] for name in TABLES}
    describe_trees(found, register.taxonomy)
    describe_deals(found, register)
    for row in found["dataset"]:
        row.update(described)
    for person in people:
        # Whether somebody is invented is nothing to the gate, whose tables are all that some tests have.
        said = vars_of(person.subject)
        found["subject"].append({name: said[name] for name in said if name != "synthetic"})
        found["event"] += [row_of(person, event) for event in person.events]
    for name in TABLES:
        insert(cursor, name, found[name])
        if name == "taxonomy_node":
            for version in register.taxonomy.versions:
                cursor.execute("SELECT consent.close_taxonomy(%s)", [version.number])


def insert(cursor, name, rows):
    """By COPY, all columns that any row has."""
    columns = sorted({column for row in rows for column in row})
    if rows:
        with cursor.copy(f"COPY consent.{name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row.get(column) for column in columns])


def vars_of(value):
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}


def span(interval):
    return Range(interval.start, interval.end, "[)")


def describe_trees(found, taxonomy):
    for version in taxonomy.versions:
        found["taxonomy_version"].append({"version": version.number, "since": version.since})
        found["taxonomy_node"] += [
            vars_of(node) | {"version": version.number, "tree": node.tree.value}
            for node in version.nodes
        ]


def describe_deals(found, register):
    for dataset in register.datasets.values():
        sets = ("fields", "emergency_fields", "emergency_recipients")
        row = vars_of(dataset) | {name: sorted(getattr(dataset, name)) for name in sets}
        found["dataset"].append(row | {"row_owners": dataset.row_owners.value})
    found["terms"] = [vars_of(terms) for terms in register.terms.values()]
    for recipient in register.recipients.values():
        row = vars_of(recipient) | {"standing": recipient.standing.value}
        found["recipient_member"] += [
            {"recipient_id": recipient.recipient_id, "user_id": m.user, "valid": span(m.valid)}
            for m in row.pop("members")
        ]
        found["recipient"].append(row)
    found["obligation"] = [
        vars_of(owed) | {"duty": owed.duty.value} for owed in register.obligations
    ]
    for agreement in register.agreements.values():
        row = vars_of(agreement) | {"state": agreement.state.value, "valid": span(agreement.valid)}
        row |= {name: sorted(getattr(agreement, name)) for name in ("fields", "onward")}
        approvers = [*sorted(row.pop("approvers")), None, None]
        row |= {"first_approver": approvers[0], "second_approver": approvers[1]}
        found["agreement"].append(row)


def row_of(person, event):
    """One event as a row of consent.event."""
    row = {
        "subject_id": person.subject.subject_id,
        "seq": event.seq,
        "nonce": event.nonce,
        "recorded_at": event.recorded_at,
        "actor": event.actor,
        "role": event.role.value,
    }
    match event:
        case Grant():
            taken = ("onward", "future_members", "assented", "posthumous")
            row |= {"kind": "grant", "terms_id": event.terms, "valid": span(event.valid)}
            row |= {"data_window": span(event.window), "countries": sorted(event.countries)}
            return row | scope_of(event) | {name: getattr(event, name) for name in taken}
        case Objection():
            return row | scope_of(event) | {"kind": "objection", "cause": event.cause.value}
        case Representation():
            taken = ("representation", "representative", "data", "purpose", "version")
            row |= {"kind": "representation", "capacity": event.capacity.value}
            return (
                row | {name: getattr(event, name) for name in taken} | {"valid": span(event.valid)}
            )
        case RepresentationEnded():
            return row | {"kind": "representation-ended", "representation": event.representation}
        case Change():
            return row | {"kind": event.turn.value}


def scope_of(event):
    return vars_of(event.scope) | {"fields": sorted(event.scope.fields)}
