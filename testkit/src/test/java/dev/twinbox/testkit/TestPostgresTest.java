package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.postgresql.ds.PGSimpleDataSource;

class TestPostgresTest {
  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void itKeepsWhatItConfirms(PostgresVersion version) throws SQLException {
    DataSource database = TestPostgres.shared(version).dataSource();

    assertThat(query(database, "show server_version"))
        .startsWith(version.name().substring(1) + ".");
    assertThat(query(database, "show fsync")).isEqualTo("on");
    assertThat(query(database, "show synchronous_commit")).isEqualTo("on");
    assertThat(query(database, "show full_page_writes")).isEqualTo("on");
    assertThat(query(database, "show max_connections")).isEqualTo("200");
  }

  @Test
  void testClassesShareOneServerWithADatabaseEach() throws SQLException {
    TestDatabase mine = TestPostgres.shared().createDatabase();
    TestDatabase yours = TestPostgres.shared().createDatabase();
    execute(mine.dataSource(), "create table t (x int)");

    assertThat(mine.server()).isSameAs(yours.server());
    assertThat(query(mine.dataSource(), "select to_regclass('t')")).isEqualTo("t");
    assertThat(query(yours.dataSource(), "select to_regclass('t')")).isNull();
  }

  @Test
  void anyRoleCanConnect() throws SQLException {
    TestDatabase database = TestPostgres.shared().createDatabase();
    execute(database.dataSource(), "create role reader login");

    assertThat(query(database.dataSource("reader"), "select current_user")).isEqualTo("reader");
  }

  @Test
  void aCrashedServerComesBackWithItsCommittedRows() throws SQLException {
    try (TestPostgres server = TestPostgres.start()) {
      TestDatabase database = server.createDatabase();
      execute(database.dataSource(), "create table t (x int)");
      execute(database.dataSource(), "insert into t values (42)");
      int port = server.port();

      server.stopImmediately();
      assertThatThrownBy(() -> query(database.dataSource(), "select 1"))
          .isInstanceOf(SQLException.class);
      server.restart();

      assertThat(query(database.dataSource(), "select x from t")).isEqualTo("42");
      assertThat(server.port()).isEqualTo(port);
    }
  }

  @Test
  void aPausedServerAnswersNothingUntilItIsResumed() throws SQLException {
    try (TestPostgres server = TestPostgres.builder().setting("work_mem", "5MB").start();
        Connection connection = server.dataSource().getConnection()) {
      connection.setNetworkTimeout(Runnable::run, 300);
      PGSimpleDataSource fresh = new PGSimpleDataSource();
      fresh.setURL(server.createDatabase().jdbcUrl());
      fresh.setUser("postgres");
      fresh.setLoginTimeout(1);

      server.pause();
      assertThatThrownBy(() -> query(connection, "select 1")).isInstanceOf(SQLException.class);
      assertThatThrownBy(() -> query(fresh, "select 1")).isInstanceOf(SQLException.class);
      server.resume();

      assertThat(query(fresh, "show work_mem")).isEqualTo("5MB");
    }
  }

  @ParameterizedTest
  @EnumSource(Unprivileged.class)
  void itRunsForRootAndForAnybodyElse(Unprivileged user) throws SQLException {
    boolean root = Commands.isRoot();
    Unprivileged possible = root == (user == Unprivileged.SELF) ? Unprivileged.detect() : user;
    try (TestPostgres server = TestPostgres.builder().as(possible).start()) {
      server.restart();
      assertThat(query(server.dataSource(), "select 1")).isEqualTo("1");
    }
  }

  private static void execute(DataSource database, String sql) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static String query(DataSource database, String sql) throws SQLException {
    try (Connection connection = database.getConnection()) {
      return query(connection, sql);
    }
  }

  private static String query(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getString(1);
    }
  }
}
