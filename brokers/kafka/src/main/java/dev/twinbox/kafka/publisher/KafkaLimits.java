package dev.twinbox.kafka.publisher;

import java.time.Duration;

/**
 * How long and how much a publisher lets wait.
 *
 * @param metadataTimeout how long a topic is looked for
 * @param confirmTimeout how long the client may keep a record without an acknowledgement
 * @param bytesPerTopic how many bytes of one topic the client may have, so that a topic that stands
 *     still does not fill its buffer
 */
record KafkaLimits(Duration metadataTimeout, Duration confirmTimeout, long bytesPerTopic) {}
