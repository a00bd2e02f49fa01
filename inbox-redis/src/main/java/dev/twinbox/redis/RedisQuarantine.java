package dev.twinbox.redis;

import dev.twinbox.inbox.CheckedDelivery;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.QuarantineReason;
import dev.twinbox.setaside.SetAsideMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.params.ZRangeParams;

/**
 * What an inbox has put aside: whole messages with the reason, kept until an operator redrives or
 * discards them. Thread-safe.
 *
 * @see RedisInbox#quarantine()
 */
public final class RedisQuarantine {
  private static final String FAILURE = "The quarantine was not read or written";

  private final RedisServer server;
  private final RedisKeys keys;

  RedisQuarantine(RedisServer server, RedisKeys keys) {
    this.server = server;
    this.keys = keys;
  }

  /** How many messages there are. */
  public long count() {
    return server.ask(FAILURE, () -> client().zcard(keys.quarantine()));
  }

  /**
   * The oldest messages, with their payloads.
   *
   * @param limit at most so many
   */
  public List<SetAsideMessage> list(int limit) {
    return server.ask(
        FAILURE,
        () -> {
          List<SetAsideMessage> messages = new ArrayList<>();
          for (byte[] name : client().zrange(keys.quarantine(), 0, limit - 1L)) {
            read(text(name)).ifPresent(kept -> messages.add(kept.message()));
          }
          return messages;
        });
  }

  /**
   * Asks the running consumers to handle messages once more, however old or late they are.
   *
   * @return how many of them are in quarantine and have an id
   */
  public int redrive(long... numbers) {
    return server.ask(
        FAILURE,
        () -> {
          int asked = 0;
          for (long number : numbers) {
            for (byte[] name : named(number)) {
              if (read(text(name)).filter(kept -> kept.message().messageId() != null).isPresent()) {
                client().sadd(keys.redrives(), name);
                asked++;
              }
            }
          }
          return asked;
        });
  }

  /**
   * Forgets messages; their ids stay recorded.
   *
   * @return how many there were
   */
  public int discard(long... numbers) {
    return server.ask(
        FAILURE,
        () -> {
          int discarded = 0;
          for (long number : numbers) {
            for (byte[] name : named(number)) {
              leave(text(name));
              discarded++;
            }
          }
          return discarded;
        });
  }

  /** A message with what it is kept under. */
  record Kept(String name, SetAsideMessage message) {
    @SuppressWarnings("NullAway") // which reads "byte @Nullable []" of other modules wrongly
    Delivery delivery() {
      return new Delivery(
          message.id(),
          message.source(),
          message.type(),
          message.destination(),
          message.key(),
          message.contentType(),
          message.time(),
          message.expiresAt(),
          message.headers(),
          message.payload(),
          String.valueOf(message.origin()),
          true,
          null);
    }
  }

  /** Keeps a message whose id is about to be recorded as quarantined, or another's. */
  void keep(CheckedDelivery checked, QuarantineReason reason, String error, int attempts) {
    Delivery delivery = checked.delivery();
    String name = name(checked, attempts > 0);
    List<byte[]> arguments = new ArrayList<>();
    arguments.add(RedisServer.bytes(name));
    put(arguments, "message_id", checked.hasId() ? checked.id().toString() : null);
    put(arguments, "id", delivery.id());
    put(arguments, "source", delivery.source());
    put(arguments, "type", delivery.type());
    put(arguments, "destination", delivery.destination());
    put(arguments, "key", delivery.key());
    put(arguments, "content_type", delivery.contentType());
    put(arguments, "time", delivery.time() == null ? null : delivery.time().toString());
    put(
        arguments,
        "expires_at",
        delivery.expiresAt() == null ? null : delivery.expiresAt().toString());
    put(arguments, "origin", delivery.origin());
    put(arguments, "reason", reason.code());
    put(arguments, "error", error);
    put(arguments, "attempts", Integer.toString(attempts));
    delivery.headers().forEach((header, value) -> put(arguments, "header:" + header, value));
    byte[] payload = delivery.payload();
    if (payload != null) {
      arguments.add(RedisServer.bytes("payload"));
      arguments.add(payload);
    }
    server.run(
        "The message was not quarantined",
        Script.KEEP,
        new RedisServer.Call(
            List.of(keys.quarantined(name), keys.quarantine(), keys.quarantineCounter()),
            arguments));
  }

