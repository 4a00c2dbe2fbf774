"""The canonical form of an address, from which its url key is made.

Two addresses get one form only where the WHATWG URL standard says that every browser goes to the same place.
A false merge could hide one place behind another; a false split only costs a second look. So the standard's
own work is done and nothing beyond it:

done: scheme and host in lower case, IDNA to ASCII, default port dropped, `.` and `..` resolved, backslashes
    read as slashes, characters percent-encoded where the standard requires it, IPv4 spelt in one way.
done beyond the parser: an empty fragment goes, and so does a fragment directive (`:~:text=`), which only
    scrolls and never reaches a page; every other fragment stays, because pages written in JavaScript show
    different things for it. A password goes, because it opens a place and does not name one; the user
    name stays, because on FTP it selects the directory.
not done: no folding of case in path or query, no sorting or dropping of parameters (tracking ones may be
    tokens), no added or removed trailing slash, no `index.html`, no `www.`, no decoding of `%7E`, no http
    taken for https, no empty `?` dropped, no following of redirects.
refused: what the parser would silently repair or what is no place: control characters (it deletes tabs
    and line ends), other schemes, no host, more than `MAX_URL_BYTES`, and text that is not an address at all.

The literal address travels in the sealed content; the canonical form serves as input of the key only.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

import ada_url

from casework.errors import BadInputError, RuleViolation

# RFC 9110 section 4.1 asks every system to support at least 8000 octets; longer ones are no addresses in use.
MAX_URL_BYTES: Final = 8192
SCHEMES: Final = ("http", "https", "ftp")
DIRECTIVE: Final = ":~:"

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST_GIVEN: Final = re.compile(r"[A-Za-z]+:[/\\]*[^/\\?#]")
_MUST_BEGIN: Final = f"must begin with one of {', '.join(SCHEMES)}, and a colon"


def _no_control_characters(text: str) -> bool:
    # What is printable holds none; the rest is looked at one by one.
    return text.isprintable() or not any(
        unicodedata.category(character) in {"Cc", "Cs"} for character in text
    )


def _known_scheme(text: str) -> bool:
    scheme = _SCHEME.match(text)
    return scheme is not None and scheme[1].lower() in SCHEMES


# In this order: a later rule may rely on the earlier ones.
_RULES: Final[tuple[tuple[str, str, Callable[[str], object]], ...]] = (
    ("missing", "must be an address", bool),
    ("control_character", "must not contain control characters", _no_control_characters),
    ("too_long", f"must be at most {MAX_URL_BYTES} bytes", lambda text: len(text.encode()) <= MAX_URL_BYTES),
    ("not_an_address", _MUST_BEGIN, _SCHEME.match),
    ("unknown_scheme", _MUST_BEGIN, _known_scheme),
    ("no_host", "must name a host", _HOST_GIVEN.match),
    ("malformed", "must be a valid address by the WHATWG URL standard", ada_url.check_url),
)


def canonical_url(url: str, field: str = "url") -> str:
    """Answer the canonical form of an address.

    Raises:
        BadInputError: It is no address the exchange can act on; the violation names `field` and the rule
            and never repeats the address.
    """
    violation = check_url(url, field)
    if violation is not None:
        raise BadInputError(violation)
    parsed = ada_url.URL(url)
    parsed.password = ""
    return _without_directive(str(parsed.href))


def check_url(url: str, field: str = "url") -> RuleViolation | None:
    """Answer the first rule that an address breaks, or None when it has a canonical form."""
    text = url.strip(" ")
    for rule, message, holds in _RULES:
        if not holds(text):
            return RuleViolation(field, rule, message)
    return None


def host_of(canonical: str) -> str:
    """Answer the host of a canonical address, without port."""
    return str(ada_url.URL(canonical).hostname)


def is_onion(host: str) -> bool:
    """Answer whether a host is a Tor onion service; gateways such as `onion.example` are ordinary hosts."""
    return host.lower().rstrip(".").endswith(".onion")


def _without_directive(href: str) -> str:
    place, _, fragment = href.partition("#")
    fragment = fragment.partition(DIRECTIVE)[0]
    return f"{place}#{fragment}" if fragment else place
