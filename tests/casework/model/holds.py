"""Holds: police ask that the provider is not told yet; and the order of notices."""

from model import actions, network, writing
from model.lists import unique
from model.questions import holding, hosting, log, places, rounds, states, steps

WARNINGS = [72 * network.HOUR, 24 * network.HOUR]
MOST_REQUESTS = 8


def hold(now, action):
    """Set or renew a hold, or ask the hosting liaison for one."""
    facts, sender = now["facts"], action["sender"]
    role = _role(now, sender)
    if role is None:
        return _refused(now, action, "not_entitled")
    if states.state(facts) == "closed":
        return actions.not_applicable(now, action, "case_closed")
    if steps.when_taken(facts, "inform_provider") is not None:
        return actions.not_applicable(now, action, "provider_informed")
    in_force, request = holding.hold(facts), _request(facts, action)
    until = action.get("hold_until") or (request["until"] if request and role == "liaison" else None)
    rule = _unfit(now, action, role, until)
    if rule is not None:
        return _refused(now, action, rule)
    until = until or now["now"] + network.hold_limit(now["directory"], hosting.host(now["facts"]))
    if role == "police":
        earlier = next((one for one in holding.hold_requests(facts) if one["by"] == sender), None)
        ref = earlier and earlier["number"]
        what = {
            "until": until,
            "member": network.hosting_liaison(now["directory"], hosting.host(facts)),
            "ref": ref,
        }
        writing.by_sender(now, "hold_asked", has_reference=action.get("has_police_reference", False), **what)
        return ("accepted",)
    liaison, askers = sender, list(in_force["askers"]) if in_force else []
    if role == "responsible":
        liaison = action.get("to_member") or (in_force and (_stand_in(now, in_force) or in_force["liaison"]))
        liaison = liaison or network.hosting_liaison(now["directory"], hosting.host(facts))
    elif request:
        askers.append(request["by"])
        until = max(until, in_force["until"]) if in_force else until
    what = {"until": until, "member": liaison, "ref": in_force and in_force["number"]}
    what |= {"members": _each(places.responsible(facts), *askers), "answers": request and request["number"]}
    writing.by_sender(now, "held", has_reference=action.get("has_police_reference", False), **what)
    return ("accepted",)


def _role(now, member):
    facts, who = now["facts"], network.MEMBERS.get(member, {"kind": None})
    if network.is_hosting_liaison(now["directory"], member, hosting.host(facts)):
        return "liaison"
    if member == places.responsible(facts):
        return "responsible"
    return "police" if who["kind"] == "law_enforcement" else None


def _unfit(now, action, role, until):
    """Answer the rule that a hold breaks."""
    in_force = holding.hold(now["facts"])
    latest = now["now"] + network.hold_limit(now["directory"], hosting.host(now["facts"]))
    if (rule := _wrong_one(now, action, role)) is not None:
        return rule
    if until is not None and until > latest:
        return "hold_too_long"
    # Only police bring the end of a hold nearer.
    is_shorter = role == "responsible" and in_force and (until or latest) < in_force["until"]
    return "out_of_range" if is_shorter or (until is not None and until <= now["now"]) else None


def _wrong_one(now, action, role):
    """Answer the rule that a hold breaks by the request it grants, or the liaison it is for."""
    facts, number = now["facts"], action.get("fact_number")
    in_force, found = holding.hold(facts), None
    if role == "liaison":
        is_known = _request(facts, action) is not None or (in_force and in_force["number"] == number)
        return None if number is None or is_known else "unknown_request"
    liaison = network.hosting_liaison(now["directory"], hosting.host(facts))
    if role == "responsible":
        named = action.get("to_member")
        if named and not network.is_hosting_liaison(now["directory"], named, hosting.host(facts)):
            found = "not_the_liaison"
        is_of_police = in_force and in_force["by"] == in_force["liaison"]
        is_there = is_of_police and network.is_hosting_liaison(
            now["directory"], in_force["liaison"], hosting.host(facts)
        )
        if named and is_there and named != in_force["liaison"]:
            found = "not_the_liaison"
        liaison = named or (in_force["liaison"] if in_force else liaison)
    others = [one for one in holding.hold_requests(facts) if one["by"] != action["sender"]]
    if role == "police" and len(others) == len(holding.hold_requests(facts)) >= MOST_REQUESTS:
        found = "too_many_requests"
    return "no_liaison" if liaison is None else found


