package dev.twinbox.inbox;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Quotes the name of the schema; accepts what the migrations accept. */
final class SchemaNames {
  private static final Pattern ALLOWED = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_ -]*");

  private SchemaNames() {}

  static String quoted(String name) {
    boolean tooLong = name.getBytes(StandardCharsets.UTF_8).length > 63;
    if (tooLong || !ALLOWED.matcher(name).matches()) {
      throw new IllegalArgumentException(
          ("The schema name '%s' is not accepted: use letters, digits, '_', '-' or space, beginning"
                  + " with a letter or '_', at most 63 bytes.")
              .formatted(name));
    }
    return '"' + name + '"';
  }
}
