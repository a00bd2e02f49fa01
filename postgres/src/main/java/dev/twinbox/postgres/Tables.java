package dev.twinbox.postgres;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Twinbox's tables in the schema of the user's choosing, quoted.
 *
 * @param quotedSchema the schema's name in double quotes
 */
public record Tables(String quotedSchema) {
  private static final Pattern NAME = Pattern.compile("\\{([a-z_][a-z_0-9]*)}");

  /**
   * Tables in the named schema.
   *
   * @throws IllegalArgumentException when {@link SchemaName} does not accept the name
   */
  public static Tables in(String schema) {
    return new Tables(new SchemaName(schema).quoted());
  }

  /** {@code name} in this schema, ready for SQL. */
  public String of(String name) {
    return quotedSchema + "." + name;
  }

  /** {@code sql} with every {@code {name}} replaced by that table in this schema. */
  public String sql(String sql) {
    return NAME.matcher(sql).replaceAll(Matcher.quoteReplacement(quotedSchema) + ".$1");
  }

  /** As {@link #sql}, with parameters by name. */
  public Sql named(String sql) {
    return Sql.of(sql(sql));
  }
}
