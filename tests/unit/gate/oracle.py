"""The rule a second time, from its description, by playing each history minute by minute; it knows nothing of aizu_vault.

Scopes are written out as sets of everything below them; times of data are bits, one for each minute.
"""

from datetime import timedelta

from .worlds import FIELDS, LAST, MIDNIGHT

EVER = (1 << (LAST + 2)) - 1
"""Bit 0 is long ago, bit 1 is minute 0, the last bit is far in the future."""
COURT = {"guardian", "curator", "assistant"}


def answer(world, person, question):
    """The reason for which nothing may go, or the minutes of data for each field that may."""
    deal = world["agreements"][question["agreement"]]
    told_no = about_the_deal(world, deal, question)
    if told_no:
        return told_no
    if person["erased"]:
        return "erased"
    now = question["at"]
    asked = [field for field in FIELDS if field in question["fields"] and field in deal["fields"]]
    plays = [Play(world, person, question, deal, field) for field in asked] or [
        Play(world, person, question, deal, None)
    ]
    for event in person["events"]:
        if event["at"] <= now:
            for play in plays:
                play.hear(event)
    one = plays[0]
    if one.gone:
        return "merged"
    if one.dead and not any(play.left_word for play in plays):
        return "deceased"
    if one.away and world["terms"][deal["terms"]]["residents_only"]:
        return "moved-away"
    if one.freezes:
        return "frozen"
    found = {play.field: play.minutes() for play in plays}
    return {field: minutes for field, minutes in found.items() if minutes} or "no-consent"


def about_the_deal(world, deal, question):
    """What is the same for everybody."""
    now, receiver = question["at"], question["receiver"]
    hands = [deal["recipient"]] + [receiver] * (receiver != deal["recipient"])
    if deal["state"] != "active" or not on(deal["valid"], now):
        return "agreement-not-in-force"
    if question["purpose"] != deal["purpose"]:
        return "purpose"
    if receiver not in [deal["recipient"], *deal["onward"]]:
        return "recipient"
    if {world["recipients"][hand]["standing"] for hand in hands} != {"approved"}:
        return "recipient"
    staff = {who for who, *span in world["recipients"][receiver]["members"] if on(span, now)}
    if question["user"] not in staff:
        return "recipient"
    today = trees_at(world, now)
    things = [("data", "vitals"), ("purpose", deal["purpose"])]
    if any(len(below(today, *thing)) != 1 for thing in things + [("recipient", h) for h in hands]):
        return "not-leaf"
    for owed in world["obligations"]:
        paid = owed["fulfilled"]
        if (
            owed["recipient"] in hands
            and now >= owed["due"]
            and not (paid is not None and paid <= now)
        ):
            return "obligations"
    return None


