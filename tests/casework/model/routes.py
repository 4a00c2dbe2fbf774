"""Where a report goes, and how a leg begins."""

import hashlib

from model import network, writing
from model import questions as q


def route(directory, country, origin, url_key):
    """Answer where a report about a host in a country goes."""
    country = network.canonical(country)
    liaisons = network.liaisons_of(directory, country)
    if country in network.PSEUDO_COUNTRIES:
        pseudo = network.PSEUDO_COUNTRIES[country]
        desk = pseudo["desk"] if liaisons else "desk-orphans"
        return _way(country, None, desk, liaisons, pseudo["reason"])
    hotlines = network.hotlines_of(directory, country)
    if not hotlines:
        return _way(country, None, "desk-orphans", liaisons, "no_hotline")
    keeps = network.COUNTRIES[country].get("own_reports", "keep") == "keep"
    chosen = origin if origin in hotlines and keeps else by_weight(hotlines, url_key)
    return _way(country, chosen, None, liaisons, None)


def _way(country, hotline, desk, liaisons, reason):
    return {"country": country, "hotline": hotline, "desk": desk, "liaisons": liaisons, "reason": reason}


def by_weight(hotlines, url_key):
    """Answer the hotline that has the highest of its hashes; each has as many as its weight."""
    hashes = [
        (hashlib.sha256(f"{member}/{point}/".encode() + url_key).digest(), member)
        for member, weight in hotlines.items()
        for point in range(weight)
    ]
    return max(hashes)[1]


def begin_leg(now, way, report, origin, *, reason=None, status=None):
    """Write that a leg begins: a hotline is responsible, or the case waits at a desk."""
    where = {"country": way["country"], "report": report, "origin": origin, "status": status}
    if way["hotline"] is None:
        writing.by_rule(now, "orphaned", hotline=None, desk=way["desk"], reason=way["reason"], **where)
    else:
        limits = network.deadlines_of(way["country"])
        writing.by_rule(now, "assigned", hotline=way["hotline"], deadlines=limits, reason=reason, **where)


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
    if way["hotline"] != origin and not opens(now, way["hotline"], q.can_open(now["facts"])):
        due = now["now"] + network.REWRAP
        writing.by_rule(now, "rewrap_asked", report=report, origin=origin, due_at=due)


def note_if_readable(now):
    """Write that those responsible can open a content now, where that was waited for."""
    facts = now["facts"]
    if q.rewrap_due(facts) is None:
        return
    there = q.responsible(facts)
    if there == now["sender"] or opens(now, there, q.can_open(facts)):
        writing.by_rule(now, "readable")


def opens(now, hotline, can_open):
    """Answer whether a hotline, or a mandated one at the desk, is among those who can open something."""
    if can_open is None:
        return True
    readers = [hotline] if hotline is not None else network.mandated(now["directory"])
    return any(reader in can_open for reader in readers)
