"""The second line of defence for what must not be read: addresses and secrets in logs are hidden.

The first line is that our own code logs positions, counts and rules, and that errors never repeat a value.
Libraries do not keep to that: they put records, connection strings and addresses into messages and
exceptions. A pattern cannot know free text; everything else that must not be read is caught here. Hiding too
much costs a reader less than hiding too little: what follows an address up to the next space goes with it.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final

ADDRESS: Final = "[address]"
SECRET: Final = "[secret]"  # noqa: S105 - what stands in its place
HIDDEN: Final = "[hidden]"
LONGEST: Final = 32 * 1024
"""Characters of one text that are looked at and written: a line is for people, and its cost has a bound."""
_DEEPEST: Final = 6
_MOST: Final = 200

_COLON: Final = r"(?::|%(?:25)*3a|\\u003a|&#(?:0*58|x0*3a);|&colon;|\[:\]|\(:\))"
_SLASH: Final = r"(?:\\?[/\\]|%(?:25)*2f|%(?:25)*5c|\\u00[25][fc]|&#(?:0*47|x0*2f);|&sol;)"
_DOT: Final = r"(?:\.|%(?:25)*2e|[\[({]\.[\])}]|[\[({]dot[\])}])"
_LABEL: Final = r"[\w-]{1,63}"
_HOST: Final = rf"(?:{_LABEL}{_DOT}){{1,12}}[^\W\d_][\w-]{{1,62}}"
_SCHEMES: Final = (
    r"(?:https?|h[x*t]{2}ps?|ftps?|wss?|magnet|mailto|ipfs|ipns|blob|ed2k|freenet|javascript|data"
    r"|gemini|gopher)"
)
# No topic, module or file of ours ends so; countries' endings do (escalations.nl).
_ENDINGS: Final = (
    r"(?:com|net|org|info|biz|onion|i2p|xyz|top|online|club|shop|xxx|porn|sex|adult|cam|pics"
    r"|example|invalid|test)"
)

_PEM: Final = re.compile(r"-----BEGIN [^-\n]{1,60}-----.*?(?:-----END [^-\n]{1,60}-----|\Z)", re.DOTALL)
_BYTES: Final = re.compile(r"""\bb(?:'(?:[^'\\]|\\.){9,}(?:'|\Z)|"(?:[^"\\]|\\.){9,}(?:"|\Z))""", re.DOTALL)
_JWK: Final = re.compile(r"""(\\?["'](?:d|p|q|dp|dq|qi|k)\\?["']\s*:\s*\\?["'])[A-Za-z0-9_-]*""")
_ASSIGNED: Final = re.compile(
    r"""((?:password|passwd|secret|token|authorization|api_?key|private_?key|cookie)\\?["']?\s*)"""
    r"""(?:=\s*(?:"[^"]*"|'[^']*'|\S+)|:\s*(?:bearer|basic)\s+\S+|:\s*(?:"[^"]*"|'[^']*'))""",
    re.IGNORECASE,
)
_ADDRESSES: Final = re.compile(
    "|".join(
        (
            rf"(?:[a-z][a-z0-9+.\-]{{0,30}})?{_COLON}\s?{_SLASH}{{2}}\S*",
            rf"\b{_SCHEMES}{_COLON}\S+",
            r"(?<![:\w/\\.])//[^\s/]\S*",
            rf"\bwww\d?{_DOT}\S+",
            rf"[^\s@<>()\"',;=]{{1,64}}@(?:{_LABEL}{_DOT}){{1,12}}[\w-]{{1,63}}(?:[/:?#]\S*)?",
            rf"(?<![\w/-]){_HOST}(?::\d{{1,5}})?[/?#]\S*",
        )
    ),
    re.IGNORECASE,
)
_BARE_HOST: Final = re.compile(
    rf"(?<![\w-])(?:{_LABEL}{_DOT}){{1,12}}{_ENDINGS}(?![\w-])(?!\.\w)(?::\d{{1,5}}(?!\d))?", re.IGNORECASE
)
_IPV4: Final = re.compile(r"(?<!\d)(?:\d{1,3}\.){3}\d{1,3}(?!\d)(?::\d{1,5}(?!\d))?(?:[/?#]\S*)?")
_IPV6: Final = re.compile(
    r"(?<![0-9a-z:])[0-9a-f:]{2,39}:[0-9a-f.:]{0,15}(?:%\w{1,16})?(?![0-9a-z:])", re.IGNORECASE
)
_LONG_HEX: Final = re.compile(r"[0-9A-Fa-f]{64,}")
_LONG_TEXT: Final = re.compile(r"(?:[A-Za-z0-9_-]{43,}|[A-Za-z0-9+/]{43,})={0,2}")

_READABLE: Final[Mapping[str, re.Pattern[str]]] = {
    **dict.fromkeys(
        ("event_id", "case_id", "report_event_id", "receipt_id", "delivery_id", "escalation_id"),
        re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ),
    **dict.fromkeys(("key_id", "kid"), re.compile(r"[A-Za-z0-9_-]{43}")),
    "url_key": re.compile(r"[0-9a-f]{66}"),
}
"""Fields that stay as they are while they have their form: ids of ours, ids of public keys, and url keys,
which tell nothing without the network key."""
_OWN_FIELDS: Final = frozenset({"timestamp", "level", "logger"})
_HIDDEN_FIELDS: Final = frozenset(
    {
        # Of content; named here because programs with only a transport load no messages.
        *("url", "hosting_ip", "hosting_provider", "hosting_asn", "referrer", "username", "password"),
        *("website_name", "page_title", "note", "note_language", "source_page", "sibling_items"),
        *("police_reference", "police_unit", "new_url", "credentials", "credentials_key"),
        *("token", "secret", "private_key", "authorization", "content", "address", "network_key"),
        *("d", "k", "ip", "value", "statement", "submission", "document"),
    }
)


def redact(text: str, keep: Iterable[str] = ()) -> str:
    """Answer a text without addresses and secrets.

    Hidden are: URLs of any scheme, also escaped, defanged or without a scheme; host names with a path or a
    common ending; IP addresses but those of this machine; e-mail addresses; PEM blocks, private parts of
    JWKs, passwords as settings show them; binary values; 64 hexadecimal digits and more, 43 characters of
    base64 and more with letters of both cases (32 bytes).

    Args:
        text: What would be written; of more than 32 KiB of characters the rest is left out.
        keep: Hosts that stay readable with or without a port, as those of the own brokers.
    """
    kept = frozenset(keep)
    if len(text) > LONGEST:
        # Back to a space: half a secret would not be known for one.
        text = f"{text[:LONGEST].rpartition(' ')[0]} [{len(text)} characters in all]"
    text = _BYTES.sub("[bytes]", text)
    text = _PEM.sub(SECRET, text)
    text = _JWK.sub(rf"\1{SECRET}", text)
    text = _ASSIGNED.sub(rf"\1={SECRET}", text)
    text = _ADDRESSES.sub(_unless(kept), text)
    text = _BARE_HOST.sub(_unless(kept), text)
    text = _IPV4.sub(_ip(kept), text)
    text = _IPV6.sub(_ip(kept), text)
    text = _LONG_HEX.sub(SECRET, text)
    return _LONG_TEXT.sub(_if_random, text)


def redact_value(  # noqa: PLR0911 - one way out for each kind of value
    value: object, keep: Iterable[str] = (), depth: int = 0
) -> object:
    """Answer a value of a log event without addresses and secrets, whatever lies in it.

    Numbers stay; binary values are told by their length; what is no plain value is shown as it represents
    itself, redacted.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact(value, keep)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth < _DEEPEST and isinstance(value, Mapping):
        items = list(value.items())[:_MOST]
        return {redact(str(key), keep): _of_field(str(key), inner, keep, depth + 1) for key, inner in items}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [redact_value(inner, keep, depth + 1) for inner in list(value)[:_MOST]]
    try:
        return redact(repr(value), keep)
    except Exception:  # noqa: BLE001 - whatever a foreign object does, its line is written
        return f"[{type(value).__name__}]"


class Redaction:
    """A processor of structlog: comes after exceptions were formatted and before anything is rendered.

    Args:
        keep: Hosts that stay readable.
    """

    def __init__(self, keep: Iterable[str] = ()) -> None:
        self._keep = frozenset(keep)

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Redact every value of an event, and every name."""
        for name in list(event):
            if name.startswith("_") or (name in _OWN_FIELDS and isinstance(event[name], str)):
                continue
            value = _of_field(name, event.pop(name), self._keep, 0)
            event[redact(name, self._keep)] = value
        return event


def _of_field(name: str, value: object, keep: Iterable[str], depth: int) -> object:
    form = _READABLE.get(name)
    if form is not None and isinstance(value, str) and form.fullmatch(value):
        return value
    if name in _HIDDEN_FIELDS and value is not None:
        return HIDDEN
    return redact_value(value, keep, depth)


def _unless(keep: frozenset[str]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        return match[0] if _host_of(match[0]) in keep else ADDRESS

    return replace


def _host_of(text: str) -> str:
    host, colon, port = text.rpartition(":")
    return host if colon and port.isdigit() else text


def _ip(keep: frozenset[str]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        text = match[0]
        if text in keep or _host_of(text) in keep:
            return text
        for candidate in (text, _host_of(text), re.split(r"[/?#:]", text, maxsplit=1)[0]):
            try:
                found = ipaddress.ip_address(candidate)
            except ValueError:
                continue
            harmless = candidate in {text, _host_of(text)} and (found.is_loopback or found.is_unspecified)
            return text if harmless else ADDRESS
        return text

    return replace


def _if_random(match: re.Match[str]) -> str:
    """Answer a mark for what looks drawn by chance; names of functions and paths have one case."""
    text = match[0]
    return text if text.lower() == text or text.upper() == text else SECRET
