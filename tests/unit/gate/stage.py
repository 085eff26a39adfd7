"""A small city in which one thing at a time is changed: a dataset, two hospitals, people who say something."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count
from uuid import UUID

from aizu_vault.ages import JST
from aizu_vault.agreements import (
    Agreement,
    Dataset,
    Membership,
    Recipient,
    Register,
    RowOwners,
    Standing,
    State,
    Terms,
)
from aizu_vault.consent import (
    Cause,
    Change,
    Grant,
    Objection,
    Person,
    Representation,
    RepresentationEnded,
    Role,
    Scope,
    Subject,
)
from aizu_vault.interval import ALWAYS, Interval
from aizu_vault.requests import ConsentRequest, SelfRequest
from aizu_vault.trees import Node, Taxonomy, Tree, Version

START = datetime(2026, 4, 1, tzinfo=JST)
TICK = timedelta(microseconds=1)
FIELDS = frozenset({"heart", "steps"})
SELF, PARENT = "self", "mother"
ROLES = {SELF: Role.SELF, "city": Role.AUTHORITY}
TREES = {
    Tree.DATA: {"deep": None, "body": "deep", "vitals": "body", "energy": "deep"},
    Tree.PURPOSE: {"any": None, "research": "any", "diabetes": "research", "stroke": "research",
                   "snow": "any"},
    Tree.RECIPIENT: {"all": None, "hospitals": "all", "north": "hospitals", "south": "hospitals",
                     "lab": "all"},
}  # fmt: skip
ROOTS = {"deep", "any", "all"}


def day(number):
    """So many days after the start, at 00:00 in Japan; an instant is itself."""
    return number if isinstance(number, datetime) else START + timedelta(days=number)


def span(start=None, end=None):
    """From one day to another."""
    return Interval(None if start is None else day(start), None if end is None else day(end))


def version(number, since, **added):
    """The trees with further nodes, each with its parent: `purpose={"dementia": "research"}`."""
    nodes = (
        Node(tree=tree, code=code, parent=parent, grantable=code not in ROOTS)
        for tree, codes in TREES.items()
        for code, parent in (codes | added.get(tree.value, {})).items()
    )
    return Version(number=number, since=since, nodes=tuple(nodes))


def recipient(name, **changes):
    """An approved one in Japan, for whom a doctor works."""
    members = (Membership(user="doctor", valid=ALWAYS),)
    said = {"recipient_id": name, "standing": "approved", "members": members} | changes
    return Recipient(**said | {"standing": Standing(said["standing"])})


def agreement(name="deal", **changes):
    """With the northern hospital, on diabetes."""
    said = {
        "agreement_id": name,
        "recipient_id": "north",
        "dataset_id": "vitals",
        "purpose": "diabetes",
        "fields": FIELDS,
        "terms_id": "terms-1",
        "valid": ALWAYS,
        "requester": "doctor",
        "state": "active",
        "approvers": frozenset({"mayor", "officer"}),
    }
    said |= changes
    return Agreement(**said | {"state": State(said["state"])})


def terms(number, **changes):
    """One version of what people are told."""
    said = {"terms_id": f"terms-{number}", "dataset_id": "vitals", "version": number}
    return Terms(**said | changes)


def register(*others, **changes):
    """The city; further agreements, recipients, terms or datasets take the place of those of their name."""
    said = {
        "taxonomy": Taxonomy(versions=(version(1, day(-1000)),)),
        "datasets": {"vitals": dataset()},
        "terms": {"terms-1": terms(1)},
        "recipients": {name: recipient(name) for name in ("north", "south", "lab", "hospitals")},
        "agreements": {"deal": agreement()},
    }
    places = {Agreement: "agreements", Recipient: "recipients", Terms: "terms", Dataset: "datasets"}
    for one in others:
        name = next(iter(type(one).__dataclass_fields__))
        said[places[type(one)]] |= {getattr(one, name): one}
    return Register(**said | changes)


def dataset(**changes):
    """Vital signs of one person each, or of all in a household."""
    said = {"dataset_id": "vitals", "data_class": "vitals", "fields": FIELDS}
    return Dataset(**said | changes)


def household():
    """Rows about everybody under one roof."""
    return dataset(row_owners=RowOwners.ALL_HOUSEHOLD)


_ids = count(1)


def person(*said, born=date(1980, 5, 5), **changes):
    """Somebody and what they said, each of it one of the words below."""
    subject = Subject(subject_id=UUID(int=next(_ids)), birth_date=born, **changes)
    own = str(subject.subject_id)
    return Person(
        subject=subject,
        events=tuple(make(seq=seq, own=own) for seq, make in enumerate(said, start=1)),
    )


def and_then(one, *said):
    """The person who says something more."""
    own, first = str(one.subject.subject_id), len(one.events) + 1
    more = tuple(make(seq=seq, own=own) for seq, make in enumerate(said, start=first))
    return replace(one, events=one.events + more)


def grants(at=0, by=SELF, **changes):
    """Consent to research of all hospitals, from that day on."""
    taken = {"terms": "terms-1", "valid": span(at)} | changes
    return partial(_event, Grant, at, by, scope=_scope(taken), more=taken)


def objects(at=0, by=SELF, cause=Cause.WITHDRAWN, **changes):
    """An objection; without further words, to exactly what `grants` grants."""
    return partial(
        _event, Objection, at, by, scope=_scope(changes), more=changes | {"cause": cause}
    )


def turns(turn, at=0, by="city"):
    """Something that is about the person as a whole."""
    return partial(_event, Change, at, by, scope=None, more={"turn": turn})


def represented(capacity, at=0, by=PARENT, **changes):
    """Somebody may act for the person."""
    said = {"representation": by, "representative": by, "capacity": capacity, "data": "deep",
            "purpose": "any", "version": 1, "valid": ALWAYS}  # fmt: skip
    return partial(_event, Representation, at, "city", scope=None, more=said | changes)


def ends(at=0, by=PARENT):
    """Somebody may no longer act for the person."""
    return partial(_event, RepresentationEnded, at, "city", None, {"representation": by})


def _scope(said):
    usual = {"data": "vitals", "purpose": "research", "recipient": "hospitals", "fields": FIELDS,
             "version": 1}  # fmt: skip
    return Scope(**usual | {name: said.pop(name) for name in usual if name in said})


def _event(kind, at, by, scope, more, seq, own):
    said = {
        "seq": seq,
        "nonce": f"nonce-{seq}",
        "recorded_at": day(at),
        "actor": own if by == SELF else by,
        "role": ROLES.get(by, Role.REPRESENTATIVE),
    }
    return kind(**said, **({"scope": scope} if scope else {}), **more)


def asks(at=1, **changes):
    """The doctor of the northern hospital asks for everything the agreement is about."""
    said = {
        "agreement_id": "deal",
        "receiver": "north",
        "purpose": "diabetes",
        "user": "doctor",
        "fields": FIELDS,
        "at": day(at),
    }
    return ConsentRequest(**said | changes)


def asks_for_own(one, at=1):
    """The person asks for their own data."""
    own = str(one.subject.subject_id)
    return SelfRequest(dataset_id="vitals", user=own, fields=FIELDS, at=day(at))
