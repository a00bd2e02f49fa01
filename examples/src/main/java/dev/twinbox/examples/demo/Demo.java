package dev.twinbox.examples.demo;

import dev.twinbox.cli.CommandException;
import dev.twinbox.examples.common.Progress;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.Relay;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

/**
 * The demo as a whole: servers, shop, relay and consumer. The relay is not told of commits, as if
 * it were a process of its own.
 */
final class Demo implements AutoCloseable {
  private static final int WRITERS = 8;
  private static final int LOOK_EVERY_MILLIS = 50;

  private final int messages;
  private final DemoDatabase database;
  private final DemoBroker broker;
  private final Shop shop;
  private final Billing billing;
  private final Relay relay;
  private final AutoCloseable consumer;
  private final DSLContext reading;
  private final PrintWriter out;

  private Demo(
      DemoDatabase database,
      DemoBroker broker,
      DemoInboxChoice inbox,
      int messages,
      PrintWriter out) {
    this.messages = messages;
    this.database = database;
    this.broker = broker;
    this.out = out;
    reading = DSL.using(database.pool("demo", 2), SQLDialect.POSTGRES);
    shop =
        new Shop(
            DSL.using(database.pool("shop", WRITERS), SQLDialect.POSTGRES),
            Outbox.builder().source("/shop").build(),
            broker.destination());
    billing =
        switch (inbox) {
          case POSTGRESQL -> new PostgresBilling(reading, database.pool("billing", 6));
          case REDIS -> orExplain(RedisBilling::start);
        };
    consumer = broker.consume(billing.receiver());
    relay =
        Relay.builder()
            .dataSource(database.pool("relay", 8))
            .broker(broker.forRelay())
            .development()
            .build()
            .start();
  }

  private static <T> T orExplain(Supplier<T> start) {
    try {
      return start.get();
    } catch (IllegalStateException e) {
      throw new CommandException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
  }

  /** Starts the servers, database and broker at once, and everything but the shop. */
  static Demo start(DemoBrokerChoice choice, DemoInboxChoice inbox, int messages, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "Starting PostgreSQL%s and %s in temporary folders…%n",
        inbox == DemoInboxChoice.REDIS ? ", Redis" : "",
        choice.title());
    out.flush();
    CompletableFuture<DemoDatabase> database = CompletableFuture.supplyAsync(DemoDatabase::start);
    DemoBroker broker;
    try {
      broker = choice.start();
    } catch (RuntimeException e) {
      database.thenAccept(DemoDatabase::close).join();
      throw e;
    }
    try {
      return new Demo(database.join(), broker, inbox, messages, out);
    } catch (CompletionException e) {
      broker.close();
      throw new CommandException("PostgreSQL did not start: " + e.getMessage(), e);
    }
  }

  /** Places the orders, waits until everything has arrived or nothing moves, and counts. */
  DemoResult run() throws InterruptedException {
    Progress progress = new Progress(out);
    progress.say(
        String.format(
            Locale.ROOT,
            "The shop writes %,d orders from %s threads; about 5 %% of them roll back, and about"
                + " 5 %% of the deliveries are repeated on purpose.",
            messages,
            WRITERS));
    try (Saboteur saboteur = broker.sabotage()) {
      Writers writers = Writers.start(shop, messages, WRITERS);
      Patience patience = new Patience();
      while (!(writers.areDone() && saboteur.originals() >= shop.committed())
          && patience.lasts(shop.committed() + saboteur.originals())) {
        show(progress, saboteur);
      }
      writers.stop();
    }
    Patience patience = new Patience();
    long held = broker.held();
    while (broker.delivered() < held && patience.lasts(broker.delivered())) {
      progress.show(
          String.format(
              Locale.ROOT, "orders %,d   applied %,d", shop.committed(), billing.applied()));
      TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
    }
    double seconds = progress.seconds();
    progress.say(String.format(Locale.ROOT, "Done after %.1f s; now counting.", seconds));
    return new DemoTally(reading, broker, billing).count(seconds);
  }

  private void show(Progress progress, Saboteur saboteur) throws InterruptedException {
    progress.show(
        String.format(
            Locale.ROOT,
            "orders %,d   published %,d   applied %,d   repeated on purpose %,d",
            shop.committed(),
            saboteur.originals(),
            billing.applied(),
            saboteur.copies()));
    TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
  }

  /** Places an order a second until the process is told to end. */
  void keepRunning() throws InterruptedException {
    out.printf(
        Locale.ROOT,
        "%nStill running, with an order a second, until Ctrl-C. From another terminal:%n  %s%n",
        (database.howToConnect() + "\n" + broker.howToConnect() + "\n" + billing.howToConnect())
            .strip()
            .indent(2)
            .strip());
    out.flush();
    CountDownLatch never = new CountDownLatch(1);
    while (!never.await(1, TimeUnit.SECONDS)) {
      boolean unused = shop.placeOrder(Long.MAX_VALUE);
    }
  }

  @Override
  public void close() throws Exception {
    relay.close();
    consumer.close();
    billing.close();
    broker.close();
    database.close();
  }
}
