"""Cases that hotlines take from a queue they share, use in time, give back, decline or hand over."""

from model import actions, hold_course, moves, network, routes, transfers, writing
from model.questions import claiming, hosting, places, reporters, rounds, states


def claim(now, action):
    """Give the case to the first that claims it; it has it by a lease."""
    facts, sender = now["facts"], action["sender"]
    state, rule = states.state(facts), None
    if state == "closed":
        return actions.not_applicable(now, action, "case_closed")
    if state in states.WITH_A_HOTLINE:
        if sender == places.responsible(facts):
            return actions.not_applicable(now, action, "already_done")
        if claiming.could_claim(facts, sender):
            return actions.not_applicable(now, action, "claimed_already")
        rule = "not_in_pool"
    elif state == "offered":
        rule = None if sender in places.pool(facts) else "not_in_pool"
    else:
        rule = None if places.desk(facts) and network.is_mandated(sender) else "not_in_pool"
    if transfers.withheld(now, sender, reporters.members(facts)):
        rule = "not_in_pool"
    if rule is not None:
        writing.by_sender(now, "refused", action="claim", rule=rule)
        return "refused", rule
    if actions.is_stale(facts, action):
        return actions.not_applicable(now, action, "other_leg")
    country = (
        places.assigned_country(facts) if state == "offered" else network.MEMBERS[sender]["countries"][0]
    )
    writing.by_sender(now, "claimed")
    until = now["now"] + network.LIMITS["lease"]
    moves.hand_on(now, routes.to(hosting.host(facts), country, sender), "claimed", until=until)
    return ("accepted",)


def _fault(now, action):
    """Answer why a request that only the responsible hotline may make does not fit."""
    facts = now["facts"]
    if states.state(facts) == "closed":
        return actions.not_applicable(now, action, "case_closed")
    if action["sender"] != places.responsible(facts):
        writing.by_sender(now, "refused", action=action["action"], rule="not_responsible")
        return "refused", "not_responsible"
    return actions.not_applicable(now, action, "other_leg") if actions.is_stale(facts, action) else None


def hand_back(now, action):
    """Give a claimed case back to its queue."""
    fault = _fault(now, action)
    if fault is not None:
        return fault
    if claiming.lease(now["facts"]) is None:
        return actions.not_applicable(now, action, "no_lease")
    writing.by_sender(now, "handed_back")
    moves.hand_on(now, moves.way_of(now), "handed_back")
    return ("accepted",)


def decline(now, action):
    """Let a case go on that its hotline does not take."""
    fault = _fault(now, action)
    if fault is not None:
        return fault
    facts, sender, reason = now["facts"], action["sender"], action["reason"]
    if states.state(facts) in {"police_informed", "provider_informed"}:
        return actions.not_applicable(now, action, "too_late")
    country = network.country_in(action) if reason == "wrong_country" else None
    country = None if country == hosting.host(facts) else country
    declined = [*claiming.declined(facts), sender]
    way, report = moves.way_of(now, country, declined=declined), None
    last = max(reporters.origins(facts), key=lambda one: one["last_at"])
    is_free = last["member"] not in declined and network.is_active(now["directory"], last["member"])
    is_nobody_s = way["hotline"] is None and not way["pool"] and country is None
    if is_nobody_s and reason in {"wrong_country", "key_mismatch"} and is_free:
        own_country = network.MEMBERS[last["member"]]["countries"][0]
        way, report = routes.to(hosting.host(facts), own_country, last["member"]), last
    writing.by_sender(now, "declined")
    if country is not None:
        hold_course.end(now, "moved", country)
    moves.hand_on(now, way, "declined", report=report)
    return ("accepted",)


def transfer(now, action):
    """Hand a case to another hotline of its country."""
    fault = _fault(now, action)
    if fault is not None:
        return fault
    facts, to = now["facts"], action.get("to_member")
    country = places.assigned_country(facts)
    out = {action["sender"], *claiming.declined(facts)}
    others = [
        hotline
        for hotline in network.hotlines_of(now["directory"], country)
        if hotline not in out and not transfers.withheld(now, hotline, reporters.members(facts))
    ]
    if to not in others:
        writing.by_sender(now, "refused", action="transfer", rule="not_a_candidate")
        return "refused", "not_a_candidate"
    writing.by_sender(now, "transferred")
    moves.hand_on(now, routes.to(hosting.host(facts), country, to), "transferred")
    return ("accepted",)


def due(facts):
    """Answer when a claim ends that is not used, and when a queue is given up."""
    found, lease = [], claiming.lease(facts)
    if lease is not None and states.state(facts) in states.WITH_A_HOTLINE:
        found.append({"at": lease["until"], "step": "lease"})
    leg = rounds.this_leg(facts)
    waits = states.state(facts) in {"offered", "orphaned"} and leg[0].get("until") is not None
    if waits and not any(fact["kind"] == "unclaimed" for fact in leg):
        found.append({"at": leg[0]["until"], "step": "unclaimed"})
    return found


def expire(now, timer):
    """Let a claim end that was not used."""
    writing.by_rule(now, "lease_expired", step="lease", due_at=timer["at"])
    moves.hand_on(now, moves.way_of(now), "lease_expired")


def give_out(now, timer):
    """Let the weights choose among hotlines that did not claim; at the desk police are told."""
    was_offered = states.state(now["facts"]) == "offered"
    writing.by_rule(now, "unclaimed", step="unclaimed", due_at=timer["at"])
    if was_offered:
        moves.hand_on(now, moves.way_of(now, offers=False), "unclaimed")
    else:
        first = reporters.origins(now["facts"])[0]
        routes.escalate(now, "unclaimed", moves.way_of(now), first["last"], first["member"])
