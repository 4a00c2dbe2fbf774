"""Escalations that wait for police: one acknowledges, or the next contact gets them."""

from model import actions, feeds, network, writing
from model.questions import hosting, log, places, reporters, states, telling

OVER_WITH_A_HOTLINE = ["no_hotline", "unclaimed", "unreadable"]
MOST_OPEN = 16


def open_ones(facts):
    """Answer the escalations that nobody has acknowledged."""
    found = []
    for fact in log.remembered(facts):
        kind = fact["kind"]
        if kind == "escalated":
            if fact["attempt"] > 1:
                found = _without(found, fact, fact["attempt"] - 1)
            found = [one for one in found if _name(one) != _name(fact)]
            if len(found) < MOST_OPEN:
                found.append(fact)
        elif kind == "escalation_unanswered":
            found = _without(found, fact, fact["attempt"])
        elif kind == "escalation_acknowledged":
            found = []
        elif kind in {"opened", "reopened", "assigned"} and fact["hotline"] is not None:
            found = [one for one in found if one["reason"] not in OVER_WITH_A_HOTLINE]
        elif kind == "readable":
            found = [one for one in found if one["reason"] != "unreadable"]
    return found


def _name(one):
    return f"{one['report']}/{one['reason']}/{one['liaison']}"


def _without(found, fact, attempt):
    """Answer what is open without the one that a fact answers: of several the one that fired first."""
    this = (fact["report"], fact["reason"], attempt)
    same = [one for one in found if (one["report"], one["reason"], one["attempt"]) == this]
    gone = min(same, key=lambda one: (one["due_at"], one["liaison"]), default=None)
    return [one for one in found if one is not gone]


def due(facts):
    """Answer when which escalation goes to the next contact; of a closed case only urgent ones do."""
    urgent = {"possible_new_victim", "abuse_in_progress"}
    is_closed = states.state(facts) == "closed"
    return [
        {"at": one["due_at"], "step": "escalation", "id": _name(one), "escalation": one}
        for one in open_ones(facts)
        if not is_closed or one["reason"] in urgent
    ]


def repeat(now, timer):
    """Send an escalation to the next contact; tell the secretariat where none is left."""
    one = timer["escalation"]
    what = {"reason": one["reason"], "report": one["report"], "origin": one["origin"]}
    country = hosting.host(now["facts"])
    following = network.contact_after(now["directory"], country, one["liaison"], one["origin"])
    if following is None:
        secretariat = network.secretariat(now["directory"])
        writing.by_rule(
            now,
            "escalation_unanswered",
            member=secretariat,
            attempt=one["attempt"],
            due_at=one["due_at"],
            **what,
        )
    else:
        due_at = now["now"] + network.LIMITS["escalation"]
        writing.by_rule(
            now, "escalated", liaison=following, attempt=one["attempt"] + 1, due_at=due_at, **what
        )


def open_again(now, sender):
    """Let what was acknowledged wait again, with the first origin's report."""
    facts, correction = list(now["facts"]), now["facts"][-1]["number"]
    own = network.MEMBERS[sender]["liaison"]
    to = own if own in telling.liaisons(facts) else [None, *telling.liaisons(facts)][-1]
    for reason in telling.escalated(facts) if reporters.origins(facts) else []:
        if places.responsible(facts) is None or reason not in OVER_WITH_A_HOTLINE:
            first = reporters.origins(facts)[0]
            what = {"reason": reason, "report": first["last"], "origin": first["member"], "liaison": to}
            due_at = now["now"] + network.LIMITS["escalation"]
            writing.by_rule(now, "escalated", attempt=1, due_at=due_at, ref=correction, **what)


def acknowledge(now, action):
    """Write that police have an escalation or a feed item, whichever a liaison means."""
    facts = now["facts"]
    fed = feeds.was_fed(facts, action["sender"])
    who = network.MEMBERS[action["sender"]]
    may_answer = who["liaison"] in telling.liaisons(facts) or hosting.host(facts) in who["countries"]
    if open_ones(facts) and may_answer and not (fed and action.get("fact_number") is not None):
        has_reference = action.get("has_police_reference", False)
        writing.by_sender(now, "escalation_acknowledged", has_reference=has_reference)
        return ("accepted",)
    if fed:
        return feeds.acknowledge(now, action)
    return actions.not_applicable(now, action, "nothing_open")
