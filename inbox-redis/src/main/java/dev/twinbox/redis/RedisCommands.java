package dev.twinbox.redis;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Commands that are executed in Redis, in their order, by the one script that also records the
 * message's id, when its handler has returned. They give no answers: read with a client of your own
 * before, or use commands that decide for themselves.
 *
 * <p>Redis rolls nothing back. When the first command fails nothing is written and the message is
 * tried again; when a later one fails the message is quarantined with what was executed, and is not
 * tried again by itself.
 *
 * <p>In a Cluster all keys lie in the slot of the record, see {@link RedisInbox.Builder#hashTag}.
 * Not thread-safe.
 */
public final class RedisCommands {
  // A script's arguments are put on Lua's stack, which takes some 8,000.
  private static final int MOST_ARGUMENTS = 7_000;

  private final List<List<byte[]>> commands = new ArrayList<>();

  RedisCommands() {}

  /**
   * Adds a command, such as {@code call("HINCRBY", "balances", account, "5")}.
   *
   * @param command its name; not one that blocks or begins a transaction
   * @param arguments its keys and arguments
   * @throws IllegalArgumentException for more than 7,000 arguments
   */
  public RedisCommands call(String command, String... arguments) {
    byte[][] bytes = new byte[arguments.length][];
    for (int i = 0; i < arguments.length; i++) {
      bytes[i] = arguments[i].getBytes(StandardCharsets.UTF_8);
    }
    return call(command, bytes);
  }

  /** The same with arguments of any bytes. */
  public RedisCommands call(String command, byte[]... arguments) {
    if (arguments.length > MOST_ARGUMENTS) {
      throw new IllegalArgumentException(
          "%s has %s arguments; the limit is %s. Hand over several commands."
              .formatted(command, arguments.length, MOST_ARGUMENTS));
    }
    List<byte[]> words = new ArrayList<>(arguments.length + 1);
    words.add(command.getBytes(StandardCharsets.UTF_8));
    words.addAll(List.of(arguments));
    commands.add(words);
    return this;
  }

  List<List<byte[]>> all() {
    return commands;
  }
}
