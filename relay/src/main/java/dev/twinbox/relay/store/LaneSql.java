package dev.twinbox.relay.store;

/** SQL about lanes that several statements share. */
final class LaneSql {
  private LaneSql() {}

  /**
   * The lane in which a message belongs now: the one it has, or, when that is retired, its key's
   * among the broker's present lanes. Null for a lane that is unknown.
   *
   * @param row the alias of a row with the columns lane, key and id
   */
  static String laneNow(String row) {
    return ("(select case when l.retired_at is null then l.lane else b.first_lane +"
            + " {outbox_lane_hash}(%1$s.key, %1$s.id) %% b.lanes end from {outbox_lane} l join"
            + " {outbox_broker} b on b.broker = l.broker where l.lane = %1$s.lane)")
        .formatted(row);
  }
}
