"""The state of a case as the code keeps it and as the naive model finds it, in the same words."""

from typing import Any

from model import escalating, timers
from model.questions import (
    claiming,
    clocks,
    confirming,
    holding,
    hosting,
    keeping,
    log,
    noting,
    parking,
    places,
    reporters,
    rounds,
    sealing,
    statements,
    states,
    steps,
    submissions,
    telling,
)

from casework.due import due_times
from casework.known_reports import known_reports
from casework.messages import Case
from casework.secrecy import askers_of


def of_code(case: Case) -> dict[str, Any]:
    """Answer what the code keeps of a case, in the naive model's words."""
    found = {
        "state": case.state,
        "round": case.round,
        "leg": case.leg,
        "host": case.hosting_country,
        "responsible": case.assigned_hotline,
        "former": list(case.former),
        "origins": [
            {"member": one.member, "count": one.count, "known": list(known_reports(one))}
            for one in case.origins
        ],
        "waiting": [one.event_id for one in case.waiting],
        "last_time": case.last_now,
        "deliveries": {one.recipient: one.number for one in case.deliveries},
        "parked": [] if case.parked is None else [(case.parked.count, case.parked.attempts)],
        "due": [(due.at, due.step) for due in due_times(case)],
    }
    if case.origins:
        found |= {
            "outcome": case.outcome,
            "closed_at": case.closed_at,
            "desk": case.desk,
            "assessment": (case.classification, case.classified_by),
            "taken": [one for one in case.done if not one.startswith("acknowledged:") and one != "release"],
            "overdue": list(case.overdue),
            "leg_began": case.leg_started_at,
            "rewrap_due": case.rewrap_due_at,
            "escalated": list(case.escalated),
            "open_escalations": [
                (one.reason_code, one.recipient, one.attempt) for one in case.open_escalations
            ],
            "hosting_status": case.hosting_status,
            "chain": list(case.chain),
            "priority": case.priority,
            "related": list(case.related),
            "moves": case.moves,
            "hold": None if case.hold is None else (case.hold.until, case.hold.liaison, askers_of(case.hold)),
            "hold_requests": [(one.by, one.until) for one in case.hold_requests],
            "declined": list(case.declined),
            "pool": list(case.pool),
            "lease": None if case.lease is None else case.lease.until,
            "asked": [(one.fact_number, list(one.members)) for one in case.asked],
            "erase_at": case.erase_at,
            "references": list(case.references),
            "preserve_until": case.preserve_until,
            "stated": [one.number for one in case.stated],
            "doubt": None if case.doubt is None else (case.doubt.hosting_country, case.doubt.due_at),
            "liaisons": list(case.liaisons),
            "seen": [one.event_id.hex() for one in case.seen],
        }
    return found


def of_model(facts: list[dict[str, Any]]) -> dict[str, Any]:
    """Answer what the naive model finds in the facts of a case."""
    round_number, leg = rounds.round_and_leg(facts)
    waiting = parking.waiting(facts)
    found = {
        "state": states.state(facts),
        "round": round_number,
        "leg": leg,
        "host": hosting.host(facts),
        "responsible": places.responsible(facts),
        "former": places.former(facts),
        "origins": [
            {k: v for k, v in one.items() if k in {"member", "count", "known"}}
            for one in reporters.origins(facts)
        ],
        "waiting": [one["input"] for one in submissions.waiting(facts)],
        "last_time": log.last_time(facts),
        "deliveries": telling.deliveries(facts),
        "parked": [(len(waiting), waiting[0]["tries"])] if waiting else [],
        "due": [] if waiting else [(one["at"], one["step"]) for one in timers.due(facts)],
    }
    if reporters.origins(facts):
        found |= {
            "outcome": states.outcome(facts),
            "closed_at": states.closed_at(facts),
            "desk": places.desk(facts),
            "assessment": statements.assessment(facts),
            "taken": steps.taken(facts),
            "overdue": steps.overdue(facts),
            "leg_began": clocks.leg_began(facts),
            "rewrap_due": sealing.rewrap_due(facts),
            "escalated": telling.escalated(facts),
            "open_escalations": [
                (one["reason"], one["liaison"], one["attempt"]) for one in escalating.open_ones(facts)
            ],
            "hosting_status": hosting.hosting_status(facts),
            "chain": hosting.chain(facts),
            "priority": noting.priority(facts),
            "related": noting.related(facts),
            "moves": hosting.moves(facts),
            "hold": None
            if (hold := holding.hold(facts)) is None
            else (hold["until"], hold["liaison"], tuple(hold["askers"])),
            "hold_requests": [(one["by"], one["until"]) for one in holding.hold_requests(facts)],
            "declined": claiming.declined(facts),
            "pool": places.pool(facts),
            "lease": None if (lease := claiming.lease(facts)) is None else lease["until"],
            "asked": [(one["number"], one["members"]) for one in confirming.asked(facts)],
            "erase_at": keeping.erase_at(facts),
            "references": keeping.references(facts),
            "preserve_until": max((one["until"] for one in keeping.preservations(facts)), default=None),
            "stated": [one.get("stands_as", one["number"]) for one in statements.correctable(facts)],
            "doubt": None if (doubt := hosting.doubt(facts)) is None else (doubt["country"], doubt["until"]),
            "liaisons": telling.liaisons(facts),
            "seen": [one["input"].replace("-", "") for one in submissions.seen(facts)],
        }
    return found
