package dev.twinbox.examples.soak;

import java.util.Map;

/**
 * The figures of a soak.
 *
 * @param seed what the faults were chosen by
 * @param broker Kafka or RabbitMQ
 * @param nodes how many nodes it has
 * @param duration for how many seconds faults were to be injected
 * @param seconds from the first message to the last effect
 * @param committed messages whose transaction committed, as the recovered tables have them
 * @param published different messages that the broker holds
 * @param repeats how often one of them was published again
 * @param effects effects that the recovered tables have
 * @param lost committed messages that were not published, and published ones without an effect
 * @param ghosts published messages or effects without a committed message
 * @param duplicateEffects effects of a message that had had one
 * @param outOfOrder first publications, or effects, after a later one of the same key
 * @param unexplained repeats at a time when nothing had left a relay in doubt, and what was left
 *     over: undelivered, set aside, or not ended in good order
 * @param faultsHit faults that met unconfirmed work
 * @param faults the same by kind
 * @param balanced whether the five figures before are zero
 */
record SoakReport(
    long seed,
    String broker,
    int nodes,
    double duration,
    double seconds,
    long committed,
    long published,
    long repeats,
    long effects,
    long lost,
    long ghosts,
    long duplicateEffects,
    long outOfOrder,
    long unexplained,
    long faultsHit,
    Map<String, Hits> faults,
    boolean balanced) {

  /**
   * How often a kind of fault was planned, and how often it hit.
   *
   * @param planned how often it was planned
   * @param hit how often it met unconfirmed work
   */
  record Hits(long planned, long hit) {}
}
