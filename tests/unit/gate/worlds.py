"""Random cities: trees, terms, agreements, people and what they said, as plain numbers and words.

Times are minutes; at minute MIDNIGHT a day begins on which some of the people attain an age.
"""

import random
from datetime import date

MIDNIGHT = 32
LAST = 64
PEOPLE = 125
QUESTIONS = 6
FIELDS = ("heart", "steps", "sleep", "weight")
DAYS = (date(2026, 4, 1), date(2026, 3, 1), date(2024, 2, 29))
TREES = {
    "data": {
        "everything": (None, False),
        "body": ("everything", True),
        "vitals": ("body", True),
        "teeth": ("body", True),
        "energy": ("everything", True),
    },
    "purpose": {
        "any": (None, False),
        "research": ("any", True),
        "diabetes": ("research", True),
        "stroke": ("research", True),
        "snow": ("any", True),
    },
    "recipient": {
        "all": (None, False),
        "hospitals": ("all", True),
        "north": ("hospitals", True),
        "south": ("hospitals", True),
        "shop": ("all", True),
        "lab": ("all", True),
    },
}


def world(seed):
    """One city with its people and what is asked about them."""
    rng = random.Random(seed)
    made = {"seed": seed, "day": rng.choice(DAYS), "versions": versions(rng)}
    made["terms"] = {
        f"vitals-{number}": {
            "dataset": "vitals",
            "version": number,
            "material": rng.random() < 0.25,
            "residents_only": rng.random() < 0.3,
        }
        for number in (1, 2, 3)
    }
    made["terms"]["energy-1"] = {"dataset": "energy", "version": 1, "material": True,
                                 "residents_only": False}  # fmt: skip
    made["recipients"] = {
        name: {
            "standing": rng.choices(("approved", "suspended", "expelled"), (50, 1, 1))[0],
            "country": rng.choices(("JP", "US"), (9, 1))[0],
            "members": [(user, *span(rng, 0.95)) for user in ("doctor", "clerk")],
        }
        for name in ("north", "south", "shop", "lab", "hospitals")
    }
    made["agreements"] = {f"deal-{number}": agreement(rng) for number in range(4)}
    made["obligations"] = [
        {"recipient": rng.choice(("north", "south", "shop", "lab")), "due": rng.randint(0, LAST),
         "fulfilled": rng.choice((None, rng.randint(0, LAST), 0, 0))}
        for _ in range(rng.choice((0, 0, 0, 0, 1, 2)))
    ]  # fmt: skip
    made["people"] = [person(rng, made) for _ in range(PEOPLE)]
    made["questions"] = [question(rng, made) for _ in range(QUESTIONS)]
    return made


def versions(rng):
    """The trees, and how they change while people give consent."""
    first = {"number": 1, "since": -1000, "nodes": TREES}
    changed = {tree: dict(nodes) for tree, nodes in TREES.items()}
    for change in rng.sample(range(6), 2):
        match change:
            case 0:
                changed["recipient"]["shop"] = ("hospitals", True)
            case 1:
                changed["recipient"]["south"] = ("all", True)
            case 2:
                changed["purpose"]["dementia"] = ("research", True)
                changed["purpose"]["snow"] = ("research", True)
            case 3:
                changed["purpose"]["type-two"] = ("diabetes", True)
            case 4:
                changed["data"]["vitals"] = ("everything", True)
            case 5:
                changed["recipient"]["hospitals"] = ("all", False)
    return [first, {"number": 2, "since": rng.randint(5, 60), "nodes": changed}]


def span(rng, always):
    """From one minute to another, or without bounds."""
    if rng.random() < always:
        return (None, None)
    start, end = sorted(rng.sample(range(LAST), 2))
    return rng.choice(((start, end), (start, None), (None, end)))


def some(rng, names, least=1):
    return sorted(rng.sample(names, rng.randint(least, len(names))))


def agreement(rng):
    return {
        "recipient": rng.choices(("north", "south", "shop", "hospitals"), (20, 15, 15, 1))[0],
        "purpose": rng.choices(("diabetes", "stroke", "snow", "research"), (20, 15, 15, 1))[0],
        "fields": some(rng, FIELDS, 2),
        "terms": f"vitals-{rng.randint(1, 3)}",
        "valid": span(rng, 0.92),
        "onward": ["lab"] if rng.random() < 0.5 else [],
        "state": rng.choices(("active", "suspended", "approved"), (50, 1, 1))[0],
    }


def popular(rng):
    """Most say and ask something about the same agreement."""
    return rng.choices([f"deal-{number}" for number in range(4)], (5, 2, 1, 1))[0]


def question(rng, made):
    name = popular(rng)
    deal = made["agreements"][name]
    purpose = rng.choice(("diabetes", "snow")) if rng.random() < 0.02 else deal["purpose"]
    return {
        "agreement": name,
        "receiver": "lab" if deal["onward"] and rng.random() < 0.3 else
                    "lab" if rng.random() < 0.01 else deal["recipient"],
        "purpose": purpose,
        "user": rng.choices(("doctor", "clerk", "stranger"), (30, 20, 1))[0],
        "fields": some(rng, FIELDS),
        "at": rng.choice((MIDNIGHT - 1, MIDNIGHT, *range(10, LAST), *range(30, LAST))),
    }  # fmt: skip


