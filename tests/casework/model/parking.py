"""A case on which the rules fail waits, with all its later records, until an operator lets it go on."""

from model import network, writing
from model.questions import log, parking

FAILED = "BugError"


def stops(facts, event):
    """Answer whether a record is not decided now: it fails, or an earlier one of its case did."""
    return bool(parking.waiting(facts) or event["failures"])


def wait(world, event):
    """Write that a record waits; the first of them has failed, those behind it are not tried."""
    there = parking.waiting(world["facts"])
    one = {"event": event, "tries": 0 if there else 1}
    _begin(world, event)
    writing.by_rule(
        world, "parked", rule="behind_a_parked_record" if there else FAILED, waiting=[*there, one]
    )


def go_on(world, order, decide):
    """Decide what waits, each at its own time, and answer whether none failed again; or give up the first."""
    waiting, ended = parking.waiting(world["facts"]), None
    if not waiting:
        return False
    if order["how"] != "decided":
        _begin(world, order)
        rule = "skipped_by_operator" if order["how"] == "skipped" else "deleted_by_retention"
        writing.by_rule(world, "given_up", rule=rule)
        waiting = waiting[1:]
    for place, one in enumerate(waiting):
        if one["event"]["failures"] > one["tries"]:
            _begin(world, one["event"])
            left = [one | {"tries": one["tries"] + 1}, *waiting[place + 1 :]]
            writing.by_rule(world, "parked", rule=FAILED, waiting=left)
            return False
        before = world["facts"]
        decide(world, one["event"])
        ended = before if before and not world["facts"] else ended
    # What has come to nothing is ended too.
    world["facts"] = world["facts"] or ended
    _begin(world, order)
    writing.by_rule(world, "unparked")
    return True


def _begin(world, event):
    world["directory"] = network.version(event["version"], event["suspended"], event["rules"])
    writing.begin(world, event, max(log.last_time(world["facts"]), event["at"]))
