"""The log itself: which facts count, which the case still remembers, and when the last one came."""

from model.memory import once

WITHOUT_EFFECT = {"not_responsible", "out_of_order"}


def counts(fact):
    """Answer whether a fact changes anything: one by the wrong member or out of order does not."""
    return not WITHOUT_EFFECT & set(fact["breaches"])


def last_of(facts, kinds):
    """Answer the last fact of some kinds that counts, or None."""
    for fact in reversed(facts):
        if fact["kind"] in kinds and counts(fact):
            return fact
    return None


@once
def remembered(facts):
    """Answer the facts since the case was a stub, which remembers nothing of its earlier rounds."""
    stub = last_of(facts, ["shrunk"])
    return facts[0 if stub is None else stub["number"] :]


def before(facts, fact):
    """Answer the facts before one of them."""
    return facts[: fact["number"] - 1]


def last_time(facts):
    """Answer the time of the last fact: time in a case never runs backwards."""
    return facts[-1]["at"] if facts else 0
