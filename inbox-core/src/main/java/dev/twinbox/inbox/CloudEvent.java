package dev.twinbox.inbox;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads the CloudEvents 1.0 attributes of a message, whatever broker brought it. For the code that
 * knows a broker's headers; one instance a message, for one thread.
 */
public final class CloudEvent {
  /** The header of a message whose headers could not be read and were left out: why. */
  public static final String UNREADABLE = "twinbox-unreadable";

  /** The header that holds what was left out, in Base64. */
  public static final String UNREADABLE_TABLE = "twinbox-unreadable-table";

  private static final String STRUCTURED = "application/cloudevents";

  /**
   * The header of a quarantined message whose texts do not fit into the database's encoding: they
   * are stored escaped, and are what they were when it is handled or shown.
   */
  static final String ESCAPED = "twinbox-escaped";

  private static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");
  private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

  private static final Set<String> NEVER_QUOTED =
      Set.of(
          "specversion",
          "source",
          "type",
          "time",
          "destination",
          "expirytime",
          "datacontenttype",
          "traceparent");

  private final Map<String, String> attributes = new LinkedHashMap<>();
  private final Map<String, String> headers = new LinkedHashMap<>();
  private @Nullable String defect;
  private boolean converted;

  /**
   * Takes an attribute under its name in CloudEvents, without the broker's prefix. What Kafka
   * Connect's converters make of it, text in quotes for instance, is taken for what it was.
   */
  public CloudEvent attribute(String name, String value) {
    boolean ours = NEVER_QUOTED.contains(name);
    String plain = ours ? AttributeText.plain(value) : value;
    converted |= ours && AttributeText.unquoted(value) != null;
    String before = attributes.put(name, plain);
    boolean same = before == null || before.equals(plain);
    if (!same && !(name.equals("id") && comparable(plain).equals(comparable(before)))) {
      defect("The attribute '%s' has two values.".formatted(name));
    }
    return this;
  }

  private static String comparable(String id) {
    UUID uuid = UuidText.parse(id);
    return uuid == null ? AttributeText.plain(id) : uuid.toString();
  }

  /** The id as its sender gave it; a UUID in its usual spelling, unless it may be a mere hash. */
  private @Nullable String id() {
    String id = attributes.get("id");
    if (id == null) {
      return null;
    }
    UUID uuid = UuidText.parse(id);
    return uuid != null && (id.indexOf('-') >= 0 || InboxIds.version7(id) != null)
        ? uuid.toString()
        : original(id);
  }

  /** Quotes that anybody may use are taken for a converter's where it has put others in quotes. */
  private String original(String text) {
    String unquoted = converted ? AttributeText.unquoted(text) : null;
    return unquoted == null ? text : unquoted;
  }

  /** Takes a header of the sender's own. */
  public CloudEvent header(String name, String value) {
    headers.put(name, value);
    return this;
  }

  /** Says what is wrong with the message; the first defect counts. */
  public CloudEvent defect(String what) {
    if (defect == null) {
      defect = what;
    }
    return this;
  }

  /** An attribute taken so far, or null. */
  public @Nullable String attribute(String name) {
    return name.equals("id") ? id() : attributes.get(name);
  }

  /** Whether the id says nothing by itself: no UUIDv7, and no source that it belongs to. */
  public boolean isAmbiguous() {
    String id = id();
    return id != null && InboxIds.version7(id) == null && !attributes.containsKey("source");
  }

  /** The delivery; the parameters are what brokers carry elsewhere than in attributes. */
  public Delivery toDelivery(
      @Nullable String key,
      @Nullable String contentType,
      byte @Nullable [] payload,
      String origin,
      boolean redelivered) {
    Map<String, String> rest = new LinkedHashMap<>(attributes);
    String version = rest.remove("specversion");
    if (version != null && !AttributeText.isOne(version)) {
      defect("CloudEvents version '%s' is not 1.0.".formatted(version));
    }
    String id = id();
    rest.remove("id");
    if (id == null && isStructured(contentType)) {
      defect(
          ("The content type '%s' is that of CloudEvents' structured mode, with the attributes in"
                  + " the payload; only binary mode is read. Have the sender use binary mode.")
              .formatted(contentType));
    }
    String source = rest.remove("source");
    String type = rest.remove("type");
    String destination = rest.remove("destination");
    String partitionKey = rest.remove("partitionkey");
    if (partitionKey != null) {
      partitionKey = original(partitionKey);
    }
    Instant time = instant("time", rest.remove("time"));
    Instant expiresAt = instant("expirytime", rest.remove("expirytime"));
    String dataContentType = rest.remove("datacontenttype");
    String traceparent = rest.remove("traceparent");
    if (traceparent != null) {
      headers.putIfAbsent("traceparent", traceparent);
    }
    headers.replaceAll((name, value) -> original(value));
    rest.forEach((name, value) -> headers.put("ce_" + name, original(value)));
    return new Delivery(
        id,
        source,
        type,
        destination,
        key != null ? key : partitionKey,
        contentType != null ? AttributeText.plain(contentType) : dataContentType,
        time,
        expiresAt,
        headers,
        payload,
        origin,
        redelivered,
        defect);
  }

  private static boolean isStructured(@Nullable String contentType) {
    return contentType != null
        && AttributeText.plain(contentType)
            .regionMatches(true, 0, STRUCTURED, 0, STRUCTURED.length());
  }

  private @Nullable Instant instant(String name, @Nullable String text) {
    if (text == null) {
      return null;
    }
    try {
      Instant instant = OffsetDateTime.parse(text).toInstant();
      if (!instant.isBefore(EARLIEST) && !instant.isAfter(LATEST)) {
        return instant;
      }
    } catch (DateTimeException e) {
      // said below
    }
    defect("The attribute '%s' is no RFC 3339 time: '%s'.".formatted(name, text));
    return null;
  }
}
