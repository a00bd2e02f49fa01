package dev.twinbox.redis;

import dev.twinbox.redis.RedisRecords.Taking;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Renews the leases of what is in work, three times in a lease, in a thread of its own. */
final class LeaseKeeper {
  private static final Logger log = LoggerFactory.getLogger(LeaseKeeper.class);

  private final RedisRecords records;
  private final long pauseMillis;
  private final Set<Taking> inWork = ConcurrentHashMap.newKeySet();
  private @Nullable ScheduledExecutorService thread;

  LeaseKeeper(RedisRecords records, Duration lease) {
    this.records = records;
    pauseMillis = Math.max(1, lease.toMillis() / 3);
  }

  void keep(List<Taking> takings) {
    inWork.addAll(takings);
    if (!takings.isEmpty()) {
      start();
    }
  }

  void letGo(List<Taking> takings) {
    takings.forEach(inWork::remove);
  }

  private synchronized void start() {
    if (thread == null) {
      ScheduledThreadPoolExecutor executor =
          new ScheduledThreadPoolExecutor(
              1,
              task -> {
                Thread made = new Thread(task, "twinbox-inbox-redis-leases");
                made.setDaemon(true);
                return made;
              });
      var unused =
          executor.scheduleWithFixedDelay(
              this::renew, pauseMillis, pauseMillis, TimeUnit.MILLISECONDS);
      thread = executor;
    }
  }

  private void renew() {
    try {
      records.renew(List.copyOf(inWork));
    } catch (RuntimeException e) { // the next round tries again; what is lost is fenced off
      log.warn("Leases were not renewed: {}", String.valueOf(e.getMessage()));
    }
  }
}
