package dev.twinbox.inbox;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Quotes the name of the schema. The rule is that of the migrations, repeated here because a
 * consumer needs no Flyway.
 */
final class SchemaNames {
  private static final Pattern ALLOWED = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_ -]*");

  private SchemaNames() {}

  static String quoted(String name) {
    boolean tooLong = name.getBytes(StandardCharsets.UTF_8).length > 63;
    boolean reserved = name.startsWith("pg_") || name.equals("information_schema");
    if (tooLong || reserved || !ALLOWED.matcher(name).matches()) {
      throw new IllegalArgumentException(
          ("The schema name '%s' is not accepted: use letters, digits, '_', '-' or space, beginning"
                  + " with a letter or '_', at most 63 bytes, not one of PostgreSQL's own.")
              .formatted(name));
    }
    return '"' + name + '"';
  }
}
