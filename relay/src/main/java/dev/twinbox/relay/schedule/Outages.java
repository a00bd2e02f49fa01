package dev.twinbox.relay.schedule;

import dev.twinbox.relay.drain.LaneDrain;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says once when messages of a broker begin to wait, with the cause, and once when they go out
 * again, however many lanes it has. For one thread.
 */
final class Outages {
  private static final Logger log = LoggerFactory.getLogger(Outages.class);

  /** A broker that takes a message now and then is not well yet. */
  private static final Duration QUIET = Duration.ofSeconds(5);

  private static final class Outage {
    private final long since = System.nanoTime();
    private long lastSeen = since;
  }

  private final Supplier<List<LaneDrain>> lanes;
  private final Map<String, Outage> outages = new HashMap<>();

  Outages(Supplier<List<LaneDrain>> lanes) {
    this.lanes = lanes;
  }

  /** Looks at all lanes. */
  void look() {
    Map<String, TreeSet<String>> problems = new TreeMap<>();
    for (LaneDrain lane : lanes.get()) {
      problems.computeIfAbsent(lane.broker(), any -> new TreeSet<>()).addAll(lane.problems());
    }
    long now = System.nanoTime();
    problems.forEach(
        (broker, causes) -> {
          Outage known = outages.get(broker);
          if (!causes.isEmpty() && known == null) {
            outages.put(broker, new Outage());
            log.warn("Messages wait, and none is lost: {}", String.join("; ", causes));
          } else if (!causes.isEmpty() && known != null) {
            known.lastSeen = now;
          } else if (known != null && now - known.lastSeen > QUIET.toNanos()) {
            outages.remove(broker);
            log.info(
                "{} takes messages again, after {} s",
                broker,
                Duration.ofNanos(known.lastSeen - known.since).toSeconds());
          }
        });
  }
}
