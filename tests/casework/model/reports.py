"""What a report does: it opens, reopens or joins a case, and is never suppressed."""

from model import hold_course, moves, network, remits, routes, transfers, writing
from model.lists import unique
from model.questions import claiming, hosting, keeping, places, states


def come(now, report):
    """Write the facts of a report and answer its sender."""
    facts = now["facts"]
    declined = [] if states.state(facts) == "closed" else claiming.declined(facts)
    about = remits.of_a_report(report)
    way = routes.route(now["directory"], report["country"], report["sender"], about, declined=declined)
    state, had_no_desk = states.state(facts), states.state(facts) == "orphaned" and places.desk(facts) is None
    begins = (
        not states.has_a_report(facts)
        or (state == "closed" and _needs_a_new_round(now, report))
        or (state == "orphaned" and (way["hotline"] or way["pool"]))
        or _knows_better(facts, report, way)
    )
    joins = states.has_a_report(facts) and not (begins and state == "closed")
    what = _what_it_says(report, now["now"], way, about)
    if joins:
        # Who takes a case over by this very report needs no linked report of it beside.
        hotline = way["hotline"] if begins else places.responsible(facts)
        # The content of a report that joins what was erased already is kept as long again.
        is_new_content = state == "closed" and keeping.erase_at(facts) is None
        erase_at = now["now"] + network.LIMITS["erase"] if is_new_content else None
        barred = transfers.withheld(now, hotline, [report["sender"]])
        writing.by_sender(now, "linked", hotline=hotline, erase_at=erase_at, members=barred, **what)
    else:
        writing.by_sender(
            now, "reopened" if states.has_a_report(facts) else "opened", hotline=way["hotline"], **what
        )
    seen_at = report["observed_at"] if report["host_seen_at"] is None else report["host_seen_at"]
    if begins:
        status = report["hosting_status"] if joins else None
        if joins and way["country"] != hosting.host(facts):
            hold_course.end(now, "moved", way["country"])
        if joins:
            others = moves.givers(facts, way["country"])
            routes.begin_leg(now, way, report["id"], report["sender"], status=status, others=others)
        else:
            routes.begin_round(now, way, report["id"], report["sender"], facts[: now["first_fact"]])
        if way["hotline"] == report["sender"]:
            writing.by_rule(now, "acknowledged", by=report["sender"], report=report["id"])
        routes.ask_if_unreadable(now, way, report["id"], report["sender"])
    else:
        moves.doubt(now, way["country"], None if seen_at is None else min(seen_at, now["now"]), report["id"])
        # What those responsible may not have is not sealed for them to open.
        if not transfers.withheld(now, places.responsible(facts), [report["sender"]]):
            routes.note_if_readable(now, report["sealed_for"])
    for urgency in unique(report["urgency"]):
        routes.escalate(now, urgency, way, report["id"], report["sender"])
    if way["reason"] is not None and (begins or had_no_desk):
        routes.escalate(now, way["reason"], way, report["id"], report["sender"])
    return ("accepted",)


def _knows_better(facts, report, way):
    """Answer whether a report knows the host elsewhere, where the case has but the edge of a network."""
    if states.state(facts) not in states.OPEN or hosting.hosting_status(facts) != "provisional":
        return False
    is_elsewhere = way["country"] != hosting.host(facts) and way["country"] not in network.PSEUDO_COUNTRIES
    return report["hosting_status"] == "confirmed" and is_elsewhere


def _needs_a_new_round(now, report):
    facts = now["facts"]
    if states.is_a_stub(facts):
        return True
    hotline = places.responsible(facts)
    if hotline is not None and not network.is_active(now["directory"], hotline):
        return True
    observed = report.get("observed_at")
    return observed is not None and min(observed, now["now"]) > states.closed_at(facts)


def _what_it_says(report, at, way, about):
    classification = report.get("classification")
    observed = report.get("observed_at")
    return {
        "country": way["country"],
        "origin": report["sender"],
        "report": report["id"],
        "about": about,
        "digest": report["digest"],
        "status": report["hosting_status"],
        "sealed_for": report["sealed_for"],
        "observed_at": None if observed is None else min(observed, at),
        "received_at": min(report["received_at"], at),
        "classification": None if classification == "unassessed" else classification,
    }
