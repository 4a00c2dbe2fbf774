"""Content that those responsible cannot open, and who may re-wrap it for them."""

from model import actions, network, routes, transfers, writing
from model.questions import parties, places, reporters, sealing, states


def come(now, action):
    """Write the facts of a re-wrap and answer its sender: it waits for nothing."""
    facts = now["facts"]
    if not states.has_a_report(facts):
        if states.is_there(facts):
            writing.by_sender(now, "refused", action="rewrap", rule="unknown_case")
        return "refused", "unknown_case"
    outcome, rule = _judge(now, action)
    if outcome == "refused":
        writing.by_sender(now, "refused", action="rewrap", rule=rule)
    elif outcome == "not_applicable":
        writing.by_sender(now, "not_applicable", action="rewrap", rule=rule)
    else:
        one = _origin_of(facts, action["report"])
        barred = transfers.withheld(now, places.responsible(facts), [one["member"]])
        what = {"report": action["report"], "origin": one["member"], "sealed_for": action["sealed_for"]}
        writing.by_sender(now, "rewrapped", members=barred, **what)
        if not barred:
            routes.note_if_readable(now, sealing.can_open(facts))
    return outcome, rule


def _judge(now, action):
    facts, sender = now["facts"], action["sender"]
    one = _origin_of(facts, action["report"])
    can_open, adds = sealing.can_open(facts), action["sealed_for"]
    if not parties.is_party(facts, sender, now["directory"]):
        found = "refused", "not_a_party"
    elif action["case"] is None or not actions.names_this_case(now, action):
        found = "refused", "wrong_case"
    elif states.state(facts) == "closed":
        found = "not_applicable", "case_closed"
    elif one is None:
        found = "not_applicable", "other_report"
    elif adds is None:
        found = "refused", "clear_content"
    elif action["digest"] != one["digest"]:
        found = "refused", "content_swapped"
    elif not _holds(now, sender, one["member"]):
        found = "refused", "not_a_holder"
    elif sender != one["member"] and (can_open is None or set(adds) <= set(can_open)):
        found = "not_applicable", "already_done"
    else:
        found = "accepted", None
    return found


def _origin_of(facts, report):
    return next((one for one in reporters.origins(facts) if one["last"] == report), None)


def _holds(now, sender, reporter):
    """Answer whether a sender was handed the report: another origin never was by its own report alone."""
    facts = now["facts"]
    if (
        sender in {reporter, places.responsible(facts), *places.former(facts)}
        or reporters.origin(facts, sender) is None
    ):
        return True
    return states.state(facts) == "orphaned" and sender in network.mandated({"suspended": []})
