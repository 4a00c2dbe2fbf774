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


def word(facts):
    """Answer the word that took the case to its country, where it came with content that is still kept."""
    found = None
    for fact in filter(counts, this_round(facts)):
        if fact["kind"] in {"moved", "hosting_confirmed"} and fact.get("new_country") is not None:
            found = _said(fact) if fact["encloses"] else None
        elif found is not None and _ends(found, fact):
            found = None
    return found


def _ends(found, fact):
    """Answer whether a word is erased, taken back, or about another country than the case is in."""
    goes_elsewhere = fact["kind"] in BEGINS_A_LEG and fact["country"] != found["country"]
    is_corrected = fact["kind"] == "corrected" and fact["ref"] in found["numbers"]
    return fact["kind"] == "erased" or goes_elsewhere or is_corrected


def _said(fact):
    """Answer a word; what was only seen and then followed was said by the fact before."""
    was_seen = fact["kind"] == "moved" and fact["said"] is None
    numbers = [fact["number"] - 1, fact["number"]] if was_seen else [fact["number"]]
    action = "observed" if was_seen else fact["kind"]
    return {"by": fact["by"], "action": action, "numbers": numbers, "country": fact["new_country"]}
