package dev.twinbox.examples.snippets;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.examples.snippets.NaturalIdempotence.CustomerChanged;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.outbox.Outbox;
import java.sql.Connection;
import org.junit.jupiter.api.Test;

/** What docs/idempotence.md says, on PostgreSQL: each message comes twice. */
final class NaturalIdempotenceTest {
  private static final OrderPlaced ORDER = new OrderPlaced("o-1", "ann", 1250);

  private final ShopDatabase shop = new ShopDatabase();
  private final Inbox inbox =
      Inbox.builder().dataSource(shop.dataSource).consumer("billing").build();

  @Test
  void anInsertByPrimaryKeyIsEnough() throws Exception {
    try (Connection connection = shop.dataSource.getConnection()) {
      NaturalIdempotence.insertOnce(connection, ORDER);
      NaturalIdempotence.insertOnce(connection, ORDER);
    }
    assertThat(shop.one("select count(*) from orders")).isEqualTo("1");
  }

  @Test
  void anUpsertIsEnoughAsLongAsNothingOldComesAgain() {
    CustomerChanged first = new CustomerChanged("ann", "ann@old.example", 1);
    CustomerChanged second = new CustomerChanged("ann", "ann@new.example", 2);
    NaturalIdempotence.upsert(shop.db, first);
    NaturalIdempotence.upsert(shop.db, first);
    NaturalIdempotence.upsert(shop.db, second);
    NaturalIdempotence.upsert(shop.db, second);
    assertThat(shop.one("select email from customer")).isEqualTo("ann@new.example");

    NaturalIdempotence.upsert(shop.db, first);
    assertThat(shop.one("select email from customer"))
        .as("an upsert alone goes back in time")
        .isEqualTo("ann@old.example");
  }

  @Test
  void aVersionCheckIsEnoughInAnyOrder() {
    CustomerChanged first = new CustomerChanged("ann", "ann@old.example", 1);
    CustomerChanged second = new CustomerChanged("ann", "ann@new.example", 2);
    NaturalIdempotence.upsertIfNewer(shop.db, second);
    NaturalIdempotence.upsertIfNewer(shop.db, first);
    NaturalIdempotence.upsertIfNewer(shop.db, second);
    NaturalIdempotence.upsertIfNewer(shop.db, first);
    assertThat(shop.one("select email from customer")).isEqualTo("ann@new.example");
  }

  @Test
  void setSemanticsAreEnoughUnlessAnOldAdditionComesAfterTheRemoval() {
    NaturalIdempotence.addToSet(shop.db, "ann", "tea");
    NaturalIdempotence.addToSet(shop.db, "ann", "tea");
    assertThat(shop.one("select count(*) from favourite")).isEqualTo("1");
    NaturalIdempotence.removeFromSet(shop.db, "ann", "tea");
    NaturalIdempotence.removeFromSet(shop.db, "ann", "tea");
    assertThat(shop.one("select count(*) from favourite")).isEqualTo("0");

    NaturalIdempotence.addToSet(shop.db, "ann", "tea");
    assertThat(shop.one("select count(*) from favourite"))
        .as("what was removed is back")
        .isEqualTo("1");
  }

  @Test
  void aConditionalUpdateIsEnoughWhereTheStateNeverReturns() {
    shop.db.execute("insert into orders (id, customer, cents) values ('o-1', 'ann', 1250)");
    shop.db.execute(
        """
        create function count_payment() returns trigger language plpgsql as
          $$ begin new.paid_times := old.paid_times + 1; return new; end $$;
        create trigger paid before update on orders for each row execute function count_payment();
        """);
    NaturalIdempotence.pay(shop.db, "o-1");
    NaturalIdempotence.pay(shop.db, "o-1");
    assertThat(shop.one("select state from orders")).isEqualTo("paid");
    assertThat(shop.one("select paid_times from orders")).isEqualTo("1");
  }

  @Test
  void anIncrementNeedsTheInbox() {
    NaturalIdempotence.increment(shop.db, ORDER);
    NaturalIdempotence.increment(shop.db, ORDER);
    assertThat(shop.one("select cents from account")).as("counted twice").isEqualTo("2500");

    shop.db.execute("update account set cents = 0");
    Handler handler = (delivery, work) -> NaturalIdempotence.increment(work.dsl(), ORDER);
    Delivery delivery = ShopDatabase.delivery();
    assertThat(inbox.receive(delivery, handler)).isInstanceOf(Receipt.Processed.class);
    assertThat(inbox.receive(delivery.again(), handler)).isInstanceOf(Receipt.Duplicate.class);
    assertThat(shop.one("select cents from account")).isEqualTo("1250");
  }

  @Test
  void aFollowUpMessageNeedsTheInboxToo() {
    Outbox outbox = Outbox.builder().source("/mail").build();
    for (int i = 0; i < 2; i++) {
      shop.db.transaction(
          configuration -> NaturalIdempotence.insertAndTell(configuration.dsl(), outbox, ORDER));
    }
    assertThat(shop.one("select count(*) from orders")).isEqualTo("1");
    assertThat(shop.one("select count(*) from twinbox.outbox")).as("told twice").isEqualTo("2");

    shop.db.execute("delete from orders; delete from twinbox.outbox");
    Handler handler =
        (delivery, work) -> NaturalIdempotence.insertAndTell(work.dsl(), outbox, ORDER);
    Delivery delivery = ShopDatabase.delivery();
    inbox.receive(delivery, handler);
    inbox.receive(delivery.again(), handler);
    assertThat(shop.one("select count(*) from twinbox.outbox")).isEqualTo("1");
  }
}
