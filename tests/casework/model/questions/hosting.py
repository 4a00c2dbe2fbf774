"""The host: where it is, how sure that is, where it was before, and who doubts it."""

from model.memory import once
from model.questions.log import before, counts, last_of
from model.questions.rounds import BEGINS_A_LEG, leg_as_told, round_as_told, this_leg, this_round


@once
def host(facts):
    """Answer the hosting country."""
    if not this_round(facts):
        stub = last_of(facts, ["shrunk"])
        return "" if stub is None else stub["host_then"]
    return this_leg(facts)[0]["country"]


def hosting_status(facts):
    """Answer whether the hosting country is provisional or confirmed."""
    found = None
    for fact in filter(counts, round_as_told(facts)):
        if fact["kind"] == "linked":
            if fact["status"] == "confirmed" and fact["country"] == host(before(facts, fact)):
                found = "confirmed"
        elif fact.get("status") is not None:
            found = fact["status"]
    return found


def chain(facts):
    """Answer the hosting countries of the round in their order, once there are two."""
    found = []
    for fact in this_round(facts):
        if fact["kind"] in BEGINS_A_LEG and fact["country"] != (found or [None])[-1]:
            found.append(fact["country"])
    return found[-32:] if len(found) > 1 else []


def moves(facts):
    """Answer how often the content moved in this round."""
    return sum(fact["kind"] == "moved" and counts(fact) for fact in round_as_told(facts))


@once
def doubt(facts):
    """Answer the newer word on the host that the responsible hotline has not answered."""
    found = None
    for fact in filter(counts, leg_as_told(facts)):
        if fact["kind"] == "host_disputed":
            found = fact
        elif fact["kind"] in {"host_unanswered", "hosting_confirmed", "closed"}:
            found = None
        elif fact["kind"] == "corrected" and found is not None and fact["ref"] == found["number"] - 1:
            found = found if fact["wrong_kind"] not in {"observed", "moved"} else None
    return found