def _refused(now, action, rule):
    writing.by_sender(now, "refused", action=action["action"], rule=rule)
    return "refused", rule


def _request(facts, action):
    number = action.get("fact_number")
    return next((one for one in holding.hold_requests(facts) if one["number"] == number), None)


def _each(*members):
    return unique(member for member in members if member is not None)


def release(now, action):
    """End a hold, refuse or take back a request, or consent to the notice."""
    facts, role = now["facts"], _role(now, action["sender"])
    if role == "liaison":
        if states.state(facts) == "closed":
            return actions.not_applicable(now, action, "case_closed")
        return _release_by_liaison(now, action)
    in_force = holding.hold(facts)
    if role == "responsible" and in_force is None:
        return actions.not_applicable(now, action, "no_hold")
    if role == "responsible" and (in_force["by"] != in_force["liaison"] or not _has_police(now, in_force)):
        return _release(now, in_force)
    own = [one for one in holding.hold_requests(facts) if role == "police" and one["by"] == action["sender"]]
    return _refuse(now, own[0]) if own else _refused(now, action, "not_entitled")


def _release_by_liaison(now, action):
    facts, number = now["facts"], action.get("fact_number")
    in_force, requests = holding.hold(facts), holding.hold_requests(facts)
    request = _request(facts, action)
    if request is None and in_force is not None and number in {None, in_force["number"]}:
        return _release(now, in_force)
    if request is None and number is not None:
        return _refused(now, action, "unknown_request")
    if request is None and len(requests) > 1:
        return _refused(now, action, "required")
    if request or requests:
        return _refuse(now, request or requests[0])
    if holding.has_consent(facts):
        return actions.not_applicable(now, action, "already_done")
    writing.by_sender(now, "released", member=None, members=_each(places.responsible(facts)), ref=None)
    return ("accepted",)


def _has_police(now, in_force):
    """Answer whether the liaison of a hold, or other police of its country, are there to end it."""
    directory, country = now["directory"], hosting.host(now["facts"])
    is_there = network.is_hosting_liaison(directory, in_force["liaison"], country)
    return is_there or network.police_of(directory, country) is not None


def _stand_in(now, in_force, facts=None):
    """Answer who has the say in a hold whose liaison is not there any more."""
    directory, country = now["directory"], hosting.host(facts or now["facts"])
    if network.is_hosting_liaison(directory, in_force["liaison"], country):
        return None
    return network.hosting_liaison(directory, country)


def _release(now, in_force):
    writing.by_sender(now, "released", **_of(now, now["facts"], in_force))
    return ("accepted",)


def _refuse(now, request):
    what = {"member": request["liaison"], "members": [request["by"]], "ref": request["number"]}
    writing.by_sender(now, "hold_refused", **what)
    return ("accepted",)


def _of(now, facts, in_force, responsible=None):
    """Answer how a fact names a hold and all who know of it."""
    hotline = responsible or places.responsible(facts)
    members = _each(hotline, *in_force["askers"], _stand_in(now, in_force, facts))
    return {"member": in_force["liaison"], "members": members, "ref": in_force["number"]}


def end(now, reason, country=None):
    """Write that a hold ends, and requests are refused, without police; where it goes they learn of it."""
    facts = list(now["facts"])
    in_force = holding.hold(facts)
    if in_force is not None:
        before = log.before(now["facts"], now["facts"][now["first_fact"]]) if _has_new(now) else facts
        hotline = places.responsible(before)
        following = country and network.hosting_liaison(now["directory"], country)
        members = _each(hotline, *in_force["askers"], _stand_in(now, in_force, before), following)
        what = {"member": in_force["liaison"], "members": members, "ref": in_force["number"]}
        writing.by_rule(now, "hold_ended", reason=reason, **what)
    for request in holding.hold_requests(facts):
        what = {"member": request["liaison"], "members": [request["by"]], "ref": request["number"]}
        writing.by_rule(now, "hold_refused", reason=reason, **what)


