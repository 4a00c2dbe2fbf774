"""What passing time does."""

from model import corrections, escalating, moves, network, overdue, retention, routes, writing
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
    known = q.doubt(facts)
    if known is not None:
        found.append({"at": known["until"], "step": "answer_host"})
    found += [*overdue.due(facts), *escalating.due(facts), *corrections.due(facts), *retention.due(facts)]
    return sorted(found, key=lambda one: (one["at"], one["step"], one.get("id", "")))


def fire(now, timer):
    """Write what a timer that is due does."""
    step = timer["step"]
    if step == "escalation":
        escalating.repeat(now, timer["escalation"])
    elif step == "confirm":
        corrections.miss(now, timer)
    elif step == "erase":
        retention.erase_when_due(now)
    elif step == "answer_host":
        moves.follow(now, timer)
    elif step == "remind":
        overdue.remind(now, timer)
    elif step == "digest":
        overdue.digest(now, timer)
    else:
        overdue.pass_by(now, timer)
        if step == "rewrap":
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
    is_kept = q.erase_at(facts) is not None or q.references(facts) or q.preservations(facts)
    if is_kept or any(not one["told"] for one in q.asked(facts)):
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
    moves.hand_on(now, _way_of(now)[0], "member_left")


def _way_of(now):
    """Answer where the case goes by the directory of now, with the last report of its first origin."""
    first = q.origins(now["facts"])[0]
    way = routes.route(now["directory"], q.host(now["facts"]), first["member"], network.URL_KEY)
    return way, first["last"], first["member"]
