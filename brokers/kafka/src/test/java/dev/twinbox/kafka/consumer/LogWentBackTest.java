package dev.twinbox.kafka.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.inbox.Receipt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A partition whose log is cut off, as by an unclean election, while records of it are in hand. */
class LogWentBackTest {
  private static final TopicPartition PARTITION = new TopicPartition("orders", 0);
  private static final Receipt PROCESSED = new Receipt.Processed();
  private static final Receipt FAILED =
      new Receipt.Failed(1, Duration.ZERO, new IllegalStateException("Not yet"));

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theCommittedOffsetGoesBackToo(boolean mayOvertake) throws Exception {
    PolledRecords polled = polled(mayOvertake);
    add(polled, 100, 10);
    settle(polled, polled.take(), PROCESSED);
    assertThat(progress(polled)).isEqualTo(110);

    add(polled, 40, 5);
    assertThat(polled.progress()).isEmpty();
    settle(polled, polled.take(), PROCESSED);

    assertThat(progress(polled)).isEqualTo(45);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aBatchInHandCountsForTheLogItCameFrom(boolean mayOvertake) throws Exception {
    PolledRecords polled = polled(mayOvertake);
    add(polled, 100, 10);
    List<BufferedRecord> inWork = polled.take();
    add(polled, 40, 5);

    settle(polled, inWork, PROCESSED);
    assertThat(polled.progress()).isEmpty();

    settle(polled, polled.take(), PROCESSED);
    assertThat(progress(polled)).isEqualTo(45);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFailedRecordOfTheLogBeforeIsStillTriedAgainAndHoldsNothingBack(boolean mayOvertake)
      throws Exception {
    PolledRecords polled = polled(mayOvertake);
    add(polled, 42, 1);
    settle(polled, polled.take(), FAILED);
    add(polled, 40, 5);

    settle(polled, polled.take(), FAILED);
    List<BufferedRecord> again = polled.take();
    assertThat(again).extracting(BufferedRecord::offset).containsExactly(42L);
    settle(polled, again, PROCESSED);
    List<BufferedRecord> anew = polled.take();
    settle(polled, anew.subList(0, 3), PROCESSED);
    settle(polled, anew.subList(3, 4), FAILED);
    settle(polled, anew.subList(4, 5), PROCESSED);

    assertThat(progress(polled)).isEqualTo(mayOvertake ? 43 : 45);
  }

  private static PolledRecords polled(boolean mayOvertake) {
    PolledRecords polled = new PolledRecords(10, mayOvertake);
    polled.assigned(List.of(PARTITION));
    return polled;
  }

  private static void add(PolledRecords polled, long from, int count) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (long offset = from; offset < from + count; offset++) {
      records.add(new ConsumerRecord<>("orders", 0, offset, new byte[0], new byte[0]));
    }
    polled.add(PARTITION, records);
  }

  private static void settle(PolledRecords polled, List<BufferedRecord> batch, Receipt receipt) {
    polled.settle(batch, batch.stream().map(record -> receipt).toList());
  }

  private static long progress(PolledRecords polled) {
    OffsetAndMetadata reached = polled.progress().get(PARTITION);
    return reached == null ? -1 : reached.offset();
  }
}
