"""Members take back what they stated, or their report; those who hold it are asked to confirm."""

from model import actions, escalating, network, routes, writing
from model import standing as s
from model.lists import unique
from model.questions import confirming, parties, places, reporters, rounds, statements, states, steps


def correct(now, action):
    """Write a correction of an own fact that stands."""
    facts = now["facts"]
    wrong = next(
        (one for one in statements.correctable(facts) if _number(one) == action.get("fact_number")), None
    )
    put = action.get("corrected_action")
    judges_anew = put == "assessed" or action.get("classification") is not None
    if wrong is not None and wrong["kind"] in s.ASSESSES and judges_anew:
        put = wrong["kind"]
    rule = _refusal(wrong, put, action)
    if rule is not None:
        writing.by_sender(now, "refused", action="corrected", rule=rule)
        return "refused", rule
    key = steps.what_is_done({"kind": put, "role": action.get("role")})
    if rounds.is_of_this_leg(facts, wrong) and key in steps.taken(facts) and key != steps.what_is_done(wrong):
        return actions.not_applicable(now, action, "already_done")
    holders = [*parties.holders(facts), *parties.told_officials(facts)]
    holders = [member for member in holders if member != action["sender"]]
    what = {"ref": _number(wrong), "put": put, "wrong_kind": wrong["kind"], "due_at": confirm_until(now)}
    what |= {"members": active(now, holders), "classification": action.get("classification")}
    is_of_round = any(fact["number"] == wrong["number"] for fact in rounds.this_round(facts))
    waits_again = put is None and wrong["kind"] == "escalation_acknowledged" and is_of_round
    writing.by_sender(now, "corrected", role=action.get("role"), reason=action.get("reason"), **what)
    if waits_again:
        escalating.open_again(now, action["sender"])
    if states.state(facts) != "closed" and not reporters.origins(facts):
        routes.close(now, "withdrawn")
    return ("accepted",)


def _number(fact):
    return fact.get("stands_as", fact["number"])


def _refusal(wrong, put, action):
    if wrong is None or wrong["by"] != action["sender"]:
        return "not_your_fact"
    is_baseline = wrong["kind"] in s.ASSESSES and wrong.get("classification") == "baseline"
    if is_baseline and None in {action.get("analyst"), action.get("second_analyst")}:
        return "two_persons_required"
    if put is None:
        return None
    if put == wrong["kind"] and put in s.ASSESSES:
        return actions.lacks_of_assessment(action)
    both = {put, wrong["kind"]}
    is_alike = put == wrong["kind"] or both <= set(s.FINAL) or both <= set(s.STEPS)
    return None if is_alike else "other_kind"


def active(now, members):
    """Answer which of some members are active, each once."""
    return [member for member in unique(members) if network.is_active(now["directory"], member)]


def confirm_until(now):
    """Answer until when recipients should have confirmed."""
    return now["now"] + network.LIMITS["confirm"]


def withdraw(now, action):
    """Take the sender's reports back, all or the one that it names."""
    facts, sender = now["facts"], action["sender"]
    one = reporters.origin(facts, sender)
    if one is None:
        writing.by_sender(now, "refused", action="withdraw", rule="not_your_report")
        return "refused", "not_your_report"
    if action.get("report") is not None and not reporters.may_leave(one, action["report"]):
        return actions.not_applicable(now, action, "other_report")
    asked = [places.responsible(facts), *places.former(facts), *parties.told_officials(facts)]
    asked = [member for member in asked if member != sender]
    what = {"members": active(now, asked), "due_at": confirm_until(now)}
    was_closed = states.state(facts) == "closed"
    is_whole = action.get("report") is None or one["count"] == 1
    writing.by_sender(now, "withdrawn", origin=sender, report=action.get("report"), is_whole=is_whole, **what)
    if not was_closed and not reporters.origins(now["facts"]):
        routes.close(now, "withdrawn")
    return ("accepted",)


def confirm(now, action):
    """Take note that a member has done what it was asked for."""
    for one in confirming.asked(now["facts"]):
        if one["number"] == action.get("fact_number") and action["sender"] in one["members"]:
            writing.by_sender(now, "confirmed", ref=one["number"])
            return ("accepted",)
    return actions.not_applicable(now, action, "not_asked")


def due(facts):
    """Answer the confirmations that should have come by a time."""
    return [
        {"at": one["due_at"], "step": "confirm", "id": str(one["number"]), "asked": one}
        for one in confirming.asked(facts)
        if not one["told"]
    ]


def miss(now, timer):
    """Tell the secretariat who has not confirmed."""
    one = timer["asked"]
    what = {"members": one["members"], "due_at": timer["at"], "ref": one["number"]}
    writing.by_rule(now, "unconfirmed", member=network.secretariat(now["directory"]), **what)
