"""Where a case is and was: the responsible hotline, the desk, the queue, those who had it before."""

from model.memory import once
from model.questions.log import last_of, remembered
from model.questions.rounds import BEGINS_A_LEG, this_leg, this_round
from model.questions.states import state


@once
def responsible(facts):
    """Answer the hotline that is responsible, in a closed case the one that was last."""
    if not this_round(facts):
        stub = last_of(facts, ["shrunk"])
        return None if stub is None else stub["hotline_then"]
    return this_leg(facts)[0].get("hotline")


def desk(facts):
    """Answer the desk where an orphaned case waits."""
    leg = this_leg(facts)
    return leg[0].get("desk") if leg else None


def place(facts):
    """Answer who must act: the responsible hotline, or the desk; nobody where police alone were told."""
    return responsible(facts) or desk(facts)


@once
def former(facts):
    """Answer the hotlines that were responsible before, in the order in which they came."""
    stub = last_of(facts, ["shrunk"])
    found, there = [], None if stub is None else stub["hotline_then"]
    for fact in remembered(facts):
        if fact["kind"] in {"opened", "reopened", *BEGINS_A_LEG}:
            if there not in {None, fact.get("hotline"), *found}:
                found.append(there)
            there = fact.get("hotline")
    return found


def pool(facts):
    """Answer the hotlines that the case is offered to."""
    return this_leg(facts)[0]["members"] if state(facts) == "offered" else []


def assigned_country(facts):
    """Answer the country whose rules apply to the leg."""
    leg = this_leg(facts)
    return leg[0].get("assigned_country") if leg else None
