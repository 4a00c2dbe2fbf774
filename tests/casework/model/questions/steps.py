"""Steps of a leg: which were taken and when, and which were said to be overdue."""

from model.questions.log import counts
from model.questions.rounds import this_leg

STEPS = ["acknowledged", "assessed", "police_informed", "provider_informed"]
FINAL = ["removed", "unavailable", "not_illegal"]


def is_by_feed(fact):
    """Answer whether police were informed by their feed."""
    return fact["kind"] == "police_informed" and fact["by"] == "exchange"


def taken(facts):
    """Answer the actions taken in this leg; the provider's once for each role."""
    return [what_is_done(fact) for fact in this_leg(facts) if counts(fact) and fact["kind"] in STEPS + FINAL]


def what_is_done(action):
    """Answer what an action does: informing the host is another deed than informing the registrar."""
    if action["kind"] == "provider_informed":
        return f"provider_informed:{action.get('role') or 'host'}"
    return action["kind"]


def when_taken(facts, step):
    """Answer when a deadline's step was first taken in this leg, or None."""
    answers = {
        # Whoever has taken a later step has the report.
        "acknowledge": STEPS + FINAL,
        "inform_police": ["police_informed"],
        "inform_provider": ["provider_informed"],
        "confirm_removal": [*FINAL, "closed"],
    }[step]
    for fact in this_leg(facts):
        another = step == "inform_provider" and what_is_done(fact) != "provider_informed:host"
        another = another or (step == "acknowledge" and is_by_feed(fact))
        if fact["kind"] in answers and counts(fact) and not another:
            return fact["at"]
    return None


def overdue(facts):
    """Answer the steps of this leg that were said to be overdue."""
    return [fact["step"] for fact in this_leg(facts) if fact["kind"] == "overdue"]
