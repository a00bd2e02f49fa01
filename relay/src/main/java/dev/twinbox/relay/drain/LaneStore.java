package dev.twinbox.relay.drain;

import dev.twinbox.relay.store.DeadLetters;
import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.WindowReader;

/**
 * The database as a lane sees it.
 *
 * @param log the lanes' states
 * @param reader the outbox rows
 * @param deadLetters what is given up
 */
public record LaneStore(LaneLog log, WindowReader reader, DeadLetters deadLetters) {}
