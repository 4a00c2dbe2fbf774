"""Holds: police ask that the provider is not told yet, or let it be told."""

from model import actions, hold_course, network, writing
from model.questions import holding, hosting, places, states, steps

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
        liaison = action.get("to_member") or (
            in_force and (hold_course.stand_in(now, in_force) or in_force["liaison"])
        )
        liaison = liaison or network.hosting_liaison(now["directory"], hosting.host(facts))
    elif request:
        askers.append(request["by"])
        until = max(until, in_force["until"]) if in_force else until
    what = {"until": until, "member": liaison, "ref": in_force and in_force["number"]}
    what |= {
        "members": hold_course.each(places.responsible(facts), *askers),
        "answers": request and request["number"],
    }
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
    if role == "responsible" and (
        in_force["by"] != in_force["liaison"] or not hold_course.has_police(now, in_force)
    ):
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
    writing.by_sender(
        now, "released", member=None, members=hold_course.each(places.responsible(facts)), ref=None
    )
    return ("accepted",)


def _release(now, in_force):
    writing.by_sender(now, "released", **hold_course.named(now, now["facts"], in_force))
    return ("accepted",)


def _refuse(now, request):
    what = {"member": request["liaison"], "members": [request["by"]], "ref": request["number"]}
    writing.by_sender(now, "hold_refused", **what)
    return ("accepted",)
