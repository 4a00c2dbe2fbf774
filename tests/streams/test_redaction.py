import base64
import io
import json
import logging
import string
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from agents import logs
from casework.messages import ActionContent, ReportContent
from operations.log_file import logging_to
from streams.last_resort import let_last_resort_write
from streams.redacted_logs import RedactingFormatter, redact_uncaught, text_of
from streams.redaction import _HIDDEN_FIELDS, HIDDEN, LONGEST, redact, redact_value

MARK = "canary7f3a"
_SCHEMES = st.sampled_from(
    ["http", "https", "HTTPS", "hxxps", "ftp", "ws", "gemini", "x-any+thing", "magnet"]
)
_COLONS = st.sampled_from([":", "[:]", "%3A", "%253a", "\\u003a", "&#58;"])
_SLASHES = st.sampled_from(["//", "\\/\\/", "%2F%2f", "\\u002f\\u002f", "\\\\"])
_DOTS = st.sampled_from([".", "[.]", "(.)", "[dot]", "%2e"])
_PATHS = st.text(
    string.ascii_letters + string.digits + "/?#&=%~_-.,;:!'()*@+$[]\"|<>{}^`é\u200b", max_size=30
)
_WORDS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)


@st.composite
def _addresses(draw: st.DrawFn) -> str:  # noqa: PLR0911 - one way out for each form
    """An address with the mark in it somewhere, in one of the forms in which people and machines write it."""
    form = draw(st.integers(0, 7))
    path = draw(_PATHS)
    dot = draw(_DOTS)
    if form == 0:
        return f"{draw(_SCHEMES)}{draw(_COLONS)}{draw(_SLASHES)}{MARK}{dot}example{path}"
    if form == 1:
        return f"https://host.example:8443/{path}{MARK}{path}"
    if form == 2:
        return f"www{dot}{MARK}{dot}nl{path}"
    if form == 3:
        return f"{MARK}{dot}nl/{path}"
    if form == 4:
        return f"{MARK}{draw(st.sampled_from(['.com', '.onion', '.example', '.net:8080']))}"
    if form == 5:
        return f"user{MARK}@mail.example/{path}"
    if form == 6:
        return f"203.0.113.{draw(st.integers(0, 255))}/{MARK}{path}"
    return f"//{MARK}.host/{path}"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Send all logging into a text and put everything back afterwards."""
    root = logging.getLogger()
    before = (root.handlers, root.level, sys.excepthook, threading.excepthook, sys.unraisablehook)
    levels = {name: logging.getLogger(name).level for name in ("aiokafka", "faust", "mode", "kafka")}
    stream = io.StringIO()
    logs.set_up(stream=stream, keep=["kafka.example.org"])
    yield stream
    root.handlers, root.level, sys.excepthook, threading.excepthook, sys.unraisablehook = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@given(before=_WORDS, address=_addresses(), after=_WORDS)
@example(before="'", address=f"https://{MARK}.example/'", after="'")
def test_no_text_brings_an_address_through(before: str, address: str, after: str) -> None:
    """Whatever stands around an address on the line, nothing of it is left."""
    assert MARK not in redact(f"{before} {address} {after}")
    assert MARK not in redact(f"{before} ({address}) {after}")
    assert MARK not in str(redact_value({"a": [{"b": (address, {before: f"'{address}'"})}]}))


@given(address=_addresses(), text=_WORDS)
def test_no_handler_lets_an_address_out(address: str, text: str) -> None:
    """Messages, arguments, fields, chained causes and notes: by no way does an address reach a line."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level, hooks = root.handlers, root.level, (sys.excepthook, threading.excepthook)
    try:
        logs.set_up(stream=stream)
        _log_everywhere(address, text)
    finally:
        root.handlers, root.level = before, level
        sys.excepthook, threading.excepthook = hooks
        sys.unraisablehook = sys.__unraisablehook__
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
    assert stream.getvalue().count("\n") == 5
    assert MARK not in stream.getvalue()


