package dev.twinbox.setaside;

import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import org.jooq.Condition;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;

/**
 * What a {@link Selection} can ask for. A constant is all that a new filter needs: commands offer
 * it as an option, tables look it up in their columns, the audit names it.
 */
public enum Filter {
  NUMBER(
      Value.NUMBERS,
      "N",
      "Those with these numbers, as 'list' shows them.",
      (table, value) ->
          table.number().eq(DSL.any(DSL.val(longs(value), SQLDataType.BIGINT.array())))),
  BEYOND(
      Value.NUMBER,
      "N",
      "Only numbers beyond this one, to page on or to go on.",
      (table, value) -> table.number().gt((Long) value)),
  ID(
      Value.TEXTS,
      "ID",
      "Those with these message ids.",
      (table, value) -> table.hasId(texts(value))),
  CONSUMER(
      Value.TEXT,
      "NAME",
      "Only those of this consumer.",
      (table, value) -> table.isFor((String) value)),
  DESTINATION(
      Value.TEXT,
      "DESTINATION",
      "Only those to this destination, as in kafka:orders.",
      "destination"),
  KEY(Value.TEXT, "KEY", "Only those with this key.", "key"),
  REASON(Value.TEXT, "REASON", "Only those with this reason, as 'group' shows it.", "reason"),
  ERROR(
      Value.TEXT,
      "CLASS",
      "Only those with this class of error, as 'group' shows it.",
      (table, value) -> ErrorFields.errorClass(table).eq(table.stored((String) value))),
  CAUSE(
      Value.TEXT,
      "CAUSE",
      "Only those of this cause, as 'group' shows it.",
      (table, value) -> ErrorFields.cause(table).eq((String) value)),
  FROM(
      Value.TIME,
      "TIME",
      "Only those of then or later, as in 2026-11-22T07:00:00Z.",
      (table, value) -> table.time().ge(((Instant) value).atOffset(ZoneOffset.UTC))),
  BEFORE(
      Value.TIME,
      "TIME",
      "Only those of before then, as in 2026-11-22T07:00:00Z.",
      (table, value) -> table.time().lt(((Instant) value).atOffset(ZoneOffset.UTC)));

  /** What a filter compares with, and its type in Java. */
  public enum Value {
    /** A list of {@link Long}. */
    NUMBERS,
    /** A {@link Long}. */
    NUMBER,
    /** A list of {@link String}. */
    TEXTS,
    /** A {@link String}. */
    TEXT,
    /** An {@link Instant}, by the database's clock. */
    TIME
  }

  @FunctionalInterface
  private interface Sql {
    Condition matches(SetAsideTable table, Object value);
  }

  private final Value value;
  private final String label;
  private final String description;
  private final transient Sql sql;

  Filter(Value value, String label, String description, Sql sql) {
    this.value = value;
    this.label = label;
    this.description = description;
    this.sql = sql;
  }

  /** One that compares a column of text, which every table has that has this filter. */
  Filter(Value value, String label, String description, String column) {
    this(
        value,
        label,
        description,
        (table, text) -> SetAsideTable.text(column).eq(table.stored((String) text)));
  }

  /** Its name on the command line and in the audit: {@code reason}. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What it compares with. */
  public Value value() {
    return value;
  }

  /** Names the value in a command's help: {@code REASON}. */
  public String label() {
    return label;
  }

  /** One sentence for a command's help. */
  public String description() {
    return description;
  }

  Condition matches(SetAsideTable table, Object compared) {
    return sql.matches(table, compared);
  }

  /** The value if it is of the filter's type; a list is copied. */
  Object checked(Object given) {
    return switch (value) {
      case NUMBERS -> List.of(longs(given));
      case TEXTS -> List.copyOf(texts(given));
      case NUMBER -> Long.class.cast(given);
      case TEXT -> String.class.cast(given);
      case TIME -> Instant.class.cast(given);
    };
  }

  private static Long[] longs(Object list) {
    return ((List<?>) list).stream().map(Long.class::cast).toArray(Long[]::new);
  }

  private static List<String> texts(Object list) {
    return ((List<?>) list).stream().map(String.class::cast).toList();
  }
}
