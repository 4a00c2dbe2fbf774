"""The clock of a leg: when it began, and how long holds let it stand still."""

from model.memory import once
from model.questions.log import before, remembered
from model.questions.rounds import BEGINS_A_LEG, this_leg
from model.questions.states import state


@once
def leg_began(facts):
    """Answer when the clock of the leg began: with the leg, or when its hotline could open something."""
    found = None
    for fact in this_leg(facts):
        begins = fact["kind"] in {"opened", "reopened", *BEGINS_A_LEG}
        if begins or (
            fact["kind"] in {"readable", "erased"} and state(before(facts, fact)) == "awaiting_rewrap"
        ):
            found = fact["at"]
    return found


def paused(facts):
    """Answer how long ended holds paused the provider's deadlines since the clock of the leg began."""
    total, since = 0, None
    began = leg_began(facts)
    for fact in remembered(facts):
        if fact["kind"] == "held" and since is None:
            since = fact["at"]
        ends = fact["kind"] in {"released", "hold_expired", "hold_ended"} and fact["ref"] is not None
        if ends and since is not None:
            total, since = total + max(0, fact["at"] - max(since, began)), None
    return total
