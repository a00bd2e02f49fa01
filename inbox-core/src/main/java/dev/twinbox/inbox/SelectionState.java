package dev.twinbox.inbox;

/** The states of selected messages that an act applies to, as SQL conditions. */
enum SelectionState {
  KEPT("d.discarded_at is null"),
  DISCARDED("d.discarded_at is not null"),
  IDLE("d.discarded_at is null and d.redrive is null"),
  PASSABLE(
      "d.discarded_at is null and d.redrive is null and d.message_id is not null"
          + " and (d.id_recorded or d.reason = 'older-than-dedup-horizon')");

  private final String condition;

  SelectionState(String condition) {
    this.condition = condition;
  }

  String condition() {
    return condition;
  }
}
