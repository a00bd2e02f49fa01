package dev.twinbox.redis;

import dev.twinbox.inbox.BackgroundWork;
import dev.twinbox.inbox.CheckedDelivery;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.HandlerWatch;
import dev.twinbox.inbox.Receipt;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Handles once more what operators ask for, in a thread of its own. */
final class RedisRedriver implements BackgroundWork {
  private static final Logger log = LoggerFactory.getLogger(RedisRedriver.class);
  private static final long PAUSE_MILLIS = 1_000;
  private static final int AT_ONCE = 100;

  private final RedisInbox inbox;
  private final RedisReception reception;
  private final HandlerWatch watch;

  // By name, in System.nanoTime(): what failed or is in work elsewhere. Only the thread's.
  private final Map<String, Long> waitsUntil = new HashMap<>();
  private @Nullable Thread thread;
  private volatile boolean stopped;

  RedisRedriver(RedisInbox inbox, RedisReception reception) {
    this.inbox = inbox;
    this.reception = reception;
    watch = new HandlerWatch(inbox.handlerTimeLimit());
  }

  @Override
  public synchronized void start() {
    if (thread == null) {
      Thread made = new Thread(this::run, "twinbox-inbox-redis-" + inbox.consumer() + "-redrives");
      made.setDaemon(true);
      made.start();
      thread = made;
    }
  }

  @Override
  public synchronized void stop() {
    stopped = true;
    notifyAll();
  }

  @Override
  public void close(Duration limit) {
    stop();
    Thread running = thread();
    try {
      if (running != null && !joined(running, limit)) {
        watch.abandon();
        running.interrupt();
        running.join(1_000);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized @Nullable Thread thread() {
    return thread;
  }

  private static boolean joined(Thread running, Duration limit) throws InterruptedException {
    running.join(Math.max(1, limit.toMillis()));
    return !running.isAlive();
  }

  private void run() {
    while (!stopped) {
      try {
        while (!stopped && redriveSome()) {
          // Until there is none, or only what waits.
        }
      } catch (RuntimeException e) { // Redis is away, or a message is unreadable: goes on later
        log.warn("A redrive failed: {}", String.valueOf(e.getMessage()));
      }
      pause();
    }
  }

  /** Returns whether one was settled. */
  private boolean redriveSome() {
    boolean settled = false;
    for (RedisQuarantine.Kept kept : inbox.quarantine().redrives(AT_ONCE)) {
      Long due = waitsUntil.get(kept.name());
      if (!stopped
          && (due == null || System.nanoTime() - due >= 0)
          && inbox.quarantine().isToBeRedriven(kept.name())) {
        waitsUntil.remove(kept.name());
        settled |= redrive(kept);
      }
    }
    return settled;
  }

  private boolean redrive(RedisQuarantine.Kept kept) {
    UUID id = kept.message().messageId();
    if (id == null) {
      inbox.quarantine().redriven(kept.name());
      return true;
    }
    Delivery delivery = kept.delivery();
    Receipt receipt =
        reception.again(
            new CheckedDelivery(delivery, id), inbox.keys().record(id, delivery), watch);
    if (receipt instanceof Receipt.Processed || receipt instanceof Receipt.Duplicate) {
      inbox.quarantine().leave(kept.name());
    } else if (receipt.settled()) {
      inbox.quarantine().redriven(kept.name());
    } else {
      waitsUntil.put(kept.name(), System.nanoTime() + receipt.retryAfter().toNanos());
    }
    log.info("Redriven with the outcome {}: {}", receipt, delivery);
    return receipt.settled();
  }

  private synchronized void pause() {
    try {
      if (!stopped) {
        wait(PAUSE_MILLIS);
      }
    } catch (InterruptedException e) {
      stopped = true;
    }
  }
}
