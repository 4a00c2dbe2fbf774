import aiokafka.errors
import kafka.errors
import pytest

from casework.errors import BadInputError, BugError, SetupError, TemporaryError
from connectors import errors
from connectors.kafka_errors import as_client_error, translated


@pytest.mark.parametrize(
    ("error", "group"),
    [
        (errors.DraftRefusedError, BadInputError),
        (errors.ReportRefusedError, BadInputError),
        (errors.NotConfirmedError, TemporaryError),
        (errors.NoReceiptError, TemporaryError),
        (errors.ExchangeUnreachableError, TemporaryError),
        (errors.AccessDeniedError, SetupError),
        (errors.TopicMissingError, SetupError),
        (errors.PositionsError, SetupError),
        (errors.PositionLostError, SetupError),
        (errors.StaleDirectoryError, SetupError),
        (errors.MisuseError, BugError),
    ],
)
def test_every_error_belongs_to_the_group_that_the_tree_shows(error: type, group: type) -> None:
    """A caller that handles groups handles the client's errors."""
    assert issubclass(error, errors.ClientError)
    assert issubclass(error, group)
    assert f"{error.__name__} " in (errors.__doc__ or "")


@pytest.mark.parametrize("library", [aiokafka.errors, kafka.errors])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TopicAuthorizationFailedError", errors.AccessDeniedError),
        ("GroupAuthorizationFailedError", errors.AccessDeniedError),
        ("UnknownTopicOrPartitionError", errors.TopicMissingError),
        ("OffsetOutOfRangeError", errors.PositionLostError),
        ("KafkaTimeoutError", errors.ExchangeUnreachableError),
        ("RequestTimedOutError", errors.ExchangeUnreachableError),
    ],
)
def test_errors_of_either_library_become_the_clients_own(library: object, name: str, expected: type) -> None:
    """Both Kafka libraries' classes of the same name mean the same to a caller."""
    error = getattr(library, name)
    made = error({"t": 0}) if name == "OffsetOutOfRangeError" else error()
    assert type(as_client_error(made, "topic-x")) is expected
    with pytest.raises(expected, match="topic-x"), translated("topic-x"):
        raise made
