"""What an error of a send means: try again, refuse these records, or stop.

The numbers are Kafka's error codes (https://kafka.apache.org/protocol#protocol_error_codes). A send whose
outcome is unknown may be repeated: the producer is idempotent, and the broker knows a batch that it has.
"""

from __future__ import annotations

from typing import Final, Literal

from aiokafka import errors

Verdict = Literal["done", "again", "look_up", "one_by_one", "stop"]

_DUPLICATE: Final = 46

#: Will pass: an election, a broker that starts or stops, too few replicas in sync, a full or broken disk.
_TEMPORARY: Final = frozenset(
    {
        -1,  # UNKNOWN_SERVER_ERROR: whatever it was, repeating does no harm
        2,  # CORRUPT_MESSAGE: damaged on its way
        7,  # REQUEST_TIMED_OUT: the replicas did not confirm in time
        8,  # BROKER_NOT_AVAILABLE
        13,  # NETWORK_EXCEPTION
        14,  # COORDINATOR_LOAD_IN_PROGRESS
        15,  # COORDINATOR_NOT_AVAILABLE
        16,  # NOT_COORDINATOR
        19,  # NOT_ENOUGH_REPLICAS
        20,  # NOT_ENOUGH_REPLICAS_AFTER_APPEND
        51,  # CONCURRENT_TRANSACTIONS
        56,  # KAFKA_STORAGE_ERROR: disk full or log directory offline
        57,  # LOG_DIR_NOT_FOUND
        89,  # THROTTLING_QUOTA_EXCEEDED
    }
)
#: The batch may have been appended, although the answer is an error.
_IN_DOUBT: Final = frozenset({-1, 7, 13, 20, 56, 57})
#: The leader is elsewhere: ask for metadata, then try again.
_MOVED: Final = frozenset({5, 6, 9, 72, 74, 75})
#: True only when it stays so: brokers learn of topics and rights some seconds late.
_UNREACHABLE: Final = {3: "unknown_topic", 17: "unknown_topic", 29: "not_authorised"}
#: Says something about a record of the batch.
_BAD_RECORD: Final = {10: "too_large", 18: "too_large", 32: "invalid", 44: "invalid", 87: "invalid"}


def verdict_on(code: int) -> tuple[Verdict, str]:
    """Return what to do after an answer with an error code, and the reason if records get refused for it."""
    if code in (0, _DUPLICATE):
        return "done", ""
    if code in _TEMPORARY:
        return "again", ""
    if code in _MOVED:
        return "look_up", ""
    if code in _UNREACHABLE:
        return "look_up", _UNREACHABLE[code]
    if code in _BAD_RECORD:
        return "one_by_one", _BAD_RECORD[code]
    return "stop", ""


def verdict_on_error(error: Exception) -> tuple[Verdict, str]:
    """Return the same for an error raised on the way to the broker, where no answer came."""
    if isinstance(error, errors.BrokerResponseError):
        verdict, reason = verdict_on(error.errno)
        return ("look_up" if verdict == "again" else verdict), reason
    if isinstance(error, errors.KafkaError):
        passes = error.retriable or isinstance(error, errors.KafkaTimeoutError)
        return ("look_up" if passes else "stop"), ""
    return ("look_up" if isinstance(error, (OSError, TimeoutError)) else "stop"), ""


def leaves_doubt(outcome: int | Exception) -> bool:
    """Return whether the batch may have been appended after this error code, or this error on the way."""
    if isinstance(outcome, errors.BrokerResponseError):
        outcome = outcome.errno
    if isinstance(outcome, int):
        return outcome in _IN_DOUBT
    return not isinstance(outcome, errors.NodeNotReadyError)  # nothing left this process


def name_of(code: int) -> str:
    """Return the name of an error code."""
    return errors.for_code(code).__name__ if code in errors.kafka_errors else f"error {code}"
