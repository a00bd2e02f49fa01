package dev.twinbox.contract;

import dev.twinbox.inbox.Receiver;
import java.time.Duration;

/**
 * How a consumer is to be set up. What it does not say is left at its default, but that the
 * consumer starts also where messages could be lost, as on a single node.
 *
 * @param batchSize the most messages of a transaction
 * @param closeLimit for how long closing waits for handlers
 */
public record ConsumerSetup(Receiver receiver, int batchSize, Duration closeLimit) {}
