"""The state of a case: how far its leg has come, and how its round ended."""

from model.memory import once
from model.questions.log import counts, last_of
from model.questions.reporters import origins
from model.questions.rounds import BEGINS_A_LEG, this_round
from model.questions.steps import FINAL, STEPS, is_by_feed
from model.questions.submissions import waiting

STATES = [
    "awaited",
    "orphaned",
    "offered",
    "awaiting_rewrap",
    "assigned",
    "acknowledged",
    "assessed",
    "police_informed",
    "provider_informed",
    "closed",
]
WITH_A_HOTLINE = STATES[3:9]
OPEN = STATES[1:9]


def has_a_report(facts):
    """Answer whether a report has ever come."""
    return any(fact["kind"] == "opened" for fact in facts)


def is_there(facts):
    """Answer whether there is a case: a report has come, or something waits for one."""
    return has_a_report(facts) or bool(waiting(facts))


def is_a_stub(facts):
    """Answer whether nothing is left of a closed case but a stub, or no report."""
    return state(facts) == "closed" and not origins(facts)


@once
def state(facts):
    """Answer the furthest step of the leg."""
    if not has_a_report(facts):
        return "awaited"
    if not this_round(facts):
        return "closed"
    found = "awaited"
    for fact in filter(counts, this_round(facts)):
        found = _state_after(found, fact)
    return found


def _state_after(found, fact):
    kind = fact["kind"]
    if kind in {"opened", "reopened"}:
        return "orphaned" if fact["hotline"] is None else "assigned"
    if kind in BEGINS_A_LEG:
        return kind
    if kind in [*FINAL, "closed"]:
        return "closed"
    if kind == "rewrap_asked":
        return "awaiting_rewrap" if found == "assigned" else found
    # Who waited for content begins when it can be opened, or when there is nothing left to wait for.
    if kind in {"readable", "erased", "closing_taken_back"}:
        return "assigned" if found == "awaiting_rewrap" else found
    # A liaison that read its feed takes no step for the hotline.
    goes_further = kind in STEPS and not is_by_feed(fact) and STATES.index(kind) > STATES.index(found)
    return kind if goes_further else found


def outcome(facts):
    """Answer how the round ended, None while it has not."""
    fact = last_of(this_round(facts), ["closed"])
    return None if fact is None else fact["outcome"]


def closed_at(facts):
    """Answer when the round ended."""
    fact = last_of(this_round(facts), ["closed"])
    return None if fact is None else fact["at"]
