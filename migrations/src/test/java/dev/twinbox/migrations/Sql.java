package dev.twinbox.migrations;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** SQL in one line of a test. */
final class Sql {
  private Sql() {}

  static void run(DataSource dataSource, String... statements) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  /** The first column, as text. */
  static List<String> list(DataSource dataSource, String query) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      List<String> values = new ArrayList<>();
      while (result.next()) {
        values.add(String.valueOf(result.getString(1)));
      }
      return values;
    }
  }

  static String one(DataSource dataSource, String query) throws SQLException {
    return list(dataSource, query).get(0);
  }

  /** Every relation, column, default, index and constraint of a schema, as text to compare. */
  static List<String> shape(DataSource dataSource, String schema) throws SQLException {
    return list(
        dataSource,
        """
        select line from (
          select c.relkind::text || ' ' || c.relname || ' ' || coalesce(a.attname, '') || ' '
            || coalesce(format_type(a.atttypid, a.atttypmod), '') || ' ' || coalesce(a.attnotnull::text, '')
            || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
            || ' ' || coalesce(pg_get_expr(c.relpartbound, c.oid), '') as line
          from pg_class c
          left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
          left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
          where c.relnamespace = '"%1$s"'::regnamespace and c.relname not like '%%history%%'
          union all
          select 'index ' || indexdef from pg_indexes
          where schemaname = '%1$s' and tablename not like '%%history%%'
          union all
          select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
          where connamespace = '"%1$s"'::regnamespace and conname not like '%%history%%'
          union all
          select 'function ' || pg_get_functiondef(oid) from pg_proc
          where pronamespace = '"%1$s"'::regnamespace
        ) shape order by line
        """
            .formatted(schema));
  }
}