def person(rng, made):
    day = made["day"]
    age = rng.choices((45, 18, 16, 12, 14, 5), (10, 4, 3, 3, 2, 1))[0]
    births = [(day.year - age, day.month, day.day)]
    if (day.month, day.day) == (3, 1) and (day.year - age) % 4 == 0:
        births.append((day.year - age, 2, 29))
    if (day.month, day.day) == (2, 29) and (day.year - age) % 4:
        births = [(day.year - age, 3, 1), (day.year - age, 2, 28)]
    moments = sorted(rng.randint(0, LAST - 4) for _ in range(rng.choice((0, 1, 2, 4, 6, 8, 10))))
    minor = age <= 18
    ends = rng.random() < 0.03
    events = [event(rng, made, at, minor, number == 0) for number, at in enumerate(moments)]
    if ends and events:
        events[-1] = {"at": moments[-1], "kind": "merged", "role": "authority", "actor": "city"}
    return {"birth": rng.choice(births), "erased": rng.random() < 0.01, "events": events}


REPRESENTATIVES = ("mother", "uncle")


def event(rng, made, at, minor, first):
    """One thing that is said about a person."""
    if minor and first and rng.random() < 0.7:
        return represented(rng, made, at, rng.choice(("parental", "parental", "guardian", "proxy")))
    kind = rng.choices(
        ("grant", "objection", "representation", "representation-ended", "turn"),
        (64, 16, 5, 3, 12),
    )[0]
    if kind == "turn":
        return turn(rng, at)
    if kind == "representation":
        return represented(rng, made, at, rng.choice(("parental", "guardian", "curator", "proxy")))
    if kind == "representation-ended":
        return {"at": at, "kind": kind, "role": "authority", "actor": "city",
                "representation": rng.choice(REPRESENTATIVES)}  # fmt: skip
    said = {"at": at, "kind": kind, **actor(rng, minor, authority=kind == "objection")}
    said |= scope(rng, made, at, kind)
    return said | (granted(rng, at) if kind == "grant" else {"cause": "withdrawn"})


def actor(rng, minor, authority):
    weights = (4, 6, 1 if authority else 0) if minor else (12, 1, 1 if authority else 0)
    role = rng.choices(("self", "representative", "authority"), weights)[0]
    names = {"self": "self", "authority": "city", "representative": rng.choice(REPRESENTATIVES)}
    return {"role": role, "actor": names[role]}


def turn(rng, at):
    kind, weight = zip(
        ("freeze", 3), ("unfreeze", 5), ("death", 1), ("death-reversed", 1), ("moved-away", 2),
        ("moved-in", 2), ("capacity-lost", 2), ("capacity-regained", 2), strict=True,
    )  # fmt: skip
    said = {"at": at, "kind": rng.choices(kind, weight)[0]}
    if said["kind"] in {"freeze", "unfreeze"}:
        return said | actor(rng, rng.random() < 0.5, authority=True)
    return said | {"role": "authority", "actor": "city"}


def represented(rng, made, at, capacity):
    who = rng.choice(REPRESENTATIVES)
    return {
        "at": at, "kind": "representation", "role": "authority", "actor": "city",
        "representation": who, "representative": who, "capacity": capacity,
        "data": rng.choice(("everything", "everything", "body", "vitals")),
        "purpose": rng.choice(("any", "any", "research", "snow")),
        "version": version(rng, made, at),
        "valid": span(rng, 0.7),
    }  # fmt: skip


def version(rng, made, at):
    """Mostly the trees of that minute; a page may have been open for a while."""
    return 2 if made["versions"][1]["since"] <= at and rng.random() < 0.9 else 1


def scope(rng, made, at, kind):
    """Nodes above what an agreement is for, mostly."""
    number = version(rng, made, at)
    nodes = made["versions"][number - 1]["nodes"]
    deal = made["agreements"][popular(rng)]
    aim = {"data": "vitals", "purpose": deal["purpose"], "recipient": deal["recipient"]}
    if kind == "objection" and rng.random() < 0.2:
        aim["recipient"] = "lab"
    found = {"version": number}
    for tree, code in aim.items():
        way = [code]
        while nodes[tree][way[-1]][0]:
            way.append(nodes[tree][way[-1]][0])
        weights = (6, 8, 1, 1)[: len(way)]
        found[tree] = rng.choices(way, weights)[0]
        if rng.random() < 0.04:
            found[tree] = rng.choice(list(nodes[tree]))
    wide = kind == "objection" and rng.random() < 0.3
    found["fields"] = ["*"] if wide else some(rng, FIELDS, 1 if kind == "objection" else 2)
    return found


def granted(rng, at):
    start = at + rng.choice((0, 0, 0, 1, 5))
    window = span(rng, 0.3)
    return {
        "terms": rng.choices(("vitals-1", "vitals-2", "vitals-3", "energy-1"), (8, 3, 1, 1))[0],
        "valid": (start, rng.choice((None, None, start + 1, rng.randint(start + 1, LAST + 8)))),
        "window": window,
        "onward": rng.random() < 0.6,
        "future_members": rng.random() < 0.4,
        "countries": ["US"] if rng.random() < 0.4 else [],
        "assented": rng.random() < 0.6,
        "posthumous": rng.random() < 0.3,
    }
