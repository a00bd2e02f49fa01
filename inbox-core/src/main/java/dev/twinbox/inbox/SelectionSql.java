package dev.twinbox.inbox;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The conditions of a selection and their values. */
final class SelectionSql {
  /** What is selected from, to be filled with the schema. */
  static final String FROM =
      "%1$s.inbox_dead_letter d join %1$s.inbox_consumer c using (consumer_id)";

  // Of a handler's error only the class: the message often names the one message it is about.
  static final String ERROR_KIND =
      "case when d.id_recorded"
          + " then coalesce(split_part(split_part(d.error, E'\\n', 1), ':', 1), '') else '' end";

  private final List<String> conditions = new ArrayList<>();
  private final List<Object> values = new ArrayList<>();
  private final List<Long> numbers;
  private final List<String> ids;

  SelectionSql(QuarantineSelection selection, String among) {
    conditions.add(among);
    numbers = selection.numbers();
    ids = selection.ids();
    if (!numbers.isEmpty()) {
      conditions.add("d.number = any (?)");
    }
    if (!ids.isEmpty()) {
      conditions.add("d.id = any (?)");
    }
    add("c.consumer = ?", selection.consumer());
    QuarantineReason reason = selection.reason();
    add("d.reason = ?", reason == null ? null : reason.code());
    add(ERROR_KIND + " = ?", selection.error());
    Instant before = selection.before();
    add("d.dead_at < ?", before == null ? null : before.atOffset(ZoneOffset.UTC));
  }

  private void add(String condition, @Nullable Object value) {
    if (value != null) {
      conditions.add(condition);
      values.add(value);
    }
  }

  String text() {
    return " where " + String.join(" and ", conditions);
  }

  String limit(@Nullable Long limit) {
    return limit == null ? "" : " limit " + limit;
  }

  void bind(PreparedStatement statement, int first) throws SQLException {
    int index = first;
    if (!numbers.isEmpty()) {
      Object[] array = numbers.toArray();
      statement.setArray(index++, statement.getConnection().createArrayOf("bigint", array));
    }
    if (!ids.isEmpty()) {
      Object[] array = ids.toArray();
      statement.setArray(index++, statement.getConnection().createArrayOf("text", array));
    }
    for (Object value : values) {
      statement.setObject(index++, value);
    }
  }
}
