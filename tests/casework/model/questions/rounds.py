"""The round and its legs: which facts are theirs, and which numbers they have."""

from model.memory import once
from model.questions.log import last_of, remembered
from model.standing import standing

BEGINS_A_LEG = ["assigned", "orphaned", "offered"]


@once
def this_round(facts):
    """Answer the facts of the round as they stand."""
    return _from_its_opening(standing(remembered(facts)))


def round_as_told(facts):
    """Answer the facts of the round, those that were corrected among them."""
    return _from_its_opening(remembered(facts))


def _from_its_opening(facts):
    """Answer the facts from the report that opened the round; after a stub, none until a report comes."""
    first = last_of(facts, ["opened", "reopened"])
    return [] if first is None else [fact for fact in facts if fact["number"] >= first["number"]]


@once
def this_leg(facts):
    """Answer the facts from the one that began the leg."""
    facts = this_round(facts)
    first = last_of(facts, ["opened", "reopened", *BEGINS_A_LEG])
    return [] if first is None else [fact for fact in facts if fact["number"] >= first["number"]]


def leg_as_told(facts):
    """Answer the facts of the leg, those that were corrected among them."""
    leg = this_leg(facts)
    return [fact for fact in facts if leg and fact["number"] >= leg[0]["number"]]


@once
def round_and_leg(facts):
    """Answer the numbers of round and leg, from 1; 0 and 0 while only actions wait."""
    rounds = sum(fact["kind"] in {"opened", "reopened"} for fact in facts)
    if not rounds:
        return 0, 0
    if not this_round(facts):
        return rounds, last_of(facts, ["shrunk"])["leg_then"]
    return rounds, max(1, sum(fact["kind"] in BEGINS_A_LEG for fact in this_round(facts)))


def is_of_this_leg(facts, fact):
    """Answer whether a fact was stated in the current leg."""
    return round_and_leg(facts[: fact["number"]]) == round_and_leg(facts)
