"""What passing time does."""

from model import claims, corrections, escalating, moves, network, overdue, retention, routes, writing
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
    found += [
        *overdue.due(facts),
        *escalating.due(facts),
        *corrections.due(facts),
        *retention.due(facts),
        *claims.due(facts),
    ]
    return sorted(found, key=lambda one: (one["at"], one["step"], one.get("id", "")))


def fire(now, timer):
    """Write what a timer that is due does."""
    step = timer["step"]
    if step == "escalation":
        escalating.repeat(now, timer["escalation"])
    elif step == "confirm":
        corrections.miss(now, timer)
    elif step == "lease":
        claims.expire(now, timer)
    elif step == "unclaimed":
        claims.give_out(now, timer)
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
            first = q.origins(now["facts"])[0]
            routes.escalate(now, "unreadable", moves.way_of(now), first["last"], first["member"])


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
    """Hand a case on whose hotline, or one of those it is offered to, is suspended or has left."""
    facts, directory = now["facts"], now["directory"]
    with_whom = [q.responsible(facts)] if q.state(facts) in q.WITH_A_HOTLINE else q.pool(facts)
    is_newer = directory["version"] >= facts[-1]["version"]
    if is_newer and not all(network.is_active(directory, hotline) for hotline in with_whom):
        moves.hand_on(now, moves.way_of(now), "member_left")
