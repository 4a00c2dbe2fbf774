"""Deliveries in short: to whom, of which kind, and about which report."""

from model.lists import unique
from model.questions import places, reporters


def update(facts, member):
    """Answer an update: a fact, with the recipient's own latest report where it has one."""
    own = reporters.origin(facts, member)
    return member, {"kind": "update", "report": own["last"] if own else None}


def updates(facts, members):
    """Answer an update for each of some members."""
    return [update(facts, member) for member in members]


def hands_over(kind, member, report):
    """Answer a delivery of a kind that is about a report."""
    return member, {"kind": kind, "report": report}


def everybody_of(facts):
    """Answer who has the case, and its origins."""
    return unique([member for member in [places.place(facts)] if member] + origins(facts))


def origins(facts):
    """Answer who reported."""
    return [one["member"] for one in reporters.origins(facts)]
