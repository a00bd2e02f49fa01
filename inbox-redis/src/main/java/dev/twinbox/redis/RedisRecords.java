package dev.twinbox.redis;

import dev.twinbox.inbox.CheckedDelivery;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The records of ids; see {@link Script} for their states. Thread-safe. */
final class RedisRecords {
  private final RedisServer server;
  private final RedisKeys keys;
  private final long leaseMicros;
  private final long expiryMillis;

  /**
   * @param kept for how long a record is kept
   */
  RedisRecords(RedisServer server, RedisKeys keys, Duration lease, Duration kept) {
    this.server = server;
    this.keys = keys;
    leaseMicros = TimeUnit.NANOSECONDS.toMicros(lease.toNanos());
    expiryMillis = kept.toMillis();
  }

  enum State {
    TAKEN,
    /** Another one has it in work. */
    IN_WORK,
    /** Taken before and not finished; not taken now. */
    SUSPECT,
    /** Its commands were executed in part. */
    BROKEN,
    /** Processed, or in quarantine. */
    DONE
  }

  /**
   * What came of taking an id.
   *
   * @param token the fencing token, where it is taken or broken
   * @param attempts how often it was taken without being finished, this time included
   * @param millisLeft until the lease of whoever has it in work ends
   * @param error of its commands
   */
  @SuppressWarnings("ArrayRecordComponent") // never changed; two takings are never equal
  record Taking(
      byte[] key, State state, String token, int attempts, long millisLeft, String error) {}

  /**
   * One message that was handled.
   *
   * @param commands its effects
   */
  record Finishing(Taking taking, List<List<byte[]>> commands) {}

  enum End {
    DONE,
    /** Its lease had ended and another one has taken it: nothing was executed. */
    LOST,
    /** Given back, behind one that was not finished. */
    HELD,
    /** Its first command failed: nothing was executed, and it is still taken. */
    FAILED,
    /** A later command failed: it is broken. */
    BROKEN
  }

  record Ended(End end, String error) {}

  /**
   * Takes ids in one round trip.
   *
   * @param again whether also to take what was taken before and not finished
   */
  List<Taking> take(List<CheckedDelivery> deliveries, boolean again) {
    List<RedisServer.Call> calls = new ArrayList<>(deliveries.size());
    List<byte[]> arguments =
        List.of(
            RedisServer.bytes(leaseMicros),
            RedisServer.bytes(expiryMillis),
            RedisServer.bytes(again ? 1 : 0));
    for (CheckedDelivery checked : deliveries) {
      calls.add(
          new RedisServer.Call(List.of(keys.record(checked.id(), checked.delivery())), arguments));
    }
    List<Object> answers = server.run("The ids were not taken", Script.TAKE, calls);
    List<Taking> takings = new ArrayList<>(answers.size());
    for (int i = 0; i < answers.size(); i++) {
      takings.add(taking(calls.get(i).keys().get(0), (List<?>) answers.get(i)));
    }
    return takings;
  }

  private static Taking taking(byte[] key, List<?> answer) {
    String word = RedisServer.text(answer.get(1));
    int attempts = Integer.parseInt(RedisServer.text(answer.get(2)));
    return switch (RedisServer.text(answer.get(0))) {
      case "T" -> new Taking(key, State.TAKEN, word, attempts, 0, "");
      case "H" -> new Taking(key, State.IN_WORK, "", attempts, Long.parseLong(word), "");
      case "S" -> new Taking(key, State.SUSPECT, "", attempts, 0, "");
      case "X" -> new Taking(key, State.BROKEN, word, attempts, 0, RedisServer.text(answer.get(3)));
      default -> new Taking(key, State.DONE, "", 0, 0, "");
    };
  }

  /**
   * Writes that messages are processed, with their effects, in one round trip.
   *
   * @param groups each of one key, in order; what follows one that is not finished is given back
   */
  List<List<Ended>> finish(List<List<Finishing>> groups) {
    List<RedisServer.Call> calls = new ArrayList<>(groups.size());
    for (List<Finishing> group : groups) {
      List<byte[]> records = new ArrayList<>(group.size());
      List<byte[]> arguments = new ArrayList<>();
      arguments.add(RedisServer.bytes(expiryMillis));
      for (Finishing finishing : group) {
        records.add(finishing.taking().key());
        arguments.add(RedisServer.bytes(finishing.taking().token()));
        arguments.add(RedisServer.bytes(finishing.commands().size()));
        for (List<byte[]> words : finishing.commands()) {
          arguments.add(RedisServer.bytes(words.size()));
          arguments.addAll(words);
        }
      }
      calls.add(new RedisServer.Call(records, arguments));
    }
    List<List<Ended>> ends = new ArrayList<>(groups.size());
    for (Object answer : server.runAndWait("The effects are unknown", Script.FINISH, calls)) {
      ends.add(((List<?>) answer).stream().map(end -> ended((List<?>) end)).toList());
    }
    return ends;
  }

  private static Ended ended(List<?> answer) {
    String error =
        answer.size() < 3
            ? ""
            : "command %s: %s"
                .formatted(RedisServer.text(answer.get(1)), RedisServer.text(answer.get(2)));
    End end =
        switch (RedisServer.text(answer.get(0))) {
          case "D" -> End.DONE;
          case "R" -> End.HELD;
          case "E" -> End.FAILED;
          case "X" -> End.BROKEN;
          default -> End.LOST;
        };
    return new Ended(end, error);
  }

  /** Gives back what was taken, with its attempt not counted. */
  void release(List<Taking> takings) {
    change("release", takings);
  }

  /** Leases what is in work for longer. */
  void renew(List<Taking> takings) {
    change("renew", takings);
  }

  /** Gives back what has failed; returns false when somebody else has taken it. */
  boolean fail(Taking taking) {
    return change("fail", List.of(taking)).get(0);
  }

  /** From now on it is a duplicate; returns false when somebody else has taken it. */
  boolean quarantine(Taking taking) {
    return change("quarantine", List.of(taking)).get(0);
  }

  /** Lets what is in quarantine be taken again. */
  void reopen(byte[] key) {
    change("reopen", List.of(new Taking(key, State.DONE, "0", 0, 0, "")));
  }

  private List<Boolean> change(String what, List<Taking> takings) {
    List<RedisServer.Call> calls = new ArrayList<>(takings.size());
    for (Taking taking : takings) {
      calls.add(
          new RedisServer.Call(
              List.of(taking.key()),
              List.of(
                  RedisServer.bytes(what),
                  RedisServer.bytes(taking.token()),
                  RedisServer.bytes(expiryMillis),
                  RedisServer.bytes(leaseMicros))));
    }
    return server.run("The record was not changed", Script.CHANGE, calls).stream()
        .map(answer -> ((Long) answer) >= 0)
        .toList();
  }
}
