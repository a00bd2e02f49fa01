package dev.twinbox.relay.drain;

import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.DeadLetters;
import dev.twinbox.relay.store.LaneClosing;
import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.Parked;
import dev.twinbox.relay.store.Pipeline;
import dev.twinbox.relay.store.Ring;
import dev.twinbox.relay.store.WindowReader;
import java.time.Duration;

/**
 * The database as a lane sees it.
 *
 * @param log the lanes' states
 * @param reader the outbox rows
 * @param parked what waits beside the lane
 * @param deadLetters what is given up
 * @param ring how full the outbox is
 * @param closing the end of retired lanes
 */
public record LaneStore(
    LaneLog log,
    WindowReader reader,
    Parked parked,
    DeadLetters deadLetters,
    Ring ring,
    LaneClosing closing) {

  /** All of it, in one database. */
  public static LaneStore of(Pipeline pipeline, Tables tables, Duration lease) {
    return new LaneStore(
        new LaneLog(pipeline, tables, lease),
        new WindowReader(pipeline, tables),
        new Parked(pipeline, tables, lease),
        new DeadLetters(pipeline, tables, lease),
        new Ring(pipeline, tables),
        new LaneClosing(pipeline, tables, lease));
  }
}
