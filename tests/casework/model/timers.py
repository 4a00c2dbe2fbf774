"""What passing time does."""

from model import network, routes, writing
from model import questions as q


def due(facts):
    """Answer all timers of a case that have not fired, earliest first."""
    found = [
        {"at": one["due_at"], "step": "waiting", "id": one["input"], "action": one}
        for one in q.waiting(facts)
    ]
    at = q.rewrap_due(facts)
    if at is not None and "rewrap" not in q.overdue(facts):
        found.append({"at": at, "step": "rewrap"})
    # Who cannot open anything yet is late with nothing.
    if q.state(facts) in q.WITH_A_HOTLINE[1:]:
        for step, limit in (q.this_leg(facts)[0].get("deadlines") or {}).items():
            if step != "remind" and step not in q.overdue(facts) and q.when_taken(facts, step) is None:
                found.append({"at": q.leg_began(facts) + limit, "step": step})
    return sorted(found, key=lambda one: (one["at"], one["step"], one.get("id", "")))


def fire(now, timer):
    """Write what a timer that is due does."""
    writing.by_rule(now, "overdue", step=timer["step"], due_at=timer["at"])
    if timer["step"] == "rewrap":
        way, report, origin = _way_of(now)
        routes.escalate(now, "unreadable", way, report, origin)


def wake_up(now, event):
    """Write what a wake-up means beside the timers that were due anyway."""
    if event["step"] == "shrink":
        _shrink(now, event)
    elif event["step"] == "reassign":
        _reassign(now)


def _shrink(now, event):
    facts = now["facts"]
    if q.state(facts) != "closed" or q.waiting(facts) or facts[-1]["kind"] == "shrunk":
        return
    if event["facts_then"] == len(facts):
        then = {"leg_then": q.round_and_leg(facts)[1], "hotline_then": q.responsible(facts)}
        writing.by_rule(now, "shrunk", host_then=q.host(facts), **then)


def _reassign(now):
    """Hand a case on whose hotline is suspended or has left."""
    facts, directory = now["facts"], now["directory"]
    hotline = q.responsible(facts)
    if q.state(facts) not in q.WITH_A_HOTLINE or network.is_active(directory, hotline):
        return
    if directory["version"] < facts[-1]["version"]:
        return
    way, report, origin = _way_of(now)
    all_know = way["reason"] in q.escalated(facts) and set(way["liaisons"]) <= set(q.liaisons(facts))
    routes.begin_leg(now, way, report, origin, reason="member_left")
    routes.ask_if_unreadable(now, way, report, origin)
    if way["reason"] is not None and not all_know:
        routes.escalate(now, way["reason"], way, report, origin)


def _way_of(now):
    """Answer where the case goes by the directory of now, with the last report of its first origin."""
    first = q.origins(now["facts"])[0]
    way = routes.route(now["directory"], q.host(now["facts"]), first["member"], network.URL_KEY)
    return way, first["last"], first["member"]
