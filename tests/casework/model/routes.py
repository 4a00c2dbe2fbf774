"""Where a report goes, and how a leg begins."""

import hashlib

from model import network, remits, transfers, writing
from model.lists import unique
from model.questions import keeping, places, reporters, sealing, states


def route(directory, country, origin, about, *, declined=(), offers=True):
    """Answer where a report about a host in a country goes; who gave the case back does not get it."""
    country = network.canonical(country)
    liaisons = network.liaisons_of(directory, country, origin)
    if country in network.PSEUDO_COUNTRIES:
        pseudo = network.PSEUDO_COUNTRIES[country]
        desk = pseudo["desk"] if liaisons else "desk-orphans"
        return _way(country, None, desk, liaisons, pseudo["reason"])
    hotlines = network.hotlines_of(directory, country, origin)
    hotlines = {member: weight for member, weight in hotlines.items() if member not in declined}
    if not hotlines:
        return _way(country, None, "desk-orphans", liaisons, "no_hotline")
    rule = network.COUNTRIES[country]
    keeps_its_own = origin in hotlines and country not in directory["own_reports"]
    if len(hotlines) > 1 and rule["routing"] == "claim" and offers and not keeps_its_own:
        return _way(country, None, None, liaisons, None) | {"pool": sorted(hotlines)}
    among = remits.choosable(directory, country, hotlines, about)
    chosen = origin if keeps_its_own else by_weight(among, network.URL_KEY)
    return _way(country, chosen, None, liaisons, None)


def to(host, country, hotline):
    """Answer the way to a hotline that a member chose."""
    return _way(host, hotline, None, [], None) | {"assigned_country": country}


def _way(country, hotline, desk, liaisons, reason):
    way = {"country": country, "assigned_country": country, "pool": []}
    return way | {"hotline": hotline, "desk": desk, "liaisons": liaisons, "reason": reason}


def by_weight(hotlines, url_key):
    """Answer the hotline that has the highest of its hashes; each has as many as its weight."""
    hashes = [
        (hashlib.sha256(f"{member}/{point}/".encode() + url_key).digest(), member)
        for member, weight in hotlines.items()
        for point in range(weight)
    ]
    return max(hashes)[1]


def begin_leg(now, way, report, origin, *, reason=None, status=None, until=None, others=(), had=()):
    """Write that a leg begins: a hotline is responsible, several may claim it, or it waits at a desk."""
    where = {"country": way["country"], "assigned_country": way["assigned_country"]}
    where |= {"report": report, "origin": origin, "status": status, "hotline": way["hotline"]}
    may_lie_until = now["now"] + network.LIMITS["unclaimed"]
    if way["pool"]:
        what = {"members": way["pool"], "until": may_lie_until, "reason": reason}
        writing.by_rule(now, "offered", **what, **where)
    elif way["hotline"] is None:
        what = {"desk": way["desk"], "until": may_lie_until if way["desk"] else None}
        writing.by_rule(now, "orphaned", reason=way["reason"], members=list(had), **what, **where)
    else:
        limits = network.deadlines_of(now["directory"], way)
        left_out = unique([*had, *transfers.withheld(now, way["hotline"], others)])
        what = {"members": left_out, "reason": reason, "until": until}
        writing.by_rule(now, "assigned", deadlines=limits, **what, **where)


def begin_round(now, way, report, origin, before):
    """Begin a round with the reports of the rounds before, unless they are had or are kept no more.

    `before` are the facts before the round.
    """
    others = [member for member in reporters.members(before) if member != origin]
    has_closed_it = way["hotline"] is not None and way["hotline"] == places.responsible(before)
    is_erased = states.state(before) == "closed" and keeping.erase_at(before) is None
    had = others if has_closed_it or is_erased else []
    begin_leg(now, way, report, origin, others=others, had=had)


def close(now, outcome):
    """Write that the round ends, and when its contents are erased."""
    writing.by_rule(now, "closed", outcome=outcome, erase_at=now["now"] + network.LIMITS["erase"])


def escalate(now, reason, way, report, origin):
    """Write that a report is escalated to each liaison of its route."""
    for code in way["liaisons"]:
        due_at = now["now"] + network.LIMITS["escalation"]
        what = {"reason": reason, "report": report, "origin": origin, "country": way["country"]}
        writing.by_rule(now, "escalated", liaison=code, attempt=1, due_at=due_at, **what)


def ask_if_unreadable(now, way, report, origin):
    """Ask those who can open the content to re-wrap it, where those who are responsible now cannot."""
    if way["hotline"] is None and way["desk"] is None:
        return
    if way["hotline"] != origin and not opens(now, way["hotline"], sealing.can_open(now["facts"])):
        due = now["now"] + network.REWRAP
        report, origin = _report_to_ask_for(now, way["hotline"], report, origin)
        what = {"members": _left_out(now, origin), "due_at": due}
        writing.by_rule(now, "rewrap_asked", report=report, origin=origin, **what)


def _report_to_ask_for(now, hotline, report, origin):
    """Answer the report that somebody who is there can re-wrap: this one, else that of another origin."""
    found = [(report, origin)]
    for one in reporters.origins(now["facts"][: now["first_fact"]]):
        may_have_it = not transfers.withheld(now, hotline, [one["member"]])
        if one["member"] not in {origin, hotline} and may_have_it:
            found.append((one["last"], one["member"]))
    for report_found, holder in found:
        if set(unique([holder, *_earlier(now)])) - {hotline, *_left_out(now, holder)}:
            return report_found, holder
    return found[0]


def _left_out(now, origin):
    """Answer which holders of a report are not there to re-wrap it, or may not have it."""
    return [
        one
        for one in unique([origin, *_earlier(now)])
        if not network.is_active(now["directory"], one) or transfers.withheld(now, one, [origin])
    ]


def _earlier(now):
    """Answer the hotlines that had the case before what is decided now."""
    before = now["facts"][: now["first_fact"]]
    return unique(one for one in [*places.former(before), places.responsible(before)] if one is not None)


def note_if_readable(now, can_open):
    """Write that those responsible can open a content now, where that was waited for."""
    facts = now["facts"]
    if sealing.rewrap_due(facts) is None:
        return
    there = places.responsible(facts)
    if there == now["sender"] or opens(now, there, can_open):
        writing.by_rule(now, "readable")


def opens(now, hotline, can_open):
    """Answer whether a hotline, or a mandated one at the desk, is among those who can open something."""
    if can_open is None:
        return True
    readers = [hotline] if hotline is not None else network.mandated(now["directory"])
    return any(reader in can_open for reader in readers)
