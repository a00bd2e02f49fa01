package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The statements by which operators change something. Holds no state. */
final class QuarantineTable {
  private final DatabaseText text = new DatabaseText();
  private final QuarantineReader reader;
  private final String from;
  private final String consumers;
  private final String newRedrive;
  private final String mark;
  private final String setSelected;
  private final String beyond;
  private final String stop;
  private final String discard;
  private final String restore;
  private final String pass;
  private final String audit;

  QuarantineTable(String schema, QuarantineReader reader) {
    this.reader = reader;
    from = SelectionSql.FROM.formatted(schema);
    consumers = "select distinct d.consumer_id from " + from;
    newRedrive =
        """
        insert into %s.inbox_redrive (consumer_id, requested_by, per_second, selected)
        values (?, ?, ?, 0) returning number"""
            .formatted(schema);
    mark =
        "update %s.inbox_dead_letter set redrive = ?, redrive_tries = 0 where number in "
            .formatted(schema);
    setSelected =
        """
        update %1$s.inbox_redrive set selected = ?,
          finished_at = case when ? = 0 then clock_timestamp() end
        where number = ?"""
            .formatted(schema);
    // What was given up is known not to have been processed, however old it is. Of the others the
    // id's time counts, or for other producers' ids the time at which it came.
    beyond =
        """
        select count(*) from %1$s.inbox_dead_letter d cross join %1$s.inbox_retention r
        where d.redrive = any (?) and not d.id_recorded
          and ((d.message_id >= '01000000-0000-0000-0000-000000000000'
                and d.message_id < greatest(%1$s.inbox_bound(clock_timestamp() - r.horizon),
                  %1$s.inbox_bound(r.closed_before)))
            or (d.message_id >= 'ff000000-0000-0000-0000-000000000000'
                and d.dead_at < clock_timestamp() - r.horizon))"""
            .formatted(schema);
    // What is claimed is in a handler's hands.
    stop =
        """
        with stopped as (
          update %1$s.inbox_dead_letter set redrive = null, redrive_tries = 0
          where redrive = ? and claim is null returning number)
        update %1$s.inbox_redrive r set selected = r.selected - (select count(*) from stopped)
        where r.number = ? returning (select count(*) from stopped)"""
            .formatted(schema);
    discard =
        """
        update %s.inbox_dead_letter set discarded_at = clock_timestamp(), discarded_by = ?
        where number in\s"""
            .formatted(schema);
    restore =
        "update %s.inbox_dead_letter set discarded_at = null, discarded_by = null where number in "
            .formatted(schema);
    pass =
        """
        insert into %1$s.inbox_pass (consumer_id, message_id, granted_by)
        select distinct consumer_id, message_id, ? from %1$s.inbox_dead_letter where number in %2$s
        on conflict do nothing"""
            .formatted(schema, "%s");
    audit =
        """
        insert into %s.inbox_audit (done_by, action, selection, affected) values (?, ?, ?, ?)"""
            .formatted(schema);
  }

  /** Numbers of the consumers that have messages to redrive. */
  List<Integer> consumers(Connection connection, QuarantineSelection selection)
      throws SQLException {
    SelectionSql where = new SelectionSql(selection, SelectionState.IDLE.condition());
    List<Integer> found = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement(consumers + where.text() + " order by 1")) {
      where.bind(statement, 1);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          found.add(rows.getInt(1));
        }
      }
    }
    return found;
  }

  /** Marks at most so many of a consumer's. */
  Redrive redrive(
      Connection connection,
      QuarantineSelection selection,
      int consumer,
      String by,
      double perSecond,
      long most)
      throws SQLException {
    long number;
    try (PreparedStatement statement = connection.prepareStatement(newRedrive)) {
      statement.setInt(1, consumer);
      statement.setString(2, text.readable(connection, by));
      statement.setDouble(3, perSecond);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        number = row.getLong(1);
      }
    }
    SelectionSql where =
        new SelectionSql(
            selection, SelectionState.IDLE.condition() + " and d.consumer_id = " + consumer);
    int selected;
    try (PreparedStatement statement =
        connection.prepareStatement(mark + chosen(where, most == Long.MAX_VALUE ? null : most))) {
      statement.setLong(1, number);
      where.bind(statement, 2);
      selected = statement.executeUpdate();
    }
    try (PreparedStatement statement = connection.prepareStatement(setSelected)) {
      statement.setInt(1, selected);
      statement.setInt(2, selected);
      statement.setLong(3, number);
      statement.executeUpdate();
    }
    return reader.progress(connection, number).orElseThrow();
  }

  long beyondHorizon(Connection connection, List<Redrive> redrives) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(beyond)) {
      Object[] numbers = redrives.stream().map(Redrive::number).toArray();
      statement.setArray(1, connection.createArrayOf("bigint", numbers));
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  long stop(Connection connection, long redrive) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(stop)) {
      statement.setLong(1, redrive);
      statement.setLong(2, redrive);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getLong(1) : 0;
      }
    }
  }

  long discard(Connection connection, QuarantineSelection selection, String by)
      throws SQLException {
    SelectionSql where = new SelectionSql(selection, SelectionState.IDLE.condition());
    try (PreparedStatement statement =
        connection.prepareStatement(discard + chosen(where, selection.limit()))) {
      statement.setString(1, text.readable(connection, by));
      where.bind(statement, 2);
      return statement.executeUpdate();
    }
  }

  long restore(Connection connection, QuarantineSelection selection) throws SQLException {
    SelectionSql where = new SelectionSql(selection, SelectionState.DISCARDED.condition());
    try (PreparedStatement statement =
        connection.prepareStatement(restore + chosen(where, selection.limit()))) {
      where.bind(statement, 1);
      return statement.executeUpdate();
    }
  }

  long pass(Connection connection, QuarantineSelection selection, String by) throws SQLException {
    SelectionSql where = new SelectionSql(selection, SelectionState.PASSABLE.condition());
    try (PreparedStatement statement =
        connection.prepareStatement(pass.formatted(chosen(where, selection.limit())))) {
      statement.setString(1, text.readable(connection, by));
      where.bind(statement, 2);
      return statement.executeUpdate();
    }
  }

  void audit(Connection connection, String by, String action, String selection, long affected)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(audit)) {
      statement.setString(1, text.readable(connection, by));
      statement.setString(2, action);
      statement.setString(3, text.readable(connection, selection));
      statement.setLong(4, affected);
      statement.executeUpdate();
    }
  }

  private String chosen(SelectionSql where, @Nullable Long limit) {
    return "(select d.number from %s%s order by d.number%s for update of d)"
        .formatted(from, where.text(), where.limit(limit));
  }
}
