package dev.twinbox.inbox;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
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
  private static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");
  private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

  private final Map<String, String> attributes = new LinkedHashMap<>();
  private final Map<String, String> headers = new LinkedHashMap<>();
  private @Nullable String defect;

  /** Takes an attribute under its name in CloudEvents, without the broker's prefix. */
  public CloudEvent attribute(String name, String value) {
    String before = attributes.put(name, value);
    if (before != null && !before.equals(value)) {
      defect("The attribute '%s' has two values.".formatted(name));
    }
    return this;
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
    return attributes.get(name);
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
    if (version != null && !version.equals("1.0")) {
      defect("CloudEvents version '%s' is not 1.0.".formatted(version));
    }
    String id = rest.remove("id");
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
    Instant time = instant("time", rest.remove("time"));
    Instant expiresAt = instant("expirytime", rest.remove("expirytime"));
    String dataContentType = rest.remove("datacontenttype");
    String traceparent = rest.remove("traceparent");
    if (traceparent != null) {
      headers.putIfAbsent("traceparent", traceparent);
    }
    rest.forEach((name, value) -> headers.put("ce_" + name, value));
    return new Delivery(
        id,
        source,
        type,
        destination,
        key != null ? key : partitionKey,
        contentType != null ? contentType : dataContentType,
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
        && contentType.strip().regionMatches(true, 0, STRUCTURED, 0, STRUCTURED.length());
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
