"""Sealed contents: who can open one, and until when it is to be re-wrapped."""

from model.memory import once
from model.questions.log import counts
from model.questions.rounds import this_leg, this_round


def rewrap_due(facts):
    """Answer until when content is to be re-wrapped, None when that is not waited for."""
    found = None
    for fact in filter(counts, this_leg(facts)):
        if fact["kind"] == "rewrap_asked":
            found = fact["due_at"]
        elif fact["kind"] in {"readable", "closed", "closing_taken_back", "erased"}:
            found = None
    return found


@once
def can_open(facts):
    """Answer who can open a content of the round: a list of members, or None for everybody."""
    found = []
    for fact in this_round(facts):
        if fact["kind"] in {"opened", "reopened", "linked", "rewrapped"}:
            if fact["sealed_for"] is None or found is None:
                found = None
            else:
                found = sorted({*found, *fact["sealed_for"]})
        # Nobody is asked to re-wrap what is not there any more.
        if fact["kind"] == "erased":
            found = None
    return found
