package dev.twinbox.examples.soak;

import java.util.Locale;

/** What is done to the system, and whose work it has to hit. */
enum FaultKind {
  KILL_PRODUCER(Role.PRODUCER),
  KILL_RELAY(Role.RELAY),
  KILL_CONSUMER(Role.CONSUMER),
  KILL_BROKER(Role.RELAY),
  PAUSE_RELAY(Role.RELAY),
  PAUSE_CONSUMER(Role.CONSUMER),
  PAUSE_BROKER(Role.RELAY),
  PAUSE_POSTGRES(Role.RELAY),
  CRASH_POSTGRES(Role.RELAY),
  CUT_RELAY_POSTGRES(Role.RELAY),
  CUT_RELAY_BROKER(Role.RELAY),
  CUT_CONSUMER_POSTGRES(Role.CONSUMER),
  CUT_CONSUMER_BROKER(Role.CONSUMER),
  FREEZE_RELAY_POSTGRES(Role.RELAY),
  FREEZE_RELAY_BROKER(Role.RELAY),
  FREEZE_CONSUMER_POSTGRES(Role.CONSUMER),
  FREEZE_CONSUMER_BROKER(Role.CONSUMER),
  RAISE_ALARM(Role.RELAY);

  private final Role victim;

  FaultKind(Role victim) {
    this.victim = victim;
  }

  /** Who must be in the middle of something for the fault to count. */
  Role victim() {
    return victim;
  }

  /** Whether a relay may not know afterwards what it has published, and publish it again. */
  boolean leavesDoubt() {
    return victim == Role.RELAY;
  }

  /** As users type it and the report shows it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
