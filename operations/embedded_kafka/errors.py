"""What can go wrong with the embedded Kafka, grouped by what the caller must do.

SetupError
└── EmbeddedKafkaError            show the sentence, end with an error
    ├── ArchivesMissingError      get a network, or fill the archives folder by hand, then repeat
    ├── ArchivesAlteredError      delete the named archives folder, then repeat
    ├── KafkaStartError           read the named log file
    └── KafkaAlreadyRunningError  use the one that runs, or stop it first
"""

from casework.errors import SetupError


class EmbeddedKafkaError(SetupError):
    """Root of everything the embedded Kafka raises; its text is one sentence for the user."""


class ArchivesMissingError(EmbeddedKafkaError):
    """The Java archives are not in the cache and could not be downloaded."""


class ArchivesAlteredError(EmbeddedKafkaError):
    """An archive differs from the committed checksum."""


class KafkaStartError(EmbeddedKafkaError):
    """The broker ended, or did not answer, before it was ready."""


class KafkaAlreadyRunningError(EmbeddedKafkaError):
    """A broker that we started serves this directory already."""
