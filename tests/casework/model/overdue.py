"""Deadlines that have passed: who is told at once, and who later while nothing happens."""

from model import network, writing
from model.questions import holding, hosting, reporters, rounds, states, steps

PAUSED = ["inform_provider", "confirm_removal"]
"""Steps that are not due during a hold."""


def pass_by(now, timer):
    """Write that a deadline has passed; of a provider's, who else learns of it now or by the digest."""
    facts, step, at = now["facts"], timer["step"], timer["at"]
    was_told = step == "confirm_removal" and steps.when_taken(facts, "inform_provider") is not None
    origin = reporters.origins(facts)[0]["member"]
    authority = network.authority_of(now["directory"], hosting.host(facts), origin) if was_told else None
    police = network.police_of(now["directory"], hosting.host(facts), origin) if was_told else None
    goes_out = next_digest(at) if police and not authority else None
    writing.by_rule(now, "overdue", step=step, due_at=at, until=goes_out)
    if authority:
        first = reporters.origins(facts)[0]
        what = {"step": step, "due_at": at, "report": first["last"], "origin": first["member"]}
        writing.by_rule(now, "provider_overdue", member=authority, rule="authority", **what)


def next_digest(at):
    """Answer when the next digest goes out."""
    this_day = at - at % network.DAY + network.LIMITS["digest_hour"] * network.HOUR
    return this_day if this_day > at else this_day + network.DAY


def due(facts):
    """Answer the later stages of steps that are overdue and still not taken."""
    if states.state(facts) not in states.WITH_A_HOTLINE:
        return []
    found, leg = [], rounds.this_leg(facts)
    done = [(fact["kind"], fact.get("step")) for fact in leg]
    for fact in leg:
        if fact["kind"] == "overdue" and fact["step"] != "rewrap":
            step = fact["step"]
            is_paused = step in PAUSED and holding.hold(facts) is not None
            if is_paused or steps.when_taken(facts, step) is not None:
                continue
            if ("reminded", step) not in done:
                at = fact["due_at"] + leg[0]["deadlines"]["remind"]
                found.append({"at": at, "step": "remind", "id": step})
            if fact["until"] is not None and ("provider_overdue", step) not in done:
                found.append({"at": fact["until"], "step": "digest", "id": step, "passed": fact["due_at"]})
    return found


def remind(now, timer):
    """Tell the secretariat of a step that is still not taken."""
    secretariat = network.secretariat(now["directory"])
    writing.by_rule(now, "reminded", step=timer["id"], due_at=timer["at"], member=secretariat)


def digest(now, timer):
    """Put a provider that does not remove into the digest for the country's police."""
    first = reporters.origins(now["facts"])[0]
    police = network.police_of(now["directory"], hosting.host(now["facts"]), first["member"])
    what = {
        "step": timer["id"],
        "due_at": timer["passed"],
        "report": first["last"],
        "origin": first["member"],
    }
    writing.by_rule(now, "provider_overdue", member=police, rule="digest", **what)
