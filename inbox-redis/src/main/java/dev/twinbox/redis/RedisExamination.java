package dev.twinbox.redis;

import dev.twinbox.broker.doctor.Check;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.commands.ProtocolCommand;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/** Looks at a Redis that keeps an inbox' records. */
final class RedisExamination {
  private static final String SUBJECT = "Redis";
  private static final int MAJOR = 6;
  private static final int MINOR = 2;
  private static final Duration SKEW = Duration.ofSeconds(5);
  private static final Duration BACK = Duration.ofSeconds(5);
  private static final byte[] TIME = "return redis.call('TIME')".getBytes(StandardCharsets.UTF_8);
  private static final List<String> COMMANDS =
      List.of(
          "eval",
          "evalsha",
          "time",
          "get",
          "set",
          "del",
          "hset",
          "hdel",
          "hmget",
          "hgetall",
          "incr",
          "zadd",
          "zrem",
          "zscore",
          "zcard",
          "zrange",
          "zrangebyscore",
          "sadd",
          "srem",
          "sismember",
          "srandmember");

  private final UnifiedJedis client;
  private final RedisKeys keys;
  private final List<Finding> findings = new ArrayList<>();

  RedisExamination(UnifiedJedis client, RedisKeys keys) {
    this.client = client;
    this.keys = keys;
  }

  List<Finding> examine() {
    try {
      Map<String, String> info = info();
      version(info);
      role(info);
      memory(info);
      persistence(info);
      clock();
      rights(info);
    } catch (JedisDataException e) {
      findings.add(
          Finding.danger(
              CommonCheck.GRANT_MISSING,
              SUBJECT,
              String.valueOf(e.getMessage()),
              "ACL SETUSER: allow " + String.join(", ", COMMANDS) + " and info."));
    } catch (JedisException | IllegalStateException e) {
      findings.add(
          Finding.unknown(
              CommonCheck.DATABASE_UNREACHABLE,
              SUBJECT,
              String.valueOf(e.getMessage()),
              "Look whether it runs, and at the address and credentials of the client."));
    }
    if (findings.isEmpty()) {
      findings.add(Finding.ok(SUBJECT, "settings and rights are as they should be"));
    }
    return findings;
  }

  private void version(Map<String, String> info) {
    String version = info.getOrDefault("redis_version", "0.0");
    String[] parts = version.split("\\.", 3);
    int major = Integer.parseInt(parts[0]);
    int minor = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
    if (major < MAJOR || (major == MAJOR && minor < MINOR)) {
      findings.add(
          Finding.danger(
              CommonCheck.SERVER_VERSION, SUBJECT, version, "Use Redis 6.2 or newer, or Valkey."));
    }
  }

  private void role(Map<String, String> info) {
    if ("slave".equals(info.get("role"))) {
      findings.add(
          Finding.danger(
              CommonCheck.REPLICA, SUBJECT, "it is a replica", "Connect to the primary."));
      if ("0".equals(info.get("slave_read_only"))) {
        danger(
            RedisCheck.REPLICA_WRITABLE,
            "replica-read-only no",
            "CONFIG SET replica-read-only yes; connect to the primary.");
      }
      return;
    }
    if ("0".equals(info.get("connected_slaves"))) {
      warning(
          RedisCheck.NO_REPLICA,
          "no replica is connected",
          "Add one, and Sentinel or a Cluster to fail over to it.");
    } else if ("0".equals(setting("min-replicas-to-write"))) {
      warning(
          RedisCheck.MIN_REPLICAS_TO_WRITE,
          "min-replicas-to-write 0",
          "CONFIG SET min-replicas-to-write 1, and min-replicas-max-lag 10.");
    }
  }

  private void memory(Map<String, String> info) {
    String policy = info.getOrDefault("maxmemory_policy", "unknown");
    if (!policy.equals("noeviction")) {
      danger(
          RedisCheck.EVICTION,
          "maxmemory-policy " + policy,
          "CONFIG SET maxmemory-policy noeviction, or a Redis of its own for the inbox.");
    }
  }

  private void persistence(Map<String, String> info) {
    if (!"1".equals(info.get("aof_enabled"))) {
      danger(
          RedisCheck.APPEND_ONLY_OFF,
          "appendonly no",
          "CONFIG SET appendonly yes, and in redis.conf.");
      return;
    }
    String fsync = setting("appendfsync");
    if ("no".equals(fsync)) {
      danger(RedisCheck.APPEND_FSYNC, "appendfsync no", "CONFIG SET appendfsync always");
    } else if ("everysec".equals(fsync)) {
      warning(
          RedisCheck.APPEND_FSYNC,
          "appendfsync everysec",
          "CONFIG SET appendfsync always, where a second's effects must not be lost.");
    }
  }

