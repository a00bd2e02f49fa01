package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Many deliveries in one transaction. */
class InboxBatchTest {
  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox =
      database
          .inbox("billing")
          .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(2))
          .build();

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aSingleAttemptIsNotTakenFromTheNeighboursOfAProcessKiller() {
    Inbox strict =
        database.inbox("strict").backoff(Backoff.exponential(Duration.ZERO).giveUpAfter(1)).build();
    List<Delivery> batch = batch(3).stream().map(Delivery::again).toList();
    // The process dies in the middle of the batch, having counted all of it.
    assertThatThrownBy(
            () ->
                strict.receiveAll(
                    batch,
                    (delivery, work) -> {
                      int session =
                          work.dsl().fetchSingle("select pg_backend_pid()").into(int.class);
                      database.execute("select pg_terminate_backend(%s, 5000)".formatted(session));
                    }))
        .isInstanceOf(DatabaseUnavailableException.class);
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isEqualTo(3);

    Inbox afterRestart =
        database.inbox("strict").backoff(Backoff.exponential(Duration.ZERO).giveUpAfter(1)).build();
    assertThat(afterRestart.receiveAll(batch, InboxDatabase::effect))
        .hasOnlyElementsOfType(Receipt.Processed.class);
  }

  @Test
  void aBatchIsOneTransaction() {
    List<Delivery> batch = batch(50);
    Set<String> transactions = Collections.synchronizedSet(new HashSet<>());

    List<Receipt> receipts =
        inbox.receiveAll(
            batch,
            (delivery, work) -> {
              transactions.add(
                  work.dsl().fetchSingle("select pg_current_xact_id()::text").into(String.class));
              assertThat(database.effects()).isEmpty();
              InboxDatabase.effect(delivery, work);
            });

    assertThat(receipts).hasSize(50).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(transactions).hasSize(1);
    assertThat(database.texts("select distinct xmin::text from twinbox.inbox"))
        .containsExactlyElementsOf(transactions);
    assertThat(database.effects())
        .containsExactlyElementsOf(batch.stream().map(Delivery::id).toList());
  }

  @Test
  void theSameIdTwiceInABatchIsProcessedOnce() {
    Delivery message = delivery();

    List<Receipt> receipts =
        inbox.receiveAll(List.of(message, delivery(), message), InboxDatabase::effect);

    assertThat(receipts.get(0)).isInstanceOf(Receipt.Processed.class);
    assertThat(receipts.get(2)).isInstanceOf(Receipt.Duplicate.class);
    assertThat(database.effects()).hasSize(2);
  }

  @Test
  void aBatchSkipsWhatWasProcessedBefore() {
    List<Delivery> batch = batch(10);
    inbox.receiveAll(batch.subList(3, 7), InboxDatabase::effect);

    List<Receipt> receipts = inbox.receiveAll(batch, InboxDatabase::effect);

    assertThat(receipts.subList(3, 7)).hasOnlyElementsOfType(Receipt.Duplicate.class);
    assertThat(receipts.stream().filter(Receipt.Processed.class::isInstance)).hasSize(6);
    assertThat(database.effects()).hasSize(10).doesNotHaveDuplicates();
  }

  @Test
  void aPoisonInABatchIsQuarantinedAndItsNeighboursAreProcessed() {
    List<Delivery> batch = batch(10);
    Delivery poison = batch.get(4);
    Handler handler =
        (delivery, work) -> {
          InboxDatabase.effect(delivery, work);
          if (poison.origin().equals(delivery.origin())) {
            throw new IllegalStateException("Poison");
          }
        };

    List<Receipt> first = inbox.receiveAll(batch, handler);
    assertThat(first.get(4)).isInstanceOf(Receipt.Failed.class);
    assertThat(first.stream().filter(Receipt.Processed.class::isInstance)).hasSize(9);

    assertThat(inbox.receive(poison.again(), handler))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.ATTEMPTS_EXHAUSTED, 2));
    assertThat(database.effects()).hasSize(9).doesNotHaveDuplicates().doesNotContain(poison.id());
    assertThat(database.quarantined()).containsExactly("attempts-exhausted");
  }

  @Test
  void whatFollowsAFailedMessageOfItsKeyIsHeld() {
    Delivery first = delivery(Messages.id(), "a");
    Delivery other = delivery(Messages.id(), "b");
    Delivery second = delivery(Messages.id(), "a");

    List<Receipt> receipts =
        inbox.receiveAll(
            List.of(first, other, second),
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              if (delivery == first) {
                throw new IllegalStateException("Not now");
              }
            });

    assertThat(receipts.get(0)).isInstanceOf(Receipt.Failed.class);
    assertThat(receipts.get(1)).isInstanceOf(Receipt.Processed.class);
    assertThat(receipts.get(2)).isInstanceOf(Receipt.Held.class);
    assertThat(database.effects()).containsExactly(other.id());
  }

  @Test
  void whereMessagesMayOvertakeWhatFollowsAFailedOneGoesOn() {
    Delivery first = delivery(Messages.id(), "a");
    Delivery second = delivery(Messages.id(), "a");

    List<Receipt> receipts =
        database
            .inbox("overtaking")
            .mayOvertake()
            .build()
            .receiveAll(
                List.of(first, second),
                (delivery, work) -> {
                  InboxDatabase.effect(delivery, work);
                  if (delivery == first) {
                    throw new IllegalStateException("Not now");
                  }
                });

    assertThat(receipts.get(0)).isInstanceOf(Receipt.Failed.class);
    assertThat(receipts.get(1)).isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly(second.id());
  }

  @Test
  void theNeighboursOfAProcessKillerAreNotCountedWithIt() {
    List<Delivery> batch = batch(5).stream().map(Delivery::again).toList();
    // Two deaths in the middle of the batch: its first attempt together, the next one by one.
    database.execute(
        "insert into twinbox.inbox_consumer (consumer, refuses_from, kept_from)"
            + " select 'billing', closed_before, closed_before from twinbox.inbox_retention");
    for (Delivery delivery : batch) {
      database.execute(
          "insert into twinbox.inbox_failure (consumer_id, message_id, attempts, error)"
              + " select consumer_id, '%s', %s, 'died' from twinbox.inbox_consumer"
                  .formatted(delivery.id(), delivery == batch.get(2) ? 2 : 1));
    }

    List<Receipt> receipts = inbox.receiveAll(batch, InboxDatabase::effect);

    assertThat(receipts.get(2)).isInstanceOf(Receipt.Quarantined.class);
    assertThat(receipts.stream().filter(Receipt.Processed.class::isInstance)).hasSize(4);
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Test
  void aRedeliveredBatchIsCountedBeforeAndClearedAfter() {
    List<Delivery> batch = batch(20).stream().map(Delivery::again).toList();
    List<Long> counted = new ArrayList<>();

    inbox.receiveAll(
        batch,
        (delivery, work) -> {
          counted.add(database.count("select count(*) from twinbox.inbox_failure"));
          InboxDatabase.effect(delivery, work);
        });

    assertThat(counted).hasSize(20).containsOnly(20L);
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  private static List<Delivery> batch(int size) {
    // Ids that fall, so that sorting them is seen to matter to nobody.
    return Stream.generate(Messages::delivery).limit(size).toList();
  }
}
