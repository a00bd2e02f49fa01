package dev.twinbox.examples.soak;

import java.util.ArrayList;
import java.util.List;
import org.jooq.DSLContext;

/**
 * The business on both sides. The writing one keeps a row a message and a counter a key, whose
 * update locks the key; the reading one a row an effect, numbered within its key under a lock, and
 * nothing that would keep out a second effect of a message.
 */
final class SoakTables {
  /** Messages whose transactions lock the key before they enqueue. */
  static final String LOCKED = "locked-";

  /** Messages that leave the lock to {@code ordered()}. */
  static final String ORDERED = "ordered-";

  /** Counters of messages without a key. */
  static final String KEYLESS = "keyless";

  static final int LOCKED_KEYS = 40;
  static final int ORDERED_KEYS = 24;

  private SoakTables() {}

  static void create(DSLContext owner) {
    owner.execute("create schema soak");
    owner.execute("create table soak.chain (key text primary key, last bigint not null)");
    owner.execute(
        "create table soak.sent (message_id uuid primary key, key text not null, sequence bigint not"
            + " null, sent_by text not null)");
    owner.execute("create table soak.noise (number bigint generated always as identity)");
    owner.execute("create table soak.balance (key text primary key, effects bigint not null)");
    owner.execute(
        "create table soak.effect (key text, nth bigint, message_id uuid not null, applied_by text"
            + " not null, primary key (key, nth))");
    for (String key : keys()) {
      owner.execute("insert into soak.chain values (?, 0)", key);
      owner.execute("insert into soak.balance values (?, 0)", key);
    }
  }

  /** What the producer's and the consumer's roles may do with them. */
  static void grant(DSLContext owner, String producer, String consumer) {
    owner.execute("grant usage on schema soak to " + producer + ", " + consumer);
    owner.execute("grant select, update on soak.chain to " + producer);
    owner.execute("grant insert on soak.sent, soak.noise to " + producer);
    owner.execute("grant select, update on soak.balance to " + consumer);
    owner.execute("grant insert on soak.effect to " + consumer);
  }

  static String locked(int number) {
    return LOCKED + number;
  }

  static String ordered(int number) {
    return ORDERED + number;
  }

  private static List<String> keys() {
    List<String> keys = new ArrayList<>(List.of(KEYLESS));
    for (int i = 0; i < LOCKED_KEYS; i++) {
      keys.add(locked(i));
    }
    for (int i = 0; i < ORDERED_KEYS; i++) {
      keys.add(ordered(i));
    }
    return keys;
  }
}
