package dev.twinbox.relay.drain;

/**
 * A destination that takes nothing, as one lane sees it.
 *
 * @param destination which
 * @param reason a short code, as in {@code unreachable}
 * @param since since when, in terms of {@link System#nanoTime}
 * @param parked whether its messages are parked, so that the lane goes on
 */
public record Trouble(String destination, String reason, long since, boolean parked) {}