  private void clock() {
    long before = System.currentTimeMillis();
    List<?> answer = (List<?>) client.eval(TIME, List.of(keys.consumerRow()), List.of());
    long after = System.currentTimeMillis();
    long redis =
        Long.parseLong(RedisServer.text(answer.get(0))) * 1_000
            + Long.parseLong(RedisServer.text(answer.get(1))) / 1_000;
    long skew = Math.max(before - redis, redis - after);
    if (skew > SKEW.toMillis()) {
      findings.add(
          Finding.warning(
              CommonCheck.CLOCK_SKEW,
              SUBJECT,
              "this machine is %s s %s Redis"
                  .formatted(skew / 1_000, redis < before ? "ahead of" : "behind"),
              "Let a time service set the clocks of both."));
    }
    List<byte[]> seen = client.hmget(keys.consumerRow(), RedisServer.bytes("seen"));
    byte[] latest = seen.get(0);
    if (latest != null) {
      long back = Long.parseLong(RedisServer.text(latest)) - redis;
      if (back > BACK.toMillis()) {
        warning(
            RedisCheck.CLOCK_WENT_BACK,
            "Redis' clock is %s s behind what it was".formatted(back / 1_000),
            "Let a time service set it, slowly. A record in the way: DEL it when its owner is dead.");
      }
    }
  }

  /** By ACL DRYRUN of Redis 7, which not every user may run. */
  private void rights(Map<String, String> info) {
    try {
      String user = RedisServer.text(ask(Command.ACL, "WHOAMI"));
      if (info.getOrDefault("redis_version", "").startsWith("6.")) {
        return;
      }
      List<String> missing = new ArrayList<>();
      for (String command : COMMANDS) {
        String answer = RedisServer.text(ask(Command.ACL, dryRun(user, command)));
        if (answer.contains("no permissions")) {
          missing.add(command);
        }
      }
      if (!missing.isEmpty()) {
        findings.add(
            Finding.danger(
                CommonCheck.GRANT_MISSING,
                "Redis user " + user,
                "may not run " + String.join(", ", missing),
                "ACL SETUSER %s +%s".formatted(user, String.join(" +", missing))));
      }
    } catch (JedisDataException e) {
      findings.add(
          Finding.unknown(
              CommonCheck.NOT_READABLE,
              SUBJECT,
              "rights: " + e.getMessage(),
              "ACL SETUSER: allow acl|whoami and acl|dryrun."));
    }
  }

  /** With as many arguments as the command wants; the key is one of ours. */
  private String[] dryRun(String user, String command) {
    String key = RedisServer.text(keys.consumerRow());
    List<String> words = new ArrayList<>(List.of("DRYRUN", user, command));
    words.addAll(
        switch (command) {
          case "eval", "evalsha" -> List.of("return 1", "1", key);
          case "time" -> List.of();
          case "get", "del", "hgetall", "incr", "zcard" -> List.of(key);
          case "set",
              "hdel",
              "hmget",
              "zrem",
              "zscore",
              "sadd",
              "srem",
              "sismember",
              "srandmember" ->
              List.of(key, "1");
          default -> List.of(key, "1", "1");
        });
    return words.toArray(String[]::new);
  }

  private Map<String, String> info() {
    Map<String, String> values = new HashMap<>();
    for (String line : RedisServer.text(ask(Command.INFO)).split("\r?\n", -1)) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        values.put(line.substring(0, colon), line.substring(colon + 1).strip());
      }
    }
    return values;
  }

  private @Nullable String setting(String name) {
    try {
      // A list of two by RESP2, a map by RESP3.
      List<?> answer = (List<?>) ask(Command.CONFIG, "GET", name);
      if (!answer.isEmpty()) {
        return RedisServer.text(
            answer.get(0) instanceof Map.Entry<?, ?> entry ? entry.getValue() : answer.get(1));
      }
    } catch (JedisDataException e) {
      // Below.
    }
    findings.add(
        Finding.unknown(
            CommonCheck.NOT_READABLE,
            SUBJECT,
            name + " cannot be read",
            "ACL SETUSER: allow config|get, or look at the provider's settings."));
    return null;
  }

  private Object ask(ProtocolCommand command, String... words) {
    return client.sendCommand(RedisServer.text(keys.consumerRow()), command, words);
  }

  private void danger(Check check, String value, String remedy) {
    findings.add(Finding.danger(check, SUBJECT, value, remedy));
  }

  private void warning(Check check, String value, String remedy) {
    findings.add(Finding.warning(check, SUBJECT, value, remedy));
  }
}
