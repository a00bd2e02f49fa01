package dev.twinbox.relay.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.relay.publish.Outcome;
import dev.twinbox.relay.publish.Outcome.Reason;
import java.util.stream.Stream;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownProducerIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class KafkaErrorsTest {
  static Stream<Arguments> table() {
    return Stream.of(
        Arguments.of(new RecordTooLargeException("m"), Outcome.Rejected.class, Reason.TOO_LARGE),
        Arguments.of(new InvalidRecordException("m"), Outcome.Rejected.class, Reason.MALFORMED),
        Arguments.of(new InvalidTimestampException("m"), Outcome.Rejected.class, Reason.MALFORMED),
        Arguments.of(
            new InvalidTopicException("m"), Outcome.Rejected.class, Reason.UNKNOWN_DESTINATION),
        Arguments.of(new RecordBatchTooLargeException("m"), Outcome.Failed.class, Reason.TOO_LARGE),
        Arguments.of(
            new UnknownTopicOrPartitionException("m"),
            Outcome.Unavailable.class,
            Reason.MISSING_DESTINATION),
        Arguments.of(
            new TopicAuthorizationException("m"), Outcome.Unavailable.class, Reason.NOT_AUTHORISED),
        Arguments.of(
            new ClusterAuthorizationException("m"),
            Outcome.Unavailable.class,
            Reason.NOT_AUTHORISED),
        Arguments.of(
            new SaslAuthenticationException("m"),
            Outcome.Unavailable.class,
            Reason.NOT_AUTHENTICATED),
        Arguments.of(
            new NotEnoughReplicasException("m"),
            Outcome.Unavailable.class,
            Reason.NOT_ENOUGH_REPLICAS),
        Arguments.of(
            new NotEnoughReplicasAfterAppendException("m"),
            Outcome.Unavailable.class,
            Reason.NOT_ENOUGH_REPLICAS),
        Arguments.of(new TimeoutException("m"), Outcome.Unavailable.class, Reason.UNREACHABLE),
        Arguments.of(new ProducerFencedException("m"), Outcome.Unknown.class, null),
        Arguments.of(new OutOfOrderSequenceException("m"), Outcome.Unknown.class, null),
        Arguments.of(new InvalidProducerEpochException("m"), Outcome.Unknown.class, null),
        Arguments.of(new UnknownProducerIdException("m"), Outcome.Unknown.class, null),
        Arguments.of(new NetworkException("m"), Outcome.Unknown.class, null),
        Arguments.of(new KafkaException("closed forcefully"), Outcome.Unknown.class, null));
  }

  @ParameterizedTest
  @MethodSource("table")
  void eachExceptionHasItsOutcome(Exception failure, Class<?> kind, Reason reason) {
    Outcome outcome = KafkaErrors.outcome(failure);

    assertThat(outcome).isInstanceOf(kind);
    assertThat(outcome.toString())
        .contains(failure.getMessage())
        .contains(reason == null ? "" : reason.name());
  }
}
