"""Holds: the one in force, the requests for one, and the consent of police to the notice."""

from model import network
from model.memory import once
from model.questions.log import before, remembered
from model.questions.places import responsible
from model.questions.rounds import leg_as_told

OF_A_HOLD = [
    "held",
    "released",
    "hold_expired",
    "hold_ended",
    "hold_asked",
    "hold_refused",
    "hold_warned",
]


@once
def hold(facts):
    """Answer the hold in force."""
    found = None
    for fact in remembered(facts):
        kind = fact["kind"]
        if kind == "held":
            asked = next(
                (one for one in _requests(before(facts, fact)) if one["number"] == fact["answers"]), None
            )
            earlier = found or {"since": fact["at"], "by": fact["by"], "askers": [], "liaison": None}
            found = {"until": fact["until"], "liaison": fact["member"], "number": fact["number"]}
            found |= {
                "since": earlier["since"],
                "by": _set_by(earlier, fact),
            }
            found["askers"] = earlier["askers"]
            if asked is not None:
                others = [one for one in earlier["askers"] if one != asked["by"]]
                found["askers"] = [*others[-7:], asked["by"]]
            found["warned"] = sum(fact["until"] - ahead * network.HOUR <= fact["at"] for ahead in (72, 24))
        elif kind == "hold_warned":
            found = found | {"warned": found["warned"] + 1}
        elif kind in {"released", "hold_expired", "hold_ended"} and fact["ref"] is not None:
            found = None
    return found


def _set_by(earlier, fact):
    """Answer whose a hold is: what police have set stays theirs, whoever renews it."""
    if fact["by"] == "exchange":
        return earlier["by"]
    return fact["member"] if earlier["by"] == earlier["liaison"] else fact["by"]


@once
def hold_requests(facts):
    """Answer the holds that wait for the consent of the hosting liaison."""
    return _requests(facts)


def _requests(facts):
    found = []
    for fact in remembered(facts):
        if fact["kind"] == "hold_asked":
            one = {"by": fact["by"], "until": fact["until"], "number": fact["number"]}
            found = [other for other in found if other["by"] != fact["by"]]
            found.append(one | {"liaison": fact["member"]})
        elif fact["kind"] == "held":
            found = [one for one in found if one["number"] != fact["answers"]]
        elif fact["kind"] == "hold_refused":
            found = [one for one in found if one["number"] != fact["ref"]]
    return found


def has_consent(facts):
    """Answer whether police let the notice go in this leg: by their word, or because a hold expired."""
    for fact in leg_as_told(facts):
        is_word = fact["kind"] == "released" and (fact["ref"] is None or fact["by"] != responsible(facts))
        if is_word or fact["kind"] == "hold_expired":
            return True
    return False
