package dev.twinbox.setaside;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jooq.Condition;
import org.jooq.DataType;
import org.jooq.Field;
import org.jooq.OrderField;
import org.jooq.Table;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Where messages are set aside: the columns behind a {@link Selection}. What is selected from has
 * the alias {@code d}. For the modules that own such a table; immutable.
 */
public abstract class SetAsideTable {
  private final String name;
  private final Set<Filter> filters;

  /**
   * @param name what lies there, as in "dead letters"
   * @param filters those that it has the columns for
   */
  protected SetAsideTable(String name, Set<Filter> filters) {
    this.name = name;
    this.filters = Set.copyOf(filters);
  }

  /** A column of what is selected from. */
  protected static <T> Field<T> column(String name, DataType<T> type) {
    return DSL.field(DSL.name("d", name), type);
  }

  /** A column of text. */
  protected static Field<String> text(String column) {
    return column(column, SQLDataType.CLOB);
  }

  /** What is selected from, with the alias {@code d}, joined with what else is needed. */
  protected abstract Table<?> rows();

  /** What is locked by an act. */
  protected Table<?> locked() {
    return rows();
  }

  /** Names a message. */
  protected Field<Long> number() {
    return column("number", SQLDataType.BIGINT);
  }

  /** The time that selections mean. */
  protected abstract Field<OffsetDateTime> time();

  /** The order in which messages are shown and handled. */
  protected List<OrderField<?>> order() {
    return List.of(number());
  }

  /** Whether that is the order of numbers, so that an act goes on behind the last one. */
  protected boolean isWalkedByNumber() {
    return true;
  }

  /** What causes are grouped by besides: the consumer or the destination. */
  protected abstract Field<String> where();

  /** What is read of a message. */
  protected abstract List<Field<?>> columns(boolean withPayload);

  /** Reads a row of {@link #columns}. */
  protected abstract SetAsideMessage read(ResultSet row) throws SQLException;

  /** Whether a message's id is one of these. */
  protected abstract Condition hasId(List<String> ids);

  /** Whether it lies in a consumer's quarantine. */
  protected Condition isFor(String consumer) {
    throw new IllegalStateException("No consumer's: " + consumer);
  }

  /** Whether the error is what client or handler has thrown. */
  protected Condition isHandlersError() {
    return DSL.trueCondition();
  }

  /** Whether it was discarded; null where nothing can be. */
  protected @Nullable Condition isDiscarded() {
    return column("discarded_at", SQLDataType.TIMESTAMPWITHTIMEZONE).isNotNull();
  }

  /** Whether nobody can say any more if consumers have processed it. */
  protected Condition isBeyondHorizon() {
    return DSL.falseCondition();
  }

  /** For how many seconds consumers keep dedup records. */
  protected Field<Long> horizonSeconds() {
    return DSL.inline(0L);
  }

  /** The table of the audit. */
  protected abstract Table<?> audit();

  /** Whether the audit keeps what belongs to one act. */
  protected abstract boolean auditHasAct();

  /** A text as it may stand in the database. */
  protected String stored(String text) {
    return text;
  }

  /** Whether a message is selected. */
  protected final Condition matches(Selection selection) {
    Condition all =
        switch (selection.state()) {
          case KEPT -> discardedOr(DSL.falseCondition()).not();
          case DISCARDED -> discardedOr(DSL.falseCondition());
          case ANY -> DSL.trueCondition();
        };
    for (var each : selection.values().entrySet()) {
      if (!filters.contains(each.getKey())) {
        throw new IllegalArgumentException(
            "%s are not selected by %s; they are by %s."
                .formatted(name, each.getKey().code(), codes()));
      }
      all = all.and(each.getKey().matches(this, each.getValue()));
    }
    return all;
  }

  private Condition discardedOr(Condition none) {
    Condition discarded = isDiscarded();
    return discarded == null ? none : discarded;
  }

  private List<String> codes() {
    return filters.stream().sorted().map(Filter::code).toList();
  }

  /** A point in time in a column that is never null. */
  protected static Instant time(ResultSet row, String column) throws SQLException {
    return Objects.requireNonNull(timeOrNull(row, column));
  }

  /** A point in time, or null. */
  protected static @Nullable Instant timeOrNull(ResultSet row, String column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }

  static Duration seconds(@Nullable Long seconds) {
    return Duration.ofSeconds(seconds == null ? 0 : seconds);
  }
}