  /** Takes a message out whose handler was tried, where it is kept. */
  void leave(CheckedDelivery checked) {
    leave(name(checked, true));
  }

  void leave(String name) {
    server.ask(
        FAILURE,
        () -> {
          client().del(keys.quarantined(name));
          client().srem(keys.redrives(), RedisServer.bytes(name));
          return client().zrem(keys.quarantine(), RedisServer.bytes(name));
        });
  }

  /**
   * Some of those that are to be redriven. They stay asked for until {@link #redriven} or {@link
   * #leave(String)}, so that a process that dies or loses Redis meanwhile forgets none.
   */
  List<Kept> redrives(int limit) {
    return server.ask(
        FAILURE,
        () -> {
          List<Kept> asked = new ArrayList<>();
          for (byte[] name : client().srandmember(keys.redrives(), limit)) {
            Optional<Kept> kept = read(text(name));
            kept.ifPresentOrElse(asked::add, () -> client().srem(keys.redrives(), name));
          }
          return asked;
        });
  }

  boolean isToBeRedriven(String name) {
    return server.ask(FAILURE, () -> client().sismember(keys.redrives(), RedisServer.bytes(name)));
  }

  /** Its redrive is over, whatever came of it. */
  void redriven(String name) {
    server.ask(FAILURE, () -> client().srem(keys.redrives(), RedisServer.bytes(name)));
  }

  /** What was handled goes by its id; of the others, two copies are two messages. */
  private static String name(CheckedDelivery checked, boolean tried) {
    if (tried && checked.hasId()) {
      return RedisKeys.name(checked.id());
    }
    Delivery delivery = checked.delivery();
    byte[] payload = delivery.payload() == null ? new byte[0] : delivery.payload();
    byte[] words = RedisServer.bytes(delivery.origin() + "\u0000" + delivery.id() + "\u0000");
    byte[] all = ByteBuffer.allocate(words.length + payload.length).put(words).put(payload).array();
    return RedisKeys.name(UUID.nameUUIDFromBytes(all));
  }

  private List<byte[]> named(long number) {
    return client()
        .zrange(
            keys.quarantine(), ZRangeParams.zrangeByScoreParams((double) number, (double) number));
  }

  @SuppressWarnings("NullAway") // as above
  private Optional<Kept> read(String name) {
    Map<String, byte[]> fields = new LinkedHashMap<>();
    client().hgetAll(keys.quarantined(name)).forEach((key, value) -> fields.put(text(key), value));
    if (fields.isEmpty()) {
      return Optional.empty();
    }
    Map<String, String> headers = new LinkedHashMap<>();
    fields.forEach(
        (field, value) -> {
          if (field.startsWith("header:")) {
            headers.put(field.substring("header:".length()), text(value));
          }
        });
    String messageId = get(fields, "message_id");
    String time = get(fields, "time");
    String expiresAt = get(fields, "expires_at");
    byte[] payload = fields.get("payload");
    return Optional.of(
        new Kept(
            name,
            new SetAsideMessage(
                Long.parseLong(known(fields, "number")),
                keys.consumer(),
                messageId == null ? null : UUID.fromString(messageId),
                get(fields, "id"),
                get(fields, "source"),
                known(fields, "origin"),
                get(fields, "destination"),
                get(fields, "key"),
                get(fields, "type"),
                get(fields, "content_type"),
                time == null ? null : Instant.parse(time),
                expiresAt == null ? null : Instant.parse(expiresAt),
                headers,
                payload,
                payload == null ? 0 : payload.length,
                known(fields, "reason"),
                get(fields, "error"),
                Integer.parseInt(known(fields, "attempts")),
                null,
                Instant.ofEpochMilli(Long.parseLong(known(fields, "at"))),
                null,
                null,
                null,
                false)));
  }

  private UnifiedJedis client() {
    return server.client();
  }

  private static void put(List<byte[]> arguments, String field, @Nullable String value) {
    if (value != null) {
      arguments.add(RedisServer.bytes(field));
      arguments.add(RedisServer.bytes(value));
    }
  }

  private static @Nullable String get(Map<String, byte[]> fields, String field) {
    byte[] value = fields.get(field);
    return value == null ? null : text(value);
  }

  private static String known(Map<String, byte[]> fields, String field) {
    String value = get(fields, field);
    return value == null ? "0" : value;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
