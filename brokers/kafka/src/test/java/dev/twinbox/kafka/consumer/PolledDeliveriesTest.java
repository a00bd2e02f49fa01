package dev.twinbox.kafka.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.inbox.Receipt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of records that were taken ahead. */
@Timeout(30)
class PolledDeliveriesTest {
  private static final TopicPartition PARTITION = new TopicPartition("orders", 0);
  private static final Receipt PROCESSED = new Receipt.Processed();
  private static final Receipt FAILED =
      new Receipt.Failed(1, Duration.ofMillis(1), new IllegalStateException("No stock"));

  private int begun;
  private int settled;

  @Test
  void whatWasTakenAheadOfAFailedRecordComesAfterIt() throws Exception {
    PolledRecords polled = polled(/* mayOvertake= */ false);
    PolledDeliveries deliveries = begin(polled);
    deliveries.next();
    deliveries.next();

    deliveries.received(FAILED);

    assertThat(progress(polled)).isZero();
    assertThat(polled.isWorking()).isFalse();
    assertThat(deliveries.undecided()).isEmpty();
    assertThat(rest(polled)).containsExactly("0 again", "1", "2");
  }

  @Test
  void whereRecordsMayOvertakeThoseTakenAheadGoOn() throws Exception {
    PolledRecords polled = polled(/* mayOvertake= */ true);
    PolledDeliveries deliveries = begin(polled);
    deliveries.next();
    deliveries.next();

    deliveries.received(FAILED);

    assertThat(polled.isWorking()).isFalse();
    assertThat(rest(polled)).containsExactlyInAnyOrder("0 again", "1", "2").contains("1");
  }

  @Test
  void eachRecordIsSettledByItself() throws Exception {
    PolledRecords polled = polled(/* mayOvertake= */ false);
    PolledDeliveries deliveries = begin(polled);
    deliveries.next();
    deliveries.next();

    deliveries.received(PROCESSED);

    assertThat(progress(polled)).isEqualTo(1);
    assertThat(polled.isWorking()).isTrue();
    assertThat(begun).isEqualTo(2);
    assertThat(settled).isEqualTo(1);
    deliveries.received(PROCESSED);
    assertThat(progress(polled)).isEqualTo(2);
    assertThat(polled.isWorking()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void inAnOutageEverythingTakenWaitsInItsOrder(boolean mayOvertake) throws Exception {
    PolledRecords polled = polled(mayOvertake);
    PolledDeliveries deliveries = begin(polled);
    deliveries.next();
    deliveries.next();

    polled.putBack(deliveries.undecided(), Duration.ofMillis(1));

    assertThat(deliveries.next()).isNull();
    assertThat(polled.isWorking()).isFalse();
    assertThat(rest(polled)).containsExactly("0", "1", "2");
  }

  @Test
  void whoIsClosingTakesNothingMore() throws Exception {
    PolledRecords polled = polled(/* mayOvertake= */ false);
    PolledDeliveries deliveries = begin(polled);
    deliveries.next();

    polled.close();

    assertThat(deliveries.next()).isNull();
  }

  @Test
  void aPartitionThatIsLeftIsLeftAfterWhatWasTakenOfIt() throws Exception {
    PolledRecords polled = polled(/* mayOvertake= */ false);
    PolledDeliveries deliveries = begin(polled);
    deliveries.next();
    deliveries.next();

    assertThat(polled.finish(List.of(PARTITION), Duration.ofMillis(10))).isFalse();
    deliveries.received(PROCESSED);
    assertThat(polled.finish(List.of(PARTITION), Duration.ofMillis(10))).isFalse();
    assertThat(deliveries.next()).isNull();
    deliveries.received(PROCESSED);

    assertThat(polled.finish(List.of(PARTITION), Duration.ofMillis(10))).isTrue();
    assertThat(progress(polled)).isEqualTo(2);
  }

  private static PolledRecords polled(boolean mayOvertake) {
    PolledRecords polled = new PolledRecords(1, mayOvertake);
    polled.assigned(List.of(PARTITION));
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (int offset = 0; offset < 3; offset++) {
      records.add(new ConsumerRecord<>("orders", 0, offset, new byte[0], new byte[0]));
    }
    polled.add(PARTITION, records);
    return polled;
  }

  private PolledDeliveries begin(PolledRecords polled) throws InterruptedException {
    return new PolledDeliveries(polled, polled.take(), () -> begun++, () -> settled++);
  }

  private static long progress(PolledRecords polled) {
    OffsetAndMetadata reached = polled.progress().get(PARTITION);
    return reached == null ? 0 : reached.offset();
  }

  private static List<String> rest(PolledRecords polled) throws InterruptedException {
    List<String> rest = new ArrayList<>();
    while (rest.size() < 3) {
      for (BufferedRecord record : polled.take()) {
        rest.add(record.offset() + (record.retry() ? " again" : ""));
        polled.settle(List.of(record), List.of(PROCESSED));
      }
    }
    return rest;
  }
}
