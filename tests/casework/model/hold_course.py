"""The course of a hold after it was set: warnings, its end, and who knows of it."""

from model import network, writing
from model.lists import unique
from model.questions import holding, hosting, log, places, rounds

OF_THE_CASE = object()
"""Stands for the hotline that is responsible in the case, where no other takes a hold over."""
WARNINGS = [72 * network.HOUR, 24 * network.HOUR]


def each(*members):
    """Answer some members, each once."""
    return unique(member for member in members if member is not None)


def has_new(now):
    """Answer whether a decision has written anything yet."""
    return len(now["facts"]) > now["first_fact"]


def has_police(now, in_force):
    """Answer whether the liaison of a hold, or other police of its country, are there to end it."""
    directory, country = now["directory"], hosting.host(now["facts"])
    is_there = network.is_hosting_liaison(directory, in_force["liaison"], country)
    return is_there or network.police_of(directory, country) is not None


def stand_in(now, in_force, facts=None):
    """Answer who has the say in a hold whose liaison is not there any more."""
    directory, country = now["directory"], hosting.host(facts or now["facts"])
    if network.is_hosting_liaison(directory, in_force["liaison"], country):
        return None
    return network.hosting_liaison(directory, country)


def named(now, facts, in_force, responsible=OF_THE_CASE):
    """Answer how a fact names a hold and all who know of it."""
    hotline = places.responsible(facts) if responsible is OF_THE_CASE else responsible
    members = each(hotline, *in_force["askers"], stand_in(now, in_force, facts))
    return {"member": in_force["liaison"], "members": members, "ref": in_force["number"]}


def end(now, reason, country=None):
    """Write that a hold ends, and requests are refused, without police; where it goes they learn of it."""
    facts = list(now["facts"])
    in_force = holding.hold(facts)
    if in_force is not None:
        before = log.before(now["facts"], now["facts"][now["first_fact"]]) if has_new(now) else facts
        hotline = places.responsible(before)
        following = country and network.hosting_liaison(now["directory"], country)
        members = each(hotline, *in_force["askers"], stand_in(now, in_force, before), following)
        what = {"member": in_force["liaison"], "members": members, "ref": in_force["number"]}
        writing.by_rule(now, "hold_ended", reason=reason, **what)
    for request in holding.hold_requests(facts):
        what = {"member": request["liaison"], "members": [request["by"]], "ref": request["number"]}
        writing.by_rule(now, "hold_refused", reason=reason, **what)


def settle(now):
    """Write what a decision means for a hold: a round ends it, who has the case next learns of it."""
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
    elif in_force is not None:
        what = {"has_reference": False, "answers": None, "until": in_force["until"]}
        writing.by_rule(now, "held", **what, **named(now, before, in_force, leg["hotline"]))


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
    writing.by_rule(now, kind, until=in_force["until"], **at, **named(now, facts, in_force))
