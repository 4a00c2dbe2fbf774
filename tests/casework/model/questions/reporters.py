"""Origins: who reported, and with which reports."""

from model.memory import once
from model.questions.log import counts, remembered


@once
def origins(facts):
    """Answer who reported, each with its first and its latest report and how many there were."""
    found = []
    for fact in filter(counts, remembered(facts)):
        if fact["kind"] in {"opened", "reopened", "linked"} and fact["by"] == fact["origin"]:
            for one in found:
                if one["member"] == fact["by"]:
                    one |= {
                        "last": fact["report"],
                        "last_at": fact["at"],
                        "digest": fact["digest"],
                        "count": one["count"] + 1,
                    }
                    break
            else:
                report = fact["report"]
                found.append(
                    {
                        "member": fact["by"],
                        "first": report,
                        "last": report,
                        "first_at": fact["at"],
                        "last_at": fact["at"],
                        "digest": fact["digest"],
                        "count": 1,
                    }
                )
        if fact["kind"] == "key_mismatch":
            found = [left for one in found if (left := _without(one, fact["origin"], fact["report"]))]
        if fact["kind"] == "withdrawn" and fact["report"] is not None:
            found = [left for one in found if (left := _without(one, fact["origin"], fact["report"]))]
        elif fact["kind"] == "withdrawn":
            found = [one for one in found if one["member"] != fact["origin"]]
    return found


def members(facts):
    """Answer who reported."""
    return [one["member"] for one in origins(facts)]


def _without(origin, member, report):
    """Answer an origin without one report; its first and its latest are all that is known."""
    if origin["member"] != member:
        return origin
    if origin["count"] == 1:
        return None
    if report == origin["last"]:
        return origin | {
            "last": origin["first"],
            "last_at": origin["first_at"],
            "digest": None,
            "count": origin["count"] - 1,
        }
    return origin | {"first": origin["last"], "first_at": origin["last_at"], "count": origin["count"] - 1}


def origin(facts, member):
    """Answer what is known of one origin, or None."""
    return next((one for one in origins(facts) if one["member"] == member), None)