def _log_everywhere(address: str, text: str) -> None:
    log = logging.getLogger("some.library")
    structured = structlog.get_logger("ours")
    try:
        try:
            _raise(ValueError(f"{text} {address}"))
        except ValueError as cause:
            cause.add_note(f"while opening {address}")
            raise RuntimeError("failed at", address, {"url": address}) from cause
    except RuntimeError as error:
        log.exception("could not: %r", error)  # noqa: TRY401 - what libraries do
        structured.exception("could not", where=address, error=error)
        group = ExceptionGroup(f"several {address}", [error])
        log.warning("retry", exc_info=group)
    log.warning("%s and %s", {"record": [address]}, f"{address} ".encode())
    structured.warning(f"at {address}", nested={"list": [{"key": (address,)}], address: 1})


@given(st.binary(min_size=32, max_size=64), st.sampled_from(["", "-", "_"]))
def test_no_secret_of_32_bytes_is_written(raw: bytes, sign: str) -> None:
    """Keys in hexadecimal, in base64 of both kinds, as bytes, in a JWK or PEM block are hidden."""
    texts = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    for text in texts:
        if text.lower() != text and text.upper() != text:
            assert text[:12] not in redact(f"key {sign} {text}.")
        assert text not in redact(f'{{"kty":"OKP","d":"{text}","crv":"X25519"}}')
        assert text not in redact(f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY----- behind")
        assert text not in redact(f"sasl_plain_password={text} sasl_plain_password='{text}'")
    assert raw.hex() not in redact(f"key={raw.hex()}")
    assert repr(raw)[2:-1] not in redact(f"ConsumerRecord(value={raw!r}, key=None)")


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_an_ip_address_is_hidden_unless_it_is_this_machine(address: object) -> None:
    """IP addresses of hosts of material are hidden, those of this machine tell nothing."""
    is_own = address.is_loopback or address.is_unspecified  # type: ignore[attr-defined]
    assert (str(address) in redact(f"host {address} answers")) == is_own
    assert is_own or f"{address}/a" not in redact(f"host {address}/a answers")


@pytest.mark.parametrize(
    "text",
    [
        "reports.submitted[3]@77 could not be judged: UndecodableError",
        "2026-11-28 15:21:43,123 WARNING aiokafka.consumer.fetcher 12:30:45",
        'File "/usr/lib/python3.11/site-packages/aiokafka/consumer/group_coordinator.py", line 7, in get',
        "019e3a52-7d6c-7abc-8def-0123456789ab for escalations.nl and inbox.nl-offlimits",
        "Connect call failed ('127.0.0.1', 9092)",
        "kafka_password: expected file:PATH, env:NAME or command:WORDS",
        "a line of test_a_long_name_of_a_function_in_lower_case_letters_only_with_digits_12 // here",
        "content_protection: the directory requires sealed content (clear_content)",
    ],
)
def test_what_operators_need_stays_readable(text: str) -> None:
    """Places, times, code, ids, topics and rules are no addresses and no secrets."""
    assert redact(text) == text


def test_own_brokers_and_ids_stay_readable(lines: io.StringIO) -> None:
    """The hosts of the settings, event ids, case ids, key ids and url keys are kept in their own fields."""
    ids = {"event_id": "019e3a52-7d6c-7abc-8def-0123456789ab", "key_id": "A" * 20 + "b" * 23}
    ids["url_key"] = "01" + "ab" * 32
    structlog.get_logger("x").warning("no kafka.example.org:9092 nor kafka.example.net:9092", **ids)
    event = json.loads(lines.getvalue())
    assert event["event"] == "no kafka.example.org:9092 nor [address]"
    assert {name: event[name] for name in ids} == ids


def test_fields_that_hold_content_are_hidden_by_their_name(lines: io.StringIO) -> None:
    """Free text has no pattern, so the fields of content and of secrets are hidden whatever they hold."""
    structlog.get_logger("x").warning(
        "seen", note="a quiet word", inner={"password": "word", "d": "x"}, url_key=5
    )
    event = json.loads(lines.getvalue())
    assert (event["note"], event["inner"], event["url_key"]) == (HIDDEN, {"password": HIDDEN, "d": HIDDEN}, 5)


def test_every_field_of_content_is_hidden_by_its_name() -> None:
    """A field that is added to content is added to the list."""
    fields = {*ReportContent.__struct_fields__, *ActionContent.__struct_fields__}
    assert fields <= _HIDDEN_FIELDS


def test_a_long_text_is_cut_at_a_space() -> None:
    """A line has a bound, and half a secret at the cut is not written."""
    text = redact("word " * (LONGEST // 5) + "Ab3" * LONGEST)
    assert len(text) < LONGEST + 100
    assert "Ab3" not in text
    assert "Ab3" not in redact("Ab3" * LONGEST)


def test_a_line_that_does_not_fit_its_arguments_tells_no_value(
    lines: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python prints the arguments of a broken message to stderr; our handlers do not."""
    logging.getLogger().handlers[0].handle(
        logging.LogRecord("lib", logging.WARNING, "", 0, "%d of them", (MARK,), None)
    )
    assert "could not be written: TypeError" in capsys.readouterr().err
    assert MARK not in lines.getvalue()


def test_files_of_commands_are_redacted_and_private(tmp_path: Path) -> None:
    """The log file of demo and chaos holds no address either, and only its owner may read it."""
    with logging_to(tmp_path / "demo.log"):
        logging.getLogger("lib").warning(
            "at %s", f"https://{MARK}.example/", exc_info=ValueError(f"{MARK}.com")
        )
    assert MARK not in (tmp_path / "demo.log").read_text()
    assert "ValueError" in (tmp_path / "demo.log").read_text()
    assert (tmp_path / "demo.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("lines")
def test_what_python_prints_by_itself_is_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    """Errors nobody caught, in any thread or in a finaliser, and the logging of last resort."""
    redact_uncaught()
    error = ValueError(f"https://{MARK}.example/")
    sys.excepthook(ValueError, error, None)
    thread = threading.Thread(target=_raise, args=[error])
    thread.start()
    thread.join()
    sys.unraisablehook(type("U", (), {"exc_value": error, "object": None, "err_msg": None})())  # type: ignore[arg-type]
    let_last_resort_write()
    record = logging.LogRecord("x", logging.ERROR, "", 0, f"{MARK}.com", (), (ValueError, error, None))
    assert logging.lastResort is not None
    logging.lastResort.handle(record)
    printed = capsys.readouterr().err
    assert printed.count("ValueError") >= 4
    assert MARK not in printed


def _raise(error: Exception) -> None:
    raise error


def test_a_traceback_holds_no_values_of_variables() -> None:
    """A local variable may be a whole record."""
    with pytest.raises(ValueError, match="of nothing") as caught:
        _raise_beside("a quiet word", ValueError("of nothing"))
    assert "a quiet word" not in text_of(caught.value).replace('_raise_beside("a quiet word"', "")
    assert "in _raise_beside" in text_of(caught.value)


def _raise_beside(free_text: str, error: Exception) -> None:
    assert free_text
    raise error


class _Hostile:
    def __repr__(self) -> str:
        raise RuntimeError(MARK)


def test_an_object_that_cannot_show_itself_does_not_stop_a_line() -> None:
    """Its kind is written instead."""
    assert redact_value(_Hostile()) == "[_Hostile]"


def test_the_formatter_serves_programs_of_members_too() -> None:
    """One line sets it up for a program with handlers of its own."""
    record = logging.LogRecord("x", logging.ERROR, "", 0, "%s", (f"https://{MARK}.example",), None)
    assert RedactingFormatter().format(record) == "[address]"
