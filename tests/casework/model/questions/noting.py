"""Notes: how urgent a case is said to be, and which others belong to it."""

from model.questions.log import remembered

MOST_RELATED = 16


def priority(facts):
    """Answer the newest priority."""
    found = None
    for fact in remembered(facts):
        if fact["kind"] == "note" and fact["priority"] is not None:
            found = fact["priority"]
    return found


def related(facts):
    """Answer the newest 16 related cases."""
    found = []
    for fact in remembered(facts):
        if fact["kind"] == "note":
            fresh = fact["related"]
            found = [*(one for one in found if one not in fresh), *fresh][-MOST_RELATED:]
    return found