class Play:
    """What is so at a minute, for one field of one person, as the events are told one after the other."""

    def __init__(self, world, person, question, deal, field):
        self.world, self.person, self.question = world, person, question
        self.deal, self.field = deal, field
        self.today = trees_at(world, question["at"])
        self.passed_on = question["receiver"] != deal["recipient"]
        self.hands = {deal["recipient"], question["receiver"]}
        self.dead = self.away = self.gone = self.left_word = False
        self.capable = True
        self.helpers, self.freezes, self.exceptions, self.open = [], [], [], []

    def hear(self, event):
        getattr(self, event["kind"].replace("-", "_"))(event)

    def representation(self, event):
        self.helpers.append(event)

    def representation_ended(self, event):
        self.helpers = [one for one in self.helpers
                        if one["representation"] != event["representation"]]  # fmt: skip

    def capacity_lost(self, _):
        self.capable = False

    def capacity_regained(self, _):
        self.capable = True
        self.helpers = [one for one in self.helpers if one["capacity"] not in COURT]

    def death(self, _):
        self.dead = True

    def death_reversed(self, _):
        self.dead = False

    def moved_away(self, _):
        self.away = True

    def moved_in(self, _):
        self.away = False

    def merged(self, _):
        self.gone = True

    def freeze(self, event):
        if self.entitled(event):
            self.freezes.append(event["role"])

    def unfreeze(self, event):
        if not self.entitled(event):
            return
        if event["role"] == "representative":
            self.freezes = [role for role in self.freezes if role != "representative"]
        elif event["role"] == "authority" or self.speaks_for_self(event):
            self.freezes = []

    def objection(self, event):
        """It closes what was open, and stays as an exception."""
        if not self.entitled(event) or not {self.field, "*"} & set(event["fields"]):
            return
        seen = trees(self.world, event["version"])

        def meant(tree):
            return below(seen, tree, event[tree]) | below(self.today, tree, event[tree])

        if ("vitals" in meant("data") and self.deal["purpose"] in meant("purpose")
                and self.hands & meant("recipient")):  # fmt: skip
            self.open = []
            self.exceptions.append(event)

    def grant(self, event):
        seen = trees(self.world, event["version"])
        if self.field not in event["fields"] or "vitals" not in below(seen, "data", event["data"]):
            return
        if self.deal["purpose"] not in below(seen, "purpose", event["purpose"]):
            return
        group = below(seen, "recipient", event["recipient"])
        if event["future_members"]:
            group = group | below(self.today, "recipient", event["recipient"])
        if self.deal["recipient"] not in group:
            return
        self.left_word |= event["posthumous"]
        if self.stands(event, seen) and all(self.is_above(o, event, seen) for o in self.exceptions):
            self.open.append(event)

    def stands(self, event, seen):
        """Whether the grant was made by somebody who could, and is good now for this agreement."""
        if not all(seen[tree][event[tree]][1] for tree in ("data", "purpose", "recipient")):
            return False
        if event["role"] == "self":
            if not self.speaks_for_self(event):
                return False
        elif not self.speaks_for_other(event, seen):
            return False
        now = self.question["at"]
        abroad = {self.world["recipients"][hand]["country"] for hand in self.hands} - {"JP"}
        return (
            on(event["valid"], now)
            and self.same_terms(event)
            and abroad <= set(event["countries"])
            and not (self.passed_on and not event["onward"])
        )

    def speaks_for_self(self, event):
        return self.capable and self.age(event["at"]) >= 16

    def speaks_for_other(self, event, seen):
        age = self.age(event["at"])
        if 12 <= age < 18 and not event["assented"]:
            return False
        if age < 18 <= self.age(self.question["at"]):
            return False
        return any(
            event["data"] in below(seen, "data", one["data"])
            and event["purpose"] in below(seen, "purpose", one["purpose"])
            for one in self.acting(event)
        )

    def entitled(self, event):
        return event["role"] in {"self", "authority"} or bool(self.acting(event))

    def acting(self, event):
        return [
            one for one in self.helpers
            if one["representative"] == event["actor"] and on(one["valid"], event["at"])
            and (one["capacity"] != "parental" or self.age(event["at"]) < 18)
        ]  # fmt: skip

    def same_terms(self, event):
        """Going from what the person was told to what the agreement says, nothing material happens."""
        told, agreed = (self.world["terms"][name] for name in (event["terms"], self.deal["terms"]))
        if told["dataset"] != agreed["dataset"] or told["version"] > agreed["version"]:
            return False
        steps = range(told["version"] + 1, agreed["version"] + 1)
        return not any(self.world["terms"][f"vitals-{step}"]["material"] for step in steps)

    def is_above(self, exception, event, seen):
        """Whether everything the grant is about is also what the exception is about."""
        if not written_out(event["fields"]) <= written_out(exception["fields"]):
            return False
        return all(
            below(seen, tree, event[tree]) <= below(seen, tree, exception[tree])
            for tree in ("data", "purpose", "recipient")
        )

    def minutes(self):
        """All minutes of data that some open grant reaches."""
        found = 0
        for event in self.open:
            if event["posthumous"] or not self.dead:
                found |= bits(event["window"])
        return found

    def age(self, minute):
        """In whole years, by the calendar."""
        day = self.world["day"] - timedelta(days=minute < MIDNIGHT)
        birth = self.person["birth"]
        return day.year - birth[0] - ((day.month, day.day) < birth[1:])


def on(span, minute):
    start, end = span
    return not (start is not None and minute < start) and not (end is not None and minute >= end)


def bits(span):
    start, end = span
    found = EVER
    if start is not None:
        found &= EVER << (start + 1)
    if end is not None:
        found &= ~(EVER << (end + 1))
    return found & EVER


def written_out(fields):
    return set(FIELDS) | {"*"} if "*" in fields else set(fields)


def trees(world, number):
    (found,) = [one["nodes"] for one in world["versions"] if one["number"] == number]
    return found


def trees_at(world, minute):
    return [one["nodes"] for one in world["versions"] if one["since"] <= minute][-1]


_BELOW = {}


def below(nodes, tree, code):
    """The node and everything under it; nothing if there is no such node."""
    key = (id(nodes), tree)
    if key not in _BELOW or _BELOW[key][0] is not nodes:
        _BELOW[key] = (nodes, {one: spread(nodes[tree], one) for one in nodes[tree]})
    return _BELOW[key][1].get(code, frozenset())


def spread(nodes, code):
    found = {code}
    while more := {one for one, (parent, _) in nodes.items() if parent in found} - found:
        found |= more
    return frozenset(found)
