"""What came of a history: the whole of it is gone through again for each answer."""

from model import (
    actions,
    claims,
    corrections,
    feeds,
    hold_course,
    holds,
    memory,
    moves,
    network,
    notice_order,
    observations,
    parking,
    reports,
    retention,
    rewraps,
    timers,
)
from model.questions import log, states, submissions
from model.writing import answer, begin, by_sender

RULES = {
    "hold": holds.hold,
    "provider_informed": notice_order.tell_provider,
    "release": holds.release,
    "claim": claims.claim,
    "hand_back": claims.hand_back,
    "decline": claims.decline,
    "transfer": claims.transfer,
    "moved": moves.move,
    "hosting_confirmed": moves.confirm,
    "observed": observations.observe,
    "reappeared": observations.reappear,
    "note": observations.note,
    "corrected": corrections.correct,
    "withdraw": corrections.withdraw,
    "confirmed": corrections.confirm,
    "preserve": retention.preserve,
    "erase": retention.erase,
}


def replay(history):
    """Answer what came of each event of a history, and the facts of the case at its end."""
    memory.forget()
    world = {"facts": [], "deliveries": [], "cases": 0, "directory": None, "now": 0, "answers": []}
    for event in history:
        happen(world, event)
    return world


def happen(world, event):
    """Let one more event happen; what comes of it is the last of the world's answers."""
    world["answers"].append({"facts": [], "deliveries": [], "escalations": [], "receipts": []})
    if event["kind"] == "unpark":
        if parking.go_on(world, event, _decide):
            _forget_if_nothing_is_left(world)
    elif parking.stops(world["facts"], event):
        parking.wait(world, event)
    else:
        _decide(world, event)


def _decide(world, event):
    world["directory"] = network.version(event["version"], event["suspended"], event["rules"])
    trigger_time = max(log.last_time(world["facts"]), event["at"])
    _fire_what_is_due(world, event, trigger_time)
    begin(world, event, trigger_time)
    if event["kind"] == "wake":
        if world["facts"]:
            timers.wake_up(world, event)
            settle(world)
    elif _is_new(world, event):
        if event["kind"] == "report":
            said = reports.come(world, event)
            settle(world)
            answer(world, event, *said)
            _decide_what_waited(world, trigger_time)
        elif event["kind"] == "rewrap":
            answer(world, event, *rewraps.come(world, event))
        else:
            decide_action(world, event)
    _forget_if_nothing_is_left(world)


def decide_action(world, event):
    """Decide an action, and answer its sender unless the action waits."""
    said = actions.come(world, event, RULES)
    settle(world)
    if said is not None:
        answer(world, event, *said)


def settle(world):
    """Write what the facts of a decision mean beside: for a hold, and for those who subscribed."""
    hold_course.settle(world)
    feeds.feed(world)


def _is_new(world, event):
    for fact in submissions.seen(world["facts"]):
        if fact["input"] == event["id"]:
            if fact["said"] != event["said"]:
                answer(world, event, "refused", "id_reused")
            elif fact["position"] != event["position"]:
                answer(world, event, "duplicate", "duplicate")
            return False
    return True


def _fire_what_is_due(world, event, now):
    while due := [one for one in timers.due(world["facts"]) if one["at"] <= now]:
        first = due[0]
        at = max(log.last_time(world["facts"]), first["at"])
        if first["step"] == "waiting":
            action = first["action"]
            begin(world, action["event"], at)
            by_sender(world, "refused", action=action["action"], rule="unknown_case", due_at=first["at"])
            answer(world, action["event"], "refused", "unknown_case")
        else:
            begin(world, {"id": event["id"]}, at)
            timers.fire(world, first)
            settle(world)


def _decide_what_waited(world, now):
    for waiting in submissions.waiting(world["facts"]):
        if not actions.must_wait(world["facts"], waiting["event"]):
            begin(world, waiting["event"], now)
            decide_action(world, waiting["event"])


def _forget_if_nothing_is_left(world):
    """Forget a case in which only actions waited, once none waits any more: it had no report."""
    if not states.is_there(world["facts"]):
        world["facts"] = []
