package dev.twinbox.outbox;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The patterns of {@link Destination}, compiled once. */
final class DestinationGrammar {
  static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,31}");
  static final Pattern BROKER = Pattern.compile("(kafka|rabbitmq)(?:@(" + NAME.pattern() + "))?");
  static final Pattern TOPIC = Pattern.compile("[a-zA-Z0-9._-]{1,249}");

  private DestinationGrammar() {}

  static void name(@Nullable String name) {
    if (name != null && !NAME.matcher(name).matches()) {
      throw new InvalidMessageException(
          "destination",
          "destination names the broker %s; use a-z, 0-9 and '-', beginning with a letter or digit, at most 32."
              .formatted(Texts.shown(name)));
    }
  }
}
