package dev.twinbox.examples.demo;

/**
 * The figures of a run.
 *
 * @param committed orders whose transaction committed
 * @param rolledBack orders that were rolled back after their message was enqueued
 * @param published different messages that the broker holds
 * @param delivered deliveries to the consumer, repeated ones included
 * @param duplicatesRejected deliveries that had no effect, because their message had had one
 * @param effects effects on balances
 * @param lost committed orders without a message at the broker, or without an effect
 * @param extra messages or effects without an order, and second effects of one
 * @param outOfOrder messages or effects after a later one of the same customer
 * @param seconds from the first order to the last effect
 * @param balanced whether every committed order had exactly one effect, in order, and the balances
 *     are right
 */
record DemoReport(
    long committed,
    long rolledBack,
    long published,
    long delivered,
    long duplicatesRejected,
    long effects,
    long lost,
    long extra,
    long outOfOrder,
    double seconds,
    boolean balanced) {}
