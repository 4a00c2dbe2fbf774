"""Claims: the lease of who claimed, who gave the case back, and who could have claimed it."""

from model import network
from model.lists import unique
from model.memory import once
from model.questions.hosting import host
from model.questions.log import before, counts
from model.questions.places import assigned_country, responsible
from model.questions.rounds import round_as_told, this_leg
from model.questions.states import state
from model.questions.steps import FINAL, STEPS


@once
def lease(facts):
    """Answer the claim by which the responsible hotline has the case, until a step of its makes it good."""
    leg = this_leg(facts)
    if not leg or leg[0]["kind"] != "assigned" or leg[0].get("until") is None or state(facts) == "closed":
        return None
    steps = [*STEPS[1:], *FINAL]
    hotline = responsible(facts)
    for fact in facts[leg[0]["number"] :]:
        ends = fact["kind"] in {*steps, "closed", "handed_back", "lease_expired"} and counts(fact)
        if ends and fact["by"] in {hotline, "exchange"} and fact.get("member") is None:
            return None
    queue = state(before(facts, leg[0]))
    return {"until": leg[0]["until"], "queue": queue}


@once
def declined(facts):
    """Answer who gave the case back in this round, since the content moved last."""
    found = []
    for fact in filter(counts, round_as_told(facts)):
        if fact["kind"] in {"declined", "transferred"}:
            found = unique([*found, fact["by"]])
        elif fact["kind"] == "moved":
            found = []
    return found


def could_claim(facts, member):
    """Answer whether a case that a hotline has now lay in a queue of this member before."""
    if network.MEMBERS.get(member, {}).get("kind") != "hotline" or not this_leg(facts):
        return False
    claimed, at = lease(facts), host(facts)
    was_at_desk = assigned_country(facts) != at if claimed is None else claimed["queue"] == "orphaned"
    if was_at_desk:
        return network.is_mandated(member)
    rule = network.COUNTRIES.get(at, {})
    return rule.get("routing") == "claim" and member in rule["hotlines"]
