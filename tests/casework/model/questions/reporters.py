"""Origins: who reported, and with which reports."""

from model.memory import once
from model.questions.log import counts, remembered

MOST_OF_ONE = 16
MOST_BETWEEN = 256


@once
def origins(facts):
    """Answer who reported, how often, and with which reports as far as the case knows them."""
    found = []
    for fact in filter(counts, remembered(facts)):
        if fact["kind"] in {"opened", "reopened", "linked"} and fact["by"] == fact["origin"]:
            _add(found, fact)
        if fact["kind"] in {"key_mismatch", "withdrawn"}:
            found = [left for one in found if (left := _without(one, fact["origin"], fact["report"]))]
    return [_seen_from_both_ends(one) for one in found]


def _add(found, fact):
    new = {"id": fact["report"], "at": fact["at"], "digest": fact["digest"]}
    mine = [one for one in found if one["member"] == fact["by"]]
    if not mine:
        found.append({"member": fact["by"], "count": 1, "reports": [new]})
        return
    one = mine[0]
    if new["id"] in _ids(one):
        one["reports"] = [report for report in one["reports"] if report["id"] != new["id"]]
    else:
        one["count"] += 1
    one["reports"].append(new)
    between = sum(max(0, len(other["reports"]) - 2) for other in found)
    if len(one["reports"]) > MOST_OF_ONE or between > MOST_BETWEEN:
        del one["reports"][1]


def members(facts):
    """Answer who reported."""
    return [one["member"] for one in origins(facts)]


def _without(origin, member, report):
    """Answer an origin without one of its reports, or without all where none is named; None: it has none."""
    if origin["member"] != member:
        return origin
    left = [one for one in origin["reports"] if one["id"] != report]
    if report is None or not left:
        return None
    if report == origin["reports"][-1]["id"]:
        left[-1] = left[-1] | {"digest": None}
    return origin | {"reports": left, "count": origin["count"] - 1}


def _seen_from_both_ends(origin):
    first, last = origin["reports"][0], origin["reports"][-1]
    ends = {"first": first["id"], "last": last["id"], "last_at": last["at"], "digest": last["digest"]}
    return {"member": origin["member"], "count": origin["count"], "known": _ids(origin), **ends}


def _ids(origin):
    return [one["id"] for one in origin["reports"]]


def origin(facts, member):
    """Answer what is known of one origin, or None."""
    return next((one for one in origins(facts) if one["member"] == member), None)


def may_leave(origin, report):
    """Answer whether a report is known, and another one is known where there are others."""
    return report in origin["known"] and (origin["count"] == 1 or len(origin["known"]) > 1)
