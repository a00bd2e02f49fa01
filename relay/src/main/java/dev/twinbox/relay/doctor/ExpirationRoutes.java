package dev.twinbox.relay.doctor;

import dev.twinbox.outbox.RabbitDestination;
import dev.twinbox.broker.Supervision;
import dev.twinbox.relay.rabbitmq.RabbitBroker;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which destinations were seen, within the last minute, to dead-letter what expires in their
 * queues. Answers from memory: what is not known yet counts as not, and is looked at meanwhile.
 * Thread-safe.
 */
final class ExpirationRoutes implements Predicate<RabbitDestination> {
  private static final Logger log = LoggerFactory.getLogger(ExpirationRoutes.class);
  private static final long HOLDS_NANOS = Duration.ofMinutes(1).toNanos();
  private static final long LOOK_AGAIN_NANOS = Duration.ofSeconds(20).toNanos();

  /** Routing keys may be without end. */
  private static final int MOST_KNOWN = 1_000;

  private record Seen(boolean deadLetters, long at) {}

  private final RabbitBroker broker;
  private final Map<RabbitDestination, Seen> known = new ConcurrentHashMap<>();
  private final Set<RabbitDestination> asked = ConcurrentHashMap.newKeySet();
  private final Executor examiner =
      new ThreadPoolExecutor(
          0,
          1,
          10,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(),
          work -> {
            Thread thread = new Thread(work, "twinbox-expiration-routes");
            thread.setDaemon(true);
            return thread;
          });

  ExpirationRoutes(RabbitBroker broker) {
    this.broker = broker;
  }

  @Override
  public boolean test(RabbitDestination destination) {
    long now = System.nanoTime();
    Seen seen = known.get(destination);
    if ((seen == null || now - seen.at() > LOOK_AGAIN_NANOS)
        && asked.size() < MOST_KNOWN
        && asked.add(destination)) {
      request(destination);
    }
    return seen != null && seen.deadLetters() && now - seen.at() < HOLDS_NANOS;
  }

  private void request(RabbitDestination destination) {
    boolean requested =
        Supervision.run(
            "a look at where " + destination + " dead-letters to",
            () -> examiner.execute(() -> look(destination)));
    if (!requested) {
      asked.remove(destination);
    }
  }

  private void look(RabbitDestination destination) {
    boolean deadLetters = false;
    try (RabbitBrokerExamination examination = new RabbitBrokerExamination(broker)) {
      deadLetters = examination.deadLettersWhatExpires(destination);
    } catch (RuntimeException e) {
      log.debug("Where {} dead-letters to could not be read", destination, e);
    } finally {
      if (known.size() >= MOST_KNOWN) {
        known.clear();
      }
      known.put(destination, new Seen(deadLetters, System.nanoTime()));
      asked.remove(destination);
    }
  }
}
