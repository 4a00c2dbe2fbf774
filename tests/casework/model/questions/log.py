"""The log itself: which facts count, which the case still remembers, and when the last one came."""

from model.memory import once
from model.questions.parking import OF_PARKING

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
    """Answer the facts since the case was a stub, which remembers nothing of its earlier rounds.

    That a record had to wait changes nothing.
    """
    stub = last_of(facts, ["shrunk"])
    return [fact for fact in facts[0 if stub is None else stub["number"] :] if fact["kind"] not in OF_PARKING]


def before(facts, fact):
    """Answer the facts before one of them."""
    return facts[: fact["number"] - 1]


def last_time(facts):
    """Answer the time of the last fact: time in a case never runs backwards."""
    return last(facts)["at"] if facts else 0


def last(facts):
    """Answer the last fact that is more than a record's waiting, else the first one."""
    return next((fact for fact in reversed(facts) if fact["kind"] not in OF_PARKING), facts[0])
