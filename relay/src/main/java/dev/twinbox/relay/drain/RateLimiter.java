package dev.twinbox.relay.drain;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;

/**
 * Deals out what may go to limited destinations: a bucket for each, which this relay's lanes draw
 * from in turn. A relay that holds a third of a broker's lanes fills its bucket with a third of the
 * limit, so that all relays together keep it, without a word between them. The bucket holds a tenth
 * of a second's worth. Thread-safe.
 */
public final class RateLimiter {
  private static final double SECOND = 1e9;
  private static final double BURST_SECONDS = 0.1;

  /** A lane that has not asked for so long wants nothing. */
  private static final long WANTS_NANOS = 300_000_000;

  private static final long SHARE_NANOS = 200_000_000;

  private final Map<String, Bucket> buckets = new HashMap<>();
  private final ToDoubleFunction<String> share;
  private final LongSupplier nanoTime;

  /**
   * @param limits messages a second by destination
   * @param share which part of a broker's lanes this relay holds, 0 to 1
   * @param nanoTime measures time
   */
  public RateLimiter(RateLimits limits, ToDoubleFunction<String> share, LongSupplier nanoTime) {
    this.share = share;
    this.nanoTime = nanoTime;
    limits
        .perSecond()
        .forEach(
            (destination, rate) ->
                buckets.put(destination, new Bucket(destination, rate, nanoTime.getAsLong())));
  }

  boolean isLimited(String destination) {
    return !buckets.isEmpty() && buckets.containsKey(destination);
  }

  /** The destinations that have a limit. */
  Set<String> destinations() {
    return buckets.keySet();
  }

  /** Takes up to so many messages' worth, for a lane; 0 when it has to wait. */
  int take(String destination, int lane, int atMost) {
    Bucket bucket = buckets.get(destination);
    return bucket == null ? atMost : bucket.take(lane, atMost, nanoTime.getAsLong());
  }

  /** Gives back what was not used. */
  void giveBack(String destination, int unused) {
    Bucket bucket = buckets.get(destination);
    if (bucket != null && unused > 0) {
      bucket.giveBack(unused);
    }
  }

  private static final class Turn {
    private long askedAt;
    private long servedAt;
  }

  private final class Bucket {
    private final String broker;
    private final double perSecond;
    private final Map<Integer, Turn> turns = new HashMap<>();
    private double tokens;
    private double part = 1;
    private long filledAt;
    private long partKnownAt;
    private boolean isPartKnown;

    private Bucket(String destination, double perSecond, long now) {
      this.broker = destination.substring(0, Math.max(0, destination.indexOf(':')));
      this.perSecond = perSecond;
      this.filledAt = now;
      this.tokens = Math.min(1, perSecond);
    }

    private synchronized void giveBack(int unused) {
      tokens += unused;
    }

    private synchronized int take(int lane, int atMost, long now) {
      fill(now);
      Turn turn =
          turns.computeIfAbsent(
              lane,
              any -> {
                Turn fresh = new Turn();
                fresh.servedAt = now;
                return fresh;
              });
      turn.askedAt = now;
      turns.values().removeIf(each -> now - each.askedAt > WANTS_NANOS);
      if (atMost < 1 || tokens < 1) {
        return 0;
      }
      // With less than one for each, whoever has waited longest comes first.
      if (tokens < turns.size()
          && turns.values().stream().anyMatch(each -> each.servedAt - turn.servedAt < 0)) {
        return 0;
      }
      int taken = (int) Math.min(atMost, Math.max(1, tokens / turns.size()));
      tokens -= taken;
      turn.servedAt = now;
      return taken;
    }

    private void fill(long now) {
      if (!isPartKnown || now - partKnownAt > SHARE_NANOS) {
        part = Math.max(0, Math.min(1, share.applyAsDouble(broker)));
        partKnownAt = now;
        isPartKnown = true;
      }
      double rate = perSecond * part;
      double most = Math.max(1, rate * BURST_SECONDS);
      tokens = Math.min(most, tokens + (now - filledAt) / SECOND * rate);
      filledAt = now;
    }
  }
}
