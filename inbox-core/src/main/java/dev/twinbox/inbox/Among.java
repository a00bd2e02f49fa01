package dev.twinbox.inbox;

/** Which of the selected messages are meant. */
enum Among {
  KEPT("d.discarded_at is null"),
  DISCARDED("d.discarded_at is not null"),
  IDLE("d.discarded_at is null and d.redrive is null"),
  PASSABLE(
      "d.discarded_at is null and d.redrive is null and d.message_id is not null"
          + " and (d.id_recorded or d.reason = 'older-than-dedup-horizon')");

  private final String condition;

  Among(String condition) {
    this.condition = condition;
  }

  String condition() {
    return condition;
  }
}
