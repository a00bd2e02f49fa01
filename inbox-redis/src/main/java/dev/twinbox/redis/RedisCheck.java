package dev.twinbox.redis;

import dev.twinbox.broker.doctor.Check;

/** What is looked for in a Redis that keeps an inbox' records. */
public enum RedisCheck implements Check {
  /** A policy of maxmemory. */
  EVICTION("Records are dropped when memory runs out: their messages take effect again."),
  /** Off. */
  APPEND_ONLY_OFF("A restart forgets what was written since the last snapshot, or everything."),
  /** No or everysec. */
  APPEND_FSYNC("A crash of the machine loses records, and effects, that were confirmed."),
  /** None is connected. */
  NO_REPLICA("While this server is down nothing is consumed; the loss of its disk loses all."),
  /** 0. */
  MIN_REPLICAS_TO_WRITE("A failover loses writes that no replica had, records and effects."),
  /** Written to. */
  REPLICA_WRITABLE("What is written to a replica is gone with the next synchronisation."),
  /** Redis' clock has gone back. */
  CLOCK_WENT_BACK("Leases last longer by as much: messages of a dead owner wait for so long.");

  private final String risk;

  RedisCheck(String risk) {
    this.risk = risk;
  }

  @Override
  public String risk() {
    return risk;
  }

  @Override
  public boolean isRefused() {
    return true;
  }
}
