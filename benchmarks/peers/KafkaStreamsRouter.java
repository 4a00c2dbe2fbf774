import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * The yardstick on Kafka Streams with one thread: generic Avro in Confluent framing, at least once.
 * Arguments: BOOTSTRAP GROUP SOURCE DESTINATION-PREFIX SCHEMA-FILE STATE-FOLDER COUNTRIES(comma separated).
 */
public final class KafkaStreamsRouter {
    private static final byte[] HEADER = {0, 0, 0, 0, 7};

    public static void main(String[] args) throws IOException, InterruptedException {
        Schema schema = new Schema.Parser().parse(Files.readString(Path.of(args[4])));
        Map<String, String> topics = new HashMap<>();
        for (String country : args[6].split(",")) {
            topics.put(country, args[3] + country.toLowerCase());
        }
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[1]);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, args[5]);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 500);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 256 * 1024);

        Serde<GenericRecord> values = Serdes.serdeFrom(
            (topic, record) -> encode(schema, record), (topic, bytes) -> decode(schema, bytes));
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(args[2], Consumed.with(Serdes.ByteArray(), values))
            .mapValues(record -> {
                record.put("routed_to", topics.get(record.get("hosting_country").toString()));
                return record;
            })
            .to((key, record, context) -> record.get("routed_to").toString(),
                Produced.with(Serdes.ByteArray(), values));

        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close();
            stopped.countDown();
        }));
        streams.start();
        stopped.await();
    }

    private static final ThreadLocal<ByteArrayOutputStream> BUFFER =
        ThreadLocal.withInitial(() -> new ByteArrayOutputStream(512));
    private static GenericDatumReader<GenericRecord> reader;
    private static GenericDatumWriter<GenericRecord> writer;
    private static BinaryDecoder decoder;
    private static BinaryEncoder encoder;

    private static GenericRecord decode(Schema schema, byte[] framed) {
        try {
            if (reader == null) {
                reader = new GenericDatumReader<>(schema);
            }
            decoder = DecoderFactory.get().binaryDecoder(framed, HEADER.length, framed.length - HEADER.length, decoder);
            return reader.read(null, decoder);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static byte[] encode(Schema schema, GenericRecord record) {
        try {
            if (writer == null) {
                writer = new GenericDatumWriter<>(schema);
            }
            ByteArrayOutputStream buffer = BUFFER.get();
            buffer.reset();
            buffer.write(HEADER);
            encoder = EncoderFactory.get().binaryEncoder(buffer, encoder);
            writer.write(record, encoder);
            encoder.flush();
            return buffer.toByteArray();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
