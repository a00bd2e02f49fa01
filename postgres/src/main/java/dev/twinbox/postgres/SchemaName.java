package dev.twinbox.postgres;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The name of the schema that holds the tables, checked so that it can be quoted anywhere.
 *
 * @param name the name as PostgreSQL stores it; upper and lower case differ
 */
public record SchemaName(String name) {
  private static final Pattern ALLOWED = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_ -]*");

  /** Refuses a name that is not accepted, with {@link IllegalArgumentException}. */
  public SchemaName {
    boolean tooLong = name.getBytes(StandardCharsets.UTF_8).length > 63;
    boolean reserved = name.startsWith("pg_") || name.equals("information_schema");
    if (tooLong || reserved || !ALLOWED.matcher(name).matches()) {
      throw new IllegalArgumentException(
          ("The schema name '%s' is not accepted: use letters, digits, '_', '-' or space, beginning"
                  + " with a letter or '_', at most 63 bytes, not one of PostgreSQL's own.")
              .formatted(name));
    }
  }

  /** The name in double quotes, ready for SQL. */
  public String quoted() {
    return '"' + name + '"';
  }
}
