"""Preservations: when contents are to be erased, and which police keep them longer."""

from model.lists import unique
from model.memory import once
from model.questions.log import before, remembered
from model.questions.places import responsible
from model.questions.states import state


@once
def erase_at(facts):
    """Answer when the contents are to be erased, None while the case is open and once they are."""
    found = None
    for fact in remembered(facts):
        kind = fact["kind"]
        goes_on = kind == "corrected" and state(facts[: fact["number"]]) != "closed"
        if kind == "closed" or (kind == "linked" and found is None):
            found = fact["erase_at"]
        elif kind in {"opened", "reopened", "erased"} or goes_on:
            found = None
    return found


def preservations(facts):
    """Answer until when which police keep the contents: of each the newest word."""
    found = []
    for fact in remembered(facts):
        if fact["kind"] == "preserved" and fact["until"] is not None:
            found = [one for one in found if one["by"] != fact["by"] and one["until"] > fact["at"]]
            found.append({"by": fact["by"], "until": fact["until"]})
        elif fact["kind"] == "preservation_ended":
            found = [one for one in found if one["by"] not in fact["members"] and one["until"] > fact["at"]]
        elif fact["kind"] == "erased":
            found = []
    return found


def references(facts):
    """Answer the police whose references keep the contents."""
    found = []
    for fact in remembered(facts):
        kind, owner = fact["kind"], fact["by"]
        if kind == "held" and owner == responsible(before(facts, fact)):
            owner = fact["member"]
        attaches = {"preserved", "escalation_acknowledged", "held", "hold_asked"}
        if kind in attaches and fact["has_reference"]:
            found = unique([*found, owner])
        elif fact["kind"] == "preservation_ended":
            found = [member for member in found if member not in fact["members"]]
    return found
