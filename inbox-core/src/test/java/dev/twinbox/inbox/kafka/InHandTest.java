package dev.twinbox.inbox.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.inbox.Receipt;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Which offsets may be committed. */
class InHandTest {
  private static final TopicPartition PARTITION = new TopicPartition("orders", 0);

  private final InHand inHand = new InHand(10, /* mayOvertake= */ false);

  @Test
  void whatKafkaHasConfirmedIsCommittedOnceMoreWhenItMayHaveBeenOverwritten() throws Exception {
    inHand.assigned(List.of(PARTITION));
    handle(7);
    Map<TopicPartition, OffsetAndMetadata> reached = inHand.progress();
    assertThat(reached.get(PARTITION)).extracting(OffsetAndMetadata::offset).isEqualTo(8L);
    inHand.committed(reached);
    assertThat(inHand.progress()).isEmpty();

    inHand.commitAgain();

    assertThat(inHand.progress()).isEqualTo(reached);
    inHand.committed(reached);
    assertThat(inHand.progress()).isEmpty();
  }

  @Test
  void whatHasGotFartherIsNotTakenBack() throws Exception {
    inHand.assigned(List.of(PARTITION));
    handle(7);
    inHand.committed(inHand.progress());
    handle(8);

    inHand.commitAgain();

    assertThat(inHand.progress().get(PARTITION))
        .extracting(OffsetAndMetadata::offset)
        .isEqualTo(9L);
  }

  @Test
  void whatIsNotOursAnyMoreIsNotCommittedAgain() throws Exception {
    inHand.assigned(List.of(PARTITION));
    handle(7);
    inHand.committed(inHand.progress());
    inHand.forget(List.of(PARTITION));
    inHand.assigned(List.of(PARTITION));

    inHand.commitAgain();

    assertThat(inHand.progress()).isEmpty();
  }

  private void handle(long offset) throws InterruptedException {
    inHand.add(
        PARTITION, List.of(new ConsumerRecord<>("orders", 0, offset, new byte[0], new byte[0])));
    List<Taken> batch = inHand.take();
    assertThat(batch).hasSize(1);
    inHand.settle(batch, List.of(new Receipt.Processed()));
  }
}
