package dev.twinbox.relay.drain;

/**
 * What the parts of a lane's work share while the lane is ours. Used by the lane's thread.
 *
 * @param claim the lane, as of our last write
 * @param store the database
 * @param settings limits and pauses
 * @param failures judges what was not published
 * @param destinations which of them are not well
 * @param counters what is counted
 * @param wakeup ends the thread's waiting
 */
record LaneContext(
    Claim claim,
    LaneStore store,
    DrainSettings settings,
    Failures failures,
    Destinations destinations,
    Counters counters,
    Wakeup wakeup) {}