def _has_new(now):
    return len(now["facts"]) > now["first_fact"]


def settle(now):
    """Write what a decision means for a hold: the end of a round ends it, a hotline takes it over."""
    new = now["facts"][now["first_fact"] :]
    before = now["facts"][: now["first_fact"]]
    in_force, requests = holding.hold(before), holding.hold_requests(before)
    kinds = {fact["kind"] for fact in new}
    if (in_force is None and not requests) or kinds & set(holding.OF_A_HOLD):
        return
    if "closed" in kinds:
        end(now, "closed")
        return
    leg = next((fact for fact in new if fact["kind"] in rounds.BEGINS_A_LEG), None)
    if leg is None:
        return
    if leg["country"] != hosting.host(before):
        end(now, "moved", leg["country"])
    elif in_force is not None and leg["hotline"] is not None:
        what = {"has_reference": False, "answers": None, "until": in_force["until"]}
        writing.by_rule(now, "held", **what, **_of(now, before, in_force, leg["hotline"]))


def due(facts):
    """Answer when a hold ends, when its end is near, and when requests lapse."""
    found, in_force = [], holding.hold(facts)
    if in_force is not None:
        found.append({"at": in_force["until"], "step": "hold"})
        for ahead in WARNINGS[in_force["warned"] :][:1]:
            found.append({"at": in_force["until"] - ahead, "step": "hold_warning"})
    for request in holding.hold_requests(facts):
        number = str(request["number"])
        found.append({"at": request["until"], "step": "hold_asked", "id": number, "request": request})
    return found


def fire(now, timer):
    """Write that a hold ends at its time, that its end is near, or that a request lapses."""
    facts, at = now["facts"], {"step": timer["step"], "due_at": timer["at"]}
    if timer["step"] == "hold_asked":
        one = timer["request"]
        what = {"member": one["liaison"], "members": [one["by"]], "ref": one["number"]}
        writing.by_rule(now, "hold_refused", reason="expired", **at, **what)
        return
    in_force = holding.hold(facts)
    kind = "hold_expired" if timer["step"] == "hold" else "hold_warned"
    writing.by_rule(now, kind, until=in_force["until"], **at, **_of(now, facts, in_force))


def tell_provider(now, action):
    """Write that a provider is told, with the breaches of the order of notices, and what follows."""
    said = actions.step(now, action, notice_breaches(now))
    fact = now["facts"][-1]
    if fact["kind"] == "provider_informed" and _has_new(now) and log.counts(fact):
        provider_told(now, action, fact["breaches"])
    return said


def notice_breaches(now):
    """Answer the breaches with which a provider is told now."""
    facts = now["facts"]
    rule = network.COUNTRIES.get(places.assigned_country(facts), {})
    found = ["despite_hold"] if holding.hold(facts) is not None else []
    told_at = steps.when_taken(facts, "inform_police")
    waits_until = None if told_at is None else told_at + rule.get("police_wait", 0)
    if rule.get("notice") == "police_first" and (waits_until is None or now["now"] < waits_until):
        found.append("before_police")
    if rule.get("notice") == "police_consent" and not holding.has_consent(facts):
        found.append("without_consent")
    return found


def provider_told(now, action, breaches):
    """Write what follows when a provider is told: police learn of breaches, a hold has no more use."""
    before = now["facts"][: now["first_fact"]]
    in_force = holding.hold(before)
    is_host = action.get("role") in {None, "host"}
    liaison = network.hosting_liaison(now["directory"], hosting.host(before))
    for breach in breaches:
        to = liaison
        if breach == "despite_hold":
            to = _stand_in(now, in_force, before) or in_force["liaison"]
        said_by_its_end = breach == "despite_hold" and is_host
        if breach in {"despite_hold", "before_police", "without_consent"} and to and not said_by_its_end:
            writing.by_rule(now, "breach_reported", rule=breach, reason=breach, member=to)
    if is_host:
        end(now, "provider_informed")
