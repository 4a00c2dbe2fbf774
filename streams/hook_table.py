"""The private pieces of Faust, mode and aiokafka that this transport relies on, and why.

Module, qualified name, first 12 hex digits of the SHA-256 of the dedented source, what it is for us.
"""

from __future__ import annotations

from typing import Final

PIECES: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "faust.transport.consumer": {
        "Consumer.__init__": ("00f02908cf84", "its bookkeeping attributes are replaced after it ran"),
        "Consumer._drain_messages": ("8f35dd7a1114", "overridden: one await per fetch"),
        "Consumer.ack": ("5548cf0f7584", "overridden: the ordered tracker decides"),
        "Consumer.track_message": ("e43b88ec9355", "fills _unacked_messages when an agent takes a batch"),
        "Consumer.wait_empty": ("53195dca246c", "overridden: bounded"),
        "Consumer.perform_seek": ("2b4ceebd23de", "overridden: partitions without a commit are rewound too"),
        "Consumer.commit": (
            "e43a7d03685f",
            "overridden: serialised by a lock, so that a bound around it holds",
        ),
        "Consumer._commit_offsets": ("86b3e9b0aec7", "overridden: advances only on success"),
        "Consumer.stop_flow": ("aa77389dc23a", "called before a seek and before a revocation"),
        "Consumer.resume_flow": ("192f20bc377f", "called by Faust after perform_seek"),
        "Consumer.on_partitions_revoked": ("652177e770ee", "extended: waits and commits first"),
        "Consumer.on_partitions_assigned": ("c07feb1175f7", "extended: listeners first, errors stop"),
        "Consumer._commit_handler": ("71024925b06f", "commits at every interval"),
        "Consumer._commit_livelock_detector": (
            "5bbc8a85abf9",
            "calls verify_all_partitions_active, which is overridden",
        ),
        "Consumer._get_active_partitions": ("da41bc1e8d86", "says what is fetched"),
        "Consumer.on_stop": ("7accc1bf4f97", "calls wait_empty"),
        "ThreadDelegateConsumer._getmany": ("8dbffeccb0e3", "asks the consumer below"),
        "ThreadDelegateConsumer.__init__": (
            "eb97deeb86ee",
            "makes the consumer below by _new_consumer_thread",
        ),
        "Fetcher._fetcher": ("64ea6297f5a0", "runs _drain_messages"),
        "Fetcher.on_stop": ("3c196945b3af", "cancels _drain_messages"),
        "ConsumerThread.on_partitions_revoked": ("e10fd9e1e29f", "overridden: no thread to cross"),
        "ConsumerThread.on_partitions_assigned": ("972fe557e7f7", "overridden: likewise"),
    },
    "faust.transport.drivers.aiokafka": {
        "ConsumerRebalanceListener": ("f3d04f29dfb3", "calls the two above and sets consumer_generation_id"),
        "AIOKafkaConsumerThread.seek_to_committed": ("43907fc11636", "returns the committed offsets"),
        "AIOKafkaConsumerThread.seek_to_beginning": ("f36ff3bd14fc", "rewinds partitions without a commit"),
        "AIOKafkaConsumerThread._fetch_records": ("9e7369fc572d", "returns nothing while flow is stopped"),
        "AIOKafkaConsumerThread._create_worker_consumer": (
            "c179c0bdb975",
            "round-robin assignor without tables",
        ),
        "AIOKafkaConsumerThread.on_start": (
            "675d03707bbe",
            "extended: fetch limits are set before the first fetch",
        ),
        "Consumer._new_consumer_thread": ("8fd0d41b1514", "overridden: our thread"),
        "Producer._settings_extra": ("2b12df47f0a5", "overridden: acks=all, idempotent"),
        "Producer.on_start": ("a1601325eb84", "creates _producer"),
        "Producer.send": ("72f84e7a1b56", "extended: a failed send stops the process"),
        "credentials_to_aiokafka_auth": ("364c9c9c6852", "gives our own clients Faust's credentials"),
        "AIOKafkaConsumerThread.getmany": ("1b1c58046a9b", "asks _fetch_records by call_thread"),
        "AIOKafkaConsumerThread.on_thread_stop": (
            "cdbbe53230d2",
            "no longer called: on_stop closes the consumer",
        ),
    },
    "aiokafka.consumer.fetcher": {
        "Fetcher._get_actions_per_node": (
            "fd175a69d8d4",
            "replaced where all is common: which fetches and resets come next",
        ),
        "Fetcher._fetch_requests_routine": (
            "12dc901a1e4a",
            "carries the plan out; one fetch per broker at a time",
        ),
        "FetchResult.calculate_backoff": (
            "aeed7a095b62",
            "how long untaken records hold back the next fetch",
        ),
        "Fetcher._proc_fetch_request": ("ace04969424f", "reads _prefetch_backoff"),
        "Fetcher.fetched_records": ("e20ce0c8117f", "hands out what _records holds; drops paused partitions"),
        "FetchResult.check_assignment": (
            "2ffd6c1af9bc",
            "drops what is fetched of a paused partition, to be fetched again",
        ),
        "FetchResult.getall": ("b638929de343", "replaced: a damaged batch stops its own partition only"),
        "FetchResult._update_position": ("85766baa5d43", "called by it"),
        "PartitionRecords._consumer_record": ("56c3ee13f914", "replaced: makes lighter records"),
        "PartitionRecords._unpack_records": ("047f7fc3f005", "calls it"),
    },
    "aiokafka.consumer.subscription_state": {
        "Assignment.__init__": ("bdb18ecab3de", "a new object for each assignment, with the positions"),
        "TopicPartitionState.position": ("6cdf7097b864", "read without the call"),
    },
    "aiokafka.cluster": {
        "ClusterMetadata.update_metadata": ("ff38b965aeeb", "makes a new object of all leaders"),
    },
    "faust.tables.recovery": {
        "Recovery._resume_streams": ("fbe0f747b84c", "seeks, then resumes flow"),
    },
    "faust.app.base": {
        "App._on_partitions_revoked": ("c1abd58dcb37", "waits for wait_empty, clears the queues"),
        "App._on_partitions_assigned": ("c9c5485eb273", "starts _resume_streams"),
        "App._stop_consumer": ("96573acf5f04", "stops flow, then wait_empty"),
        "App._create_directories": ("11b6b0b79e31", "overridden: nothing is kept on disk"),
    },
    "faust.serializers.schemas": {
        "Schema.compile": ("bd271ec59690", "overridden: raw batches pass through"),
    },
    "mode.services": {
        "Service.crash": ("6e0b5672cd83", "sets _crashed, which run_apps watches"),
        "Service.start": ("eabea5b1c444", "what the above is taken back to"),
        "Service.stop": ("c7859eae93d2", "likewise"),
    },
    "aiokafka.consumer.consumer": {
        "AIOKafkaConsumer.seek_to_committed": ("9c20926f1712", "skips offset 0 and none"),
    },
    "aiokafka.client": {
        "AIOKafkaClient.fetch_all_metadata": ("fae96f64b07c", "partition counts, without subscribing"),
        "AIOKafkaClient.send": ("fb1726e3ed8e", "carries our produce requests"),
        "AIOKafkaClient.force_metadata_update": ("4b2453f58f83", "tells whether a broker answered"),
        "AIOKafkaClient._md_synchronizer": ("515db2ff324d", "ends for good when a request raises: watched"),
        "AIOKafkaClient._get_conn": ("1eaeaab22404", "a broker that cannot be reached is NodeNotReady"),
    },
    "aiokafka.consumer.group_coordinator": {
        "GroupCoordinator._on_join_prepare": ("620a6bbc6725", "commits are accepted"),
        "GroupCoordinator.reset_generation": ("3cb4a2490077", "marks a lost member"),
        "GroupCoordinator._do_heartbeat": (
            "5628cb32b3d2",
            "wrapped: does not know that a group can be loading",
        ),
        "GroupCoordinator._heartbeat_routine": ("a6c6710b8e4a", "ends when a heartbeat raises"),
        "GroupCoordinator._push_error_to_user": ("8dce53d5130d", "waits for check_errors, for ever"),
        "GroupCoordinator.check_errors": ("c67ee34a37d9", "called every second: Faust never does"),
        "GroupCoordinator.commit_offsets": ("67fb44337ca7", "repeats while brokers are away"),
        "GroupCoordinator._send_req": (
            "ca4ba17474e1",
            "wrapped: all answers of the coordinator pass here",
        ),
        "GroupCoordinator.request_rejoin": ("961f77b4398b", "called after an error of the group"),
    },
    "aiokafka.conn": {
        "AIOKafkaConnection.send": ("360d12e20e64", "wrapped: does not expect uvloop's RuntimeError"),
        "AIOKafkaConnection.close": ("7772fd3aee39", "called after it; wrapped: no TLS farewell"),
        "AIOKafkaConnection._handle_frame": ("aadf78abd43c", "what a response must offer"),
    },
    "aiokafka.record.default_records": {
        "_DefaultRecordBatchBuilderPy.append": (
            "746103a4106c",
            "None when the batch is full; its compiled twin does the work",
        ),
    },
    "mode.threads": {
        "ServiceThread.__init__": ("585a19094aad", "is given the app's loop as that of the thread"),
        "ServiceThread.start": ("ecd8f1bcf3ea", "taken back: no thread"),
        "ServiceThread.stop": ("22d5a8dad369", "likewise"),
        "ServiceThread.maybe_start": ("82fa49831e9c", "likewise"),
        "ServiceThread.crash": ("58ff0be29421", "likewise"),
        "ServiceThread.set_shutdown": ("7ee054a59dac", "likewise"),
        "ServiceThread._stopped_set": ("59ef3956d5b9", "likewise"),
        "ServiceThread._stop_children": ("98946a71fb2e", "likewise"),
        "ServiceThread._stop_futures": ("ad957fd969a2", "likewise"),
        "ServiceThread._stop_exit_stacks": ("14d43bcd0923", "likewise"),
        "QueueServiceThread.call_thread": ("d1304f73ca65", "overridden: calls at once"),
    },
}
