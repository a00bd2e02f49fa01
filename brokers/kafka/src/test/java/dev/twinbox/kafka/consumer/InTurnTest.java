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
class InTurnTest {
  private static final TopicPartition PARTITION = new TopicPartition("orders", 0);
  private static final Receipt PROCESSED = new Receipt.Processed();
  private static final Receipt FAILED =
      new Receipt.Failed(1, Duration.ofMillis(1), new IllegalStateException("No stock"));

  private int begun;
  private int settled;

  @Test
  void whatWasTakenAheadOfAFailedRecordComesAfterIt() throws Exception {
    InHand inHand = inHand(/* mayOvertake= */ false);
    InTurn inTurn = begin(inHand);
    inTurn.next();
    inTurn.next();

    inTurn.received(FAILED);

    assertThat(progress(inHand)).isZero();
    assertThat(inHand.isWorking()).isFalse();
    assertThat(inTurn.undecided()).isEmpty();
    assertThat(rest(inHand)).containsExactly("0 again", "1", "2");
  }

  @Test
  void whereRecordsMayOvertakeThoseTakenAheadGoOn() throws Exception {
    InHand inHand = inHand(/* mayOvertake= */ true);
    InTurn inTurn = begin(inHand);
    inTurn.next();
    inTurn.next();

    inTurn.received(FAILED);

    assertThat(inHand.isWorking()).isFalse();
    assertThat(rest(inHand)).containsExactlyInAnyOrder("0 again", "1", "2").contains("1");
  }

  @Test
  void eachRecordIsSettledByItself() throws Exception {
    InHand inHand = inHand(/* mayOvertake= */ false);
    InTurn inTurn = begin(inHand);
    inTurn.next();
    inTurn.next();

    inTurn.received(PROCESSED);

    assertThat(progress(inHand)).isEqualTo(1);
    assertThat(inHand.isWorking()).isTrue();
    assertThat(begun).isEqualTo(2);
    assertThat(settled).isEqualTo(1);
    inTurn.received(PROCESSED);
    assertThat(progress(inHand)).isEqualTo(2);
    assertThat(inHand.isWorking()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void inAnOutageEverythingTakenWaitsInItsOrder(boolean mayOvertake) throws Exception {
    InHand inHand = inHand(mayOvertake);
    InTurn inTurn = begin(inHand);
    inTurn.next();
    inTurn.next();

    inHand.putBack(inTurn.undecided(), Duration.ofMillis(1));

    assertThat(inTurn.next()).isNull();
    assertThat(inHand.isWorking()).isFalse();
    assertThat(rest(inHand)).containsExactly("0", "1", "2");
  }

  @Test
  void whoIsClosingTakesNothingMore() throws Exception {
    InHand inHand = inHand(/* mayOvertake= */ false);
    InTurn inTurn = begin(inHand);
    inTurn.next();

    inHand.close();

    assertThat(inTurn.next()).isNull();
  }

  @Test
  void aPartitionThatIsLeftIsLeftAfterWhatWasTakenOfIt() throws Exception {
    InHand inHand = inHand(/* mayOvertake= */ false);
    InTurn inTurn = begin(inHand);
    inTurn.next();
    inTurn.next();

    assertThat(inHand.finish(List.of(PARTITION), Duration.ofMillis(10))).isFalse();
    inTurn.received(PROCESSED);
    assertThat(inHand.finish(List.of(PARTITION), Duration.ofMillis(10))).isFalse();
    assertThat(inTurn.next()).isNull();
    inTurn.received(PROCESSED);

    assertThat(inHand.finish(List.of(PARTITION), Duration.ofMillis(10))).isTrue();
    assertThat(progress(inHand)).isEqualTo(2);
  }

  private static InHand inHand(boolean mayOvertake) {
    InHand inHand = new InHand(1, mayOvertake);
    inHand.assigned(List.of(PARTITION));
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (int offset = 0; offset < 3; offset++) {
      records.add(new ConsumerRecord<>("orders", 0, offset, new byte[0], new byte[0]));
    }
    inHand.add(PARTITION, records);
    return inHand;
  }

  private InTurn begin(InHand inHand) throws InterruptedException {
    return new InTurn(inHand, inHand.take(), () -> begun++, () -> settled++);
  }

  private static long progress(InHand inHand) {
    OffsetAndMetadata reached = inHand.progress().get(PARTITION);
    return reached == null ? 0 : reached.offset();
  }

  private static List<String> rest(InHand inHand) throws InterruptedException {
    List<String> rest = new ArrayList<>();
    while (rest.size() < 3) {
      for (Taken taken : inHand.take()) {
        rest.add(taken.offset() + (taken.retry() ? " again" : ""));
        inHand.settle(List.of(taken), List.of(PROCESSED));
      }
    }
    return rest;
  }
}
