"""The plain numbers and words of a random city as what the gate is given."""

from datetime import date, datetime, timedelta
from uuid import UUID

from aizu_vault.ages import JST
from aizu_vault.agreements import (
    Agreement,
    Dataset,
    Duty,
    Membership,
    Obligation,
    Recipient,
    Register,
    Standing,
    State,
    Terms,
)
from aizu_vault.consent import (
    Capacity,
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
    Turn,
)
from aizu_vault.interval import Interval
from aizu_vault.requests import ConsentRequest
from aizu_vault.trees import Node, Taxonomy, Tree, Version

from .worlds import FIELDS, LAST, MIDNIGHT


class Values:
    """A city, its people and its questions."""

    def __init__(self, world):
        day = world["day"]
        midnight = datetime(day.year, day.month, day.day, tzinfo=JST)
        self.start = midnight - timedelta(minutes=MIDNIGHT)
        self.register = self._register(world)
        self.people = [self.person(number, one) for number, one in enumerate(world["people"])]
        self.questions = [self._question(one) for one in world["questions"]]

    def at(self, minute):
        return None if minute is None else self.start + timedelta(minutes=minute)

    def span(self, span):
        return Interval(self.at(span[0]), self.at(span[1]))

    def _register(self, world):
        versions = tuple(
            Version(
                number=one["number"],
                since=self.at(one["since"]),
                nodes=tuple(
                    Node(tree=Tree(tree), code=code, parent=parent, grantable=grantable)
                    for tree, nodes in one["nodes"].items()
                    for code, (parent, grantable) in nodes.items()
                ),
            )
            for one in world["versions"]
        )
        datasets = [
            Dataset(dataset_id=name, data_class=name, fields=frozenset(FIELDS))
            for name in ("vitals", "energy")
        ]
        return Register(
            taxonomy=Taxonomy(versions=versions),
            datasets={one.dataset_id: one for one in datasets},
            terms={name: terms(name, one) for name, one in world["terms"].items()},
            recipients={name: self._recipient(name, r) for name, r in world["recipients"].items()},
            agreements={name: self._agreement(name, a) for name, a in world["agreements"].items()},
            obligations=tuple(
                Obligation(
                    recipient_id=one["recipient"],
                    duty=Duty.ERASE,
                    due=self.at(one["due"]),
                    fulfilled_at=self.at(one["fulfilled"]),
                )
                for one in world["obligations"]
            ),
        )

    def _recipient(self, name, raw):
        members = (Membership(user=who, valid=self.span(span)) for who, *span in raw["members"])
        return Recipient(
            recipient_id=name,
            standing=Standing(raw["standing"]),
            country=raw["country"],
            members=tuple(members),
        )

    def _agreement(self, name, raw):
        return Agreement(
            agreement_id=name,
            recipient_id=raw["recipient"],
            dataset_id="vitals",
            purpose=raw["purpose"],
            fields=frozenset(raw["fields"]),
            terms_id=raw["terms"],
            valid=self.span(raw["valid"]),
            requester="doctor",
            onward=frozenset(raw["onward"]),
            state=State(raw["state"]),
            approvers=frozenset({"mayor", "officer"}),
        )

    def _question(self, raw):
        return ConsentRequest(
            agreement_id=raw["agreement"],
            receiver=raw["receiver"],
            purpose=raw["purpose"],
            user=raw["user"],
            fields=frozenset(raw["fields"]),
            at=self.at(raw["at"]),
        )

    def person(self, number, raw):
        subject_id = UUID(int=number + 1)
        events = (
            self._event(seq, event, str(subject_id))
            for seq, event in enumerate(raw["events"], start=1)
        )
        subject = Subject(
            subject_id=subject_id, birth_date=date(*raw["birth"]), erased=raw["erased"]
        )
        return Person(subject=subject, events=tuple(events))

    def _event(self, seq, raw, own):
        said = {
            "seq": seq,
            "nonce": str(seq),
            "recorded_at": self.at(raw["at"]),
            "actor": own if raw["actor"] == "self" else raw["actor"],
            "role": Role(raw["role"]),
        }
        match raw["kind"]:
            case "grant":
                taken = ("terms", "onward", "future_members", "assented", "posthumous")
                spans = {name: self.span(raw[name]) for name in ("valid", "window")}
                said |= {name: raw[name] for name in taken} | spans
                return Grant(**said, scope=scope(raw), countries=frozenset(raw["countries"]))
            case "objection":
                return Objection(**said, scope=scope(raw), cause=Cause(raw["cause"]))
            case "representation":
                taken = ("representation", "representative", "data", "purpose", "version")
                said |= {name: raw[name] for name in taken}
                capacity = Capacity(raw["capacity"])
                return Representation(**said, capacity=capacity, valid=self.span(raw["valid"]))
            case "representation-ended":
                return RepresentationEnded(**said, representation=raw["representation"])
            case kind:
                return Change(**said, turn=Turn(kind))

    def found(self, decision):
        """A decision as the oracle tells it: a reason, or bits of minutes."""
        if hasattr(decision, "reason"):
            return str(decision.reason)
        return {field: self._bits(windows) for field, windows in decision.windows.items()}

    def _bits(self, windows):
        probes = [self.at(-100_000), *map(self.at, range(LAST)), self.at(100_000)]
        return sum(1 << n for n, probe in enumerate(probes) if any(probe in w for w in windows))


def scope(raw):
    return Scope(
        data=raw["data"],
        purpose=raw["purpose"],
        recipient=raw["recipient"],
        fields=frozenset(raw["fields"]),
        version=raw["version"],
    )


def terms(name, raw):
    return Terms(
        terms_id=name,
        dataset_id=raw["dataset"],
        version=raw["version"],
        material=raw["material"],
        residents_only=raw["residents_only"],
    )
