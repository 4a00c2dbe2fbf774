"""What was told: deliveries, escalations and the liaisons that had them."""

from model.lists import unique
from model.questions.log import remembered
from model.questions.rounds import this_round


def escalated(facts):
    """Answer the reasons escalated in this round."""
    return unique(fact["reason"] for fact in this_round(facts) if fact["kind"] == "escalated")


def liaisons(facts):
    """Answer the codes of the liaisons that had an escalation of the case."""
    return unique(fact["liaison"] for fact in remembered(facts) if fact["kind"] == "escalated")


def had_a_delivery(facts, recipient):
    """Answer whether a member or a feed ever had a delivery of the case."""
    return any(to == recipient for fact in facts for to, _ in fact["deliveries"])


def deliveries(facts):
    """Answer how many deliveries each member has had since the case was a stub."""
    found = {}
    for fact in remembered(facts):
        for recipient, number in fact["deliveries"]:
            found[recipient] = number
    return found
