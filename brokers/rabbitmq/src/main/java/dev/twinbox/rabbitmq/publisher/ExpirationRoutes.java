package dev.twinbox.rabbitmq.publisher;

import dev.twinbox.broker.Supervision;
import dev.twinbox.rabbitmq.RabbitRoute;
import dev.twinbox.rabbitmq.doctor.RabbitBrokerExamination;
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
final class ExpirationRoutes implements Predicate<RabbitRoute> {
  private static final Logger log = LoggerFactory.getLogger(ExpirationRoutes.class);
  private static final long HOLDS_NANOS = Duration.ofMinutes(1).toNanos();
  private static final long LOOK_AGAIN_NANOS = Duration.ofSeconds(20).toNanos();

  /** Routing keys may be without end. */
  private static final int MOST_KNOWN = 1_000;

  private record Seen(boolean deadLetters, long at) {}

  private final RabbitBroker broker;
  private final Map<RabbitRoute, Seen> known = new ConcurrentHashMap<>();
  private final Set<RabbitRoute> asked = ConcurrentHashMap.newKeySet();
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
  public boolean test(RabbitRoute route) {
    long now = System.nanoTime();
    Seen seen = known.get(route);
    if ((seen == null || now - seen.at() > LOOK_AGAIN_NANOS)
        && asked.size() < MOST_KNOWN
        && asked.add(route)) {
      request(route);
    }
    return seen != null && seen.deadLetters() && now - seen.at() < HOLDS_NANOS;
  }

  private void request(RabbitRoute route) {
    boolean requested =
        Supervision.run(
            "a look at where " + broker.name() + ":" + route + " dead-letters to",
            () -> examiner.execute(() -> look(route)));
    if (!requested) {
      asked.remove(route);
    }
  }

  private void look(RabbitRoute route) {
    boolean deadLetters = false;
    try (RabbitBrokerExamination examination = broker.examineVirtualHost()) {
      deadLetters = examination.deadLettersWhatExpires(route);
    } catch (RuntimeException e) {
      log.debug("Where {}:{} dead-letters to could not be read", broker.name(), route, e);
    } finally {
      if (known.size() >= MOST_KNOWN) {
        known.clear();
      }
      known.put(route, new Seen(deadLetters, System.nanoTime()));
      asked.remove(route);
    }
  }
}
