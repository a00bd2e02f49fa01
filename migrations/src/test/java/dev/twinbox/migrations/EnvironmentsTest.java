package dev.twinbox.migrations;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** Schemas that others have changed, published or cleaned, and roles with defaults of their own. */
final class EnvironmentsTest {
  private final TestDatabase server = TestPostgres.shared().createDatabase();
  private final DataSource database = server.dataSource();

  @Test
  void everyTableThatIsUpdatedOrDeletedFromHasAnIdentity() throws SQLException {
    Migrations.apply(database);
    // As the functions make them at run time.
    Sql.run(database, "update twinbox.outbox_retention set archive = interval '1 day'");
    Sql.run(database, "select twinbox.outbox_archive_make_days(3), twinbox.inbox_make_days(9)");

    List<String> without =
        Sql.list(
            database,
            """
            select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'twinbox' and c.relkind in ('r', 'p') and c.relpersistence = 'p'
              and not (c.relreplident = 'f' or exists (select from pg_index i
                where i.indrelid = c.oid and case c.relreplident when 'd' then i.indisprimary
                  when 'i' then i.indisreplident end))
              -- Only inserted into, truncated or dropped whole.
              and c.relname !~ '^outbox_archive(_p[0-9]+)?$'
            order by 1
            """);

    assertThat(without).isEmpty();
  }

  @Test
  void updatesAndDeletesGoOnUnderAPublicationOfAllTables() throws SQLException {
    Migrations.apply(database);
    Sql.run(database, "create publication everything for all tables");
    for (String table :
        Sql.list(
            database,
            """
            select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid =
              c.relnamespace where n.nspname = 'twinbox' and c.relkind in ('r', 'p')
              and c.relname !~ '^outbox(_[0-9]+)?$' and c.relname !~ '^outbox_archive'
            """)) {
      Sql.run(database, "begin; delete from " + table + " where false; rollback");
    }
    Sql.run(database, "delete from twinbox.outbox_sample; delete from twinbox.outbox_upkeep");
  }

  @Test
  void migrateSucceedsAgainAfterAllTablesWereTruncated() throws SQLException {
    Migrations.defaults().ring(1_234, 5).applyTo(database);
    List<String> shape = Sql.shape(database, "twinbox");
    List<String> rows = essentials();
    truncateAll();

    MigrationResult result = Migrations.apply(database);

    assertThat(result).isEqualTo(new MigrationResult("twinbox", 0, "7"));
    assertThat(essentials()).isEqualTo(rows);
    assertThat(Sql.shape(database, "twinbox")).isEqualTo(shape);
    assertThat(Migrations.apply(database).applied()).isZero();
  }

  @Test
  void lanesAreNotInventedWhereTheOutboxStillHoldsMessages() throws SQLException {
    Migrations.apply(database);
    Sql.run(
        database,
        "insert into twinbox.outbox (lane, id, destination, type) values (1, gen_random_uuid(),"
            + " 'kafka:a', 't'); truncate twinbox.outbox_broker, twinbox.outbox_lane,"
            + " twinbox.outbox_lane_log cascade");

    Migrations.apply(database);

    assertThat(Sql.list(database, "select broker from twinbox.outbox_broker")).isEmpty();
  }

  @Test
  void aRoleWithDefaultsAndLimitsOfItsOwnMigratesAndGrants() throws SQLException {
    String role = server.name() + "_hostile";
    Sql.run(
        database,
        "create role %1$s superuser login; alter role %1$s set default_transaction_read_only = on;"
                .formatted(role)
            + " alter role %1$s set default_transaction_isolation = 'serializable';".formatted(role)
            + " alter role %1$s set default_transaction_deferrable = on;".formatted(role)
            + " alter role %1$s set statement_timeout = '1s';".formatted(role)
            + " alter role %1$s set idle_in_transaction_session_timeout = '1s';".formatted(role)
            + " alter role %1$s set standard_conforming_strings = off;".formatted(role)
            + " alter role %1$s set search_path = '';".formatted(role)
            + " create role %1$s_app".formatted(role));
    DataSource hostile = server.dataSource(role);

    assertThat(Migrations.apply(hostile).applied()).isEqualTo(7);
    Migrations.defaults().grantProducer(hostile, role + "_app");
    Migrations.defaults().grantRelay(hostile, role + "_app");
    Migrations.defaults().grantConsumer(hostile, role + "_app");
  }

  private List<String> essentials() throws SQLException {
    return Sql.list(
        database,
        "select version::text from twinbox.schema_version union all select chunk || ' ' || leaves"
            + " from twinbox.outbox_ring union all select discarded::text from"
            + " twinbox.outbox_retention union all select system_identifier::text from"
            + " twinbox.outbox_cluster union all select lane || broker from"
            + " twinbox.outbox_lane_state order by 1");
  }

  private void truncateAll() throws SQLException {
    Sql.run(
        database,
        """
        do $clean$
        begin
          execute (select 'truncate ' || string_agg(c.oid::regclass::text, ', ')
            || ' restart identity cascade'
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'twinbox' and c.relkind in ('r', 'p'));
          perform setval('twinbox.outbox_position', 1, false);
        end
        $clean$
        """);
  }
}
