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
    InHand inHand = inHand(mayOvertake);
    add(inHand, 100, 10);
    settle(inHand, inHand.take(), PROCESSED);
    assertThat(progress(inHand)).isEqualTo(110);

    add(inHand, 40, 5);
    assertThat(inHand.progress()).isEmpty();
    settle(inHand, inHand.take(), PROCESSED);

    assertThat(progress(inHand)).isEqualTo(45);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aBatchInHandCountsForTheLogItCameFrom(boolean mayOvertake) throws Exception {
    InHand inHand = inHand(mayOvertake);
    add(inHand, 100, 10);
    List<Taken> inWork = inHand.take();
    add(inHand, 40, 5);

    settle(inHand, inWork, PROCESSED);
    assertThat(inHand.progress()).isEmpty();

    settle(inHand, inHand.take(), PROCESSED);
    assertThat(progress(inHand)).isEqualTo(45);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFailedRecordOfTheLogBeforeIsStillTriedAgainAndHoldsNothingBack(boolean mayOvertake)
      throws Exception {
    InHand inHand = inHand(mayOvertake);
    add(inHand, 42, 1);
    settle(inHand, inHand.take(), FAILED);
    add(inHand, 40, 5);

    settle(inHand, inHand.take(), FAILED);
    List<Taken> again = inHand.take();
    assertThat(again).extracting(Taken::offset).containsExactly(42L);
    settle(inHand, again, PROCESSED);
    List<Taken> anew = inHand.take();
    settle(inHand, anew.subList(0, 3), PROCESSED);
    settle(inHand, anew.subList(3, 4), FAILED);
    settle(inHand, anew.subList(4, 5), PROCESSED);

    assertThat(progress(inHand)).isEqualTo(mayOvertake ? 43 : 45);
  }

  private static InHand inHand(boolean mayOvertake) {
    InHand inHand = new InHand(10, mayOvertake);
    inHand.assigned(List.of(PARTITION));
    return inHand;
  }

  private static void add(InHand inHand, long from, int count) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (long offset = from; offset < from + count; offset++) {
      records.add(new ConsumerRecord<>("orders", 0, offset, new byte[0], new byte[0]));
    }
    inHand.add(PARTITION, records);
  }

  private static void settle(InHand inHand, List<Taken> batch, Receipt receipt) {
    inHand.settle(batch, batch.stream().map(taken -> receipt).toList());
  }

  private static long progress(InHand inHand) {
    OffsetAndMetadata reached = inHand.progress().get(PARTITION);
    return reached == null ? -1 : reached.offset();
  }
}
