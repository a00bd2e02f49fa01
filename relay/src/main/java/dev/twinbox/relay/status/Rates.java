package dev.twinbox.relay.status;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How fast messages come in and go out, by destination, in messages a second.
 *
 * @param in empty where nothing of late is left to tell by
 * @param inTold whether {@code in} is complete: what it does not name had nothing enqueued
 * @param out what brokers have confirmed
 * @param outTold whether a relay has told
 */
record Rates(Map<String, Double> in, boolean inTold, Map<String, Double> out, boolean outTold) {
  @Nullable Double in(String destination) {
    return inTold ? in.getOrDefault(destination, 0.0) : in.get(destination);
  }

  @Nullable Double out(String destination) {
    return outTold ? out.getOrDefault(destination, 0.0) : out.get(destination);
  }

  /** How long it takes until nothing waits; null when it does not become less. */
  @Nullable Double drainSeconds(String destination, long waiting) {
    Double coming = in(destination);
    Double going = out(destination);
    if (waiting == 0 || going == null || coming == null || going - coming <= 0.05) {
      return null;
    }
    return StatusQueries.tenths(waiting / (going - coming));
  }
}
