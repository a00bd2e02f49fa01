package dev.twinbox.relay.drain;

/**
 * What the parts of a lane's work share while the lane is ours. Used by the lane's thread.
 *
 * @param claim the lane, as of our last write
 * @param store the database
 * @param settings limits and pauses
 * @param failures judges what was not published
 * @param destinations which of them are not well
 * @param limiter deals out what may go to limited destinations
 * @param counters what is counted
 * @param wakeup ends the thread's waiting
 * @param pageRows how many rows a page asks for
 */
record LaneContext(
    Claim claim,
    LaneStore store,
    DrainSettings settings,
    Failures failures,
    Destinations destinations,
    RateLimiter limiter,
    Counters counters,
    Wakeup wakeup,
    PageRows pageRows) {}
