package dev.twinbox.inbox;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
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
  private final DatabaseText text = new DatabaseText();
  private final List<Object> values = new ArrayList<>();
  private final List<Long> numbers;
  private final List<String> ids;

  SelectionSql(QuarantineSelection selection, String stateCondition) {
    conditions.add(stateCondition);
    numbers = selection.numbers();
    ids = selection.ids();
    if (!numbers.isEmpty()) {
      conditions.add("d.number = any (?)");
    }
    if (!ids.isEmpty()) {
      conditions.add("d.id = any (?)");
    }
    String consumer = selection.consumer();
    if (consumer != null) {
      // As bytes: a name that does not fit into the database was registered escaped.
      conditions.add("convert_to(c.consumer, 'UTF8') in (?, ?)");
      values.add(consumer.getBytes(StandardCharsets.UTF_8));
      values.add(ConsumerRegistry.escaped(consumer).getBytes(StandardCharsets.UTF_8));
    }
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
    Connection connection = statement.getConnection();
    int index = first;
    if (!numbers.isEmpty()) {
      Object[] array = numbers.toArray();
      statement.setArray(index++, connection.createArrayOf("bigint", array));
    }
    if (!ids.isEmpty()) {
      statement.setArray(index++, connection.createArrayOf("text", stored(connection)));
    }
    for (Object value : values) {
      Object storable = value instanceof String said ? text.readable(connection, said) : value;
      statement.setObject(index++, storable);
    }
  }

  /** The ids as they may stand in the database. */
  private @Nullable Object[] stored(Connection connection) throws SQLException {
    Set<@Nullable String> all = new LinkedHashSet<>();
    for (String id : ids) {
      all.add(text.readable(connection, id));
      all.add(text.restorable(connection, id));
    }
    return all.toArray();
  }
}
