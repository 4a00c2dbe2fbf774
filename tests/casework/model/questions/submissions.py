"""Submissions: those that still wait for their report, and those that were seen before."""

from model.memory import once
from model.questions.log import remembered


@once
def waiting(facts):
    """Answer the actions that still wait for their report, in the order of their coming."""
    found = []
    for fact in remembered(facts):
        if fact["kind"] == "awaited":
            found.append(fact)
        else:
            found = [one for one in found if one["input"] != fact["input"]]
    return found


@once
def seen(facts):
    """Answer the submissions that the case remembers: the newest 32 of each sender."""
    found = []
    for fact in remembered(facts):
        if fact["said"] is not None and fact["input"] not in [one["input"] for one in found]:
            found.append(fact)
            own = [one for one in found if one["by"] == fact["by"]]
            if len(own) > 32:
                found.remove(own[0])
    return found
