package dev.twinbox.spring.autoconfigure;

import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * What the service is called where nothing else was said.
 *
 * @param name {@code spring.application.name}, or null
 */
record ApplicationName(@Nullable String name) {
  /** The source of messages: as it was configured, or by the application's name. */
  String source(@Nullable String configured) {
    return configured != null
        ? configured
        : path(required("twinbox.outbox.source", "/shop/orders"));
  }

  /** The consumer, as it was configured, or by the application's name. */
  String consumer(@Nullable String configured) {
    return configured != null ? configured : required("twinbox.inbox.consumer", "billing");
  }

  private String required(String property, String example) {
    if (name == null || name.isBlank()) {
      throw new MissingNameException(property, example);
    }
    return name;
  }

  private static String path(String name) {
    try {
      return new URI(null, null, "/" + name, null).getRawPath();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(
          "spring.application.name '%s' makes no source of messages. Set twinbox.outbox.source."
              .formatted(name),
          e);
    }
  }
}
