"""What passing time does."""

from model import (
    claims,
    corrections,
    escalating,
    hold_course,
    moves,
    network,
    overdue,
    retention,
    routes,
    writing,
)
from model.questions import (
    clocks,
    confirming,
    holding,
    hosting,
    keeping,
    log,
    places,
    reporters,
    rounds,
    sealing,
    states,
    steps,
    submissions,
)


def due(facts):
    """Answer all timers of a case that have not fired, earliest first."""
    found = [
        {"at": one["due_at"], "step": "waiting", "id": one["input"], "action": one}
        for one in submissions.waiting(facts)
    ]
    at = sealing.rewrap_due(facts)
    if at is not None and "rewrap" not in steps.overdue(facts):
        found.append({"at": at, "step": "rewrap"})
    # Who cannot open anything yet is late with nothing.
    if states.state(facts) in states.WITH_A_HOTLINE[1:]:
        for step, limit in (rounds.this_leg(facts)[0].get("deadlines") or {}).items():
            if (
                step != "remind"
                and step not in steps.overdue(facts)
                and steps.when_taken(facts, step) is None
            ):
                is_paused = step in overdue.PAUSED
                if not (is_paused and holding.hold(facts) is not None):
                    shift = clocks.paused(facts) if is_paused else 0
                    found.append({"at": clocks.leg_began(facts) + limit + shift, "step": step})
    known = hosting.doubt(facts)
    if known is not None:
        found.append({"at": known["until"], "step": "answer_host"})
    found += [
        *overdue.due(facts),
        *escalating.due(facts),
        *corrections.due(facts),
        *retention.due(facts),
        *claims.due(facts),
        *hold_course.due(facts),
    ]
    return sorted(found, key=lambda one: (one["at"], one["step"], one.get("id", "")))


def fire(now, timer):
    """Write what a timer that is due does."""
    RULES.get(timer["step"], overdue.pass_by)(now, timer)


def _give_up_rewrap(now, timer):
    """Tell police, for whom the content is sealed too, that nobody re-wrapped it."""
    overdue.pass_by(now, timer)
    first = reporters.origins(now["facts"])[0]
    routes.escalate(now, "unreadable", moves.way_of(now), first["last"], first["member"])


RULES = {
    "rewrap": _give_up_rewrap,
    "escalation": escalating.repeat,
    "confirm": corrections.miss,
    "lease": claims.expire,
    "unclaimed": claims.give_out,
    "hold": hold_course.fire,
    "hold_warning": hold_course.fire,
    "hold_asked": hold_course.fire,
    "erase": retention.erase_when_due,
    "answer_host": moves.follow,
    "remind": overdue.remind,
    "digest": overdue.digest,
}


def wake_up(now, event):
    """Write what a wake-up means beside the timers that were due anyway."""
    if event["step"] == "shrink":
        _shrink(now, event)
    elif event["step"] == "reassign":
        _reassign(now)


def _shrink(now, event):
    facts = now["facts"]
    if states.state(facts) != "closed" or submissions.waiting(facts) or log.last(facts)["kind"] == "shrunk":
        return
    is_kept = keeping.erase_at(facts) is not None or keeping.references(facts) or keeping.preservations(facts)
    if is_kept or any(not one["told"] for one in confirming.asked(facts)):
        return
    if event["facts_then"] == len(facts):
        then = {"leg_then": rounds.round_and_leg(facts)[1], "hotline_then": places.responsible(facts)}
        writing.by_rule(now, "shrunk", host_then=hosting.host(facts), **then)


def _reassign(now):
    """Hand a case on whose hotline, or one it is offered to, has left; or that has a hotline now."""
    facts, directory = now["facts"], now["directory"]
    with_whom = (
        [places.responsible(facts)] if states.state(facts) in states.WITH_A_HOTLINE else places.pool(facts)
    )
    if directory["version"] < log.last(facts)["version"]:
        return
    if not all(network.is_active(directory, hotline) for hotline in with_whom):
        moves.hand_on(now, moves.way_of(now), "member_left")
    elif states.state(facts) == "orphaned" and moves.way_of(now)["reason"] is None:
        moves.hand_on(now, moves.way_of(now), "member_joined")
