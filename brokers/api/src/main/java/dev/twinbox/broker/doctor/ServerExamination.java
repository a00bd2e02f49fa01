package dev.twinbox.broker.doctor;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Looks at a PostgreSQL server: is it the primary, does it keep what it commits, what time is it?
 */
public final class ServerExamination {
  private static final int OLDEST_VERSION = 14;
  private static final Duration SKEW = Duration.ofSeconds(5);
  private static final Duration DANGEROUS_SKEW = Duration.ofHours(12);

  /** From there on Kafka refuses what is published, by its default for times ahead. */
  private static final Duration REFUSED_SKEW = Duration.ofHours(1);

  private static final String SUBJECT = "database";

  private final InstantSource clock;
  private final Duration longTransaction;
  private final Duration dangerousSkew;

  /**
   * @param clock this machine's
   * @param longTransaction transactions that are older are reported
   */
  public ServerExamination(InstantSource clock, Duration longTransaction) {
    this(clock, longTransaction, DANGEROUS_SKEW);
  }

  private ServerExamination(InstantSource clock, Duration longTransaction, Duration dangerousSkew) {
    this.clock = clock;
    this.longTransaction = longTransaction;
    this.dangerousSkew = dangerousSkew;
  }

  /** This machine's clock; transactions of more than 10 minutes are long. */
  public static ServerExamination withDefaults() {
    return new ServerExamination(InstantSource.system(), Duration.ofMinutes(10));
  }

  /** The same, for who publishes: brokers refuse times that are far from their own. */
  public ServerExamination forPublishing() {
    return new ServerExamination(clock, longTransaction, REFUSED_SKEW);
  }

  /** Looks at everything that is asked of the server itself. */
  public List<Finding> examine(Connection connection) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      settings(statement, findings);
      clock(statement, findings);
      transactions(statement, findings);
    }
    return findings;
  }

  private static void settings(Statement statement, List<Finding> findings) throws SQLException {
    try (ResultSet row =
        statement.executeQuery(
            "select pg_is_in_recovery(), current_setting('fsync'),"
                + " current_setting('full_page_writes'), current_setting('autovacuum'),"
                // Not the limit of the examination's own transaction.
                + " (select reset_val from pg_settings where name ="
                + " 'idle_in_transaction_session_timeout'),"
                + " current_setting('server_version_num')::int / 10000, current_database(),"
                + " current_setting('server_encoding')")) {
      row.next();
      int before = findings.size();
      int version = row.getInt(6);
      if (row.getBoolean(1)) {
        findings.add(
            Finding.danger(
                CommonCheck.REPLICA,
                SUBJECT,
                "the server is a replica",
                "Connect to the primary, with targetServerType=primary in the address."));
      }
      if (version < OLDEST_VERSION) {
        findings.add(
            Finding.danger(
                CommonCheck.SERVER_VERSION,
                SUBJECT,
                "PostgreSQL " + version,
                "Upgrade the server to version %s or later.".formatted(OLDEST_VERSION)));
      }
      if (!row.getString(8).equals("UTF8")) {
        findings.add(
            Finding.danger(
                CommonCheck.DATABASE_ENCODING,
                SUBJECT,
                "server_encoding = " + row.getString(8),
                "Move to a database made with: create database ... encoding 'UTF8' template"
                    + " template0, by pg_dump and pg_restore."));
      }
      if (isOff(row.getString(2))) {
        findings.add(
            Finding.danger(
                CommonCheck.FSYNC_OFF,
                SUBJECT,
                "fsync = off",
                "alter system set fsync = on, and select pg_reload_conf()."));
      }
      if (isOff(row.getString(3))) {
        findings.add(
            Finding.danger(
                CommonCheck.FULL_PAGE_WRITES_OFF,
                SUBJECT,
                "full_page_writes = off",
                "alter system set full_page_writes = on, and select pg_reload_conf()."));
      }
      if (isOff(row.getString(4))) {
        findings.add(
            Finding.warning(
                CommonCheck.AUTOVACUUM_OFF,
                SUBJECT,
                "autovacuum = off",
                "alter system set autovacuum = on, and select pg_reload_conf()."));
      }
      if (row.getString(5).equals("0")) {
        findings.add(
            Finding.warning(
                CommonCheck.IDLE_TRANSACTIONS_UNLIMITED,
                SUBJECT,
                "idle_in_transaction_session_timeout = 0",
                "alter database %s set idle_in_transaction_session_timeout = '10min'."
                    .formatted(row.getString(7))));
      }
      if (findings.size() == before) {
        findings.add(Finding.ok(SUBJECT, "PostgreSQL %s, primary, durable".formatted(version)));
      }
    }
  }

  /** The question took some time, so the answer lies between before and after. */
  private void clock(Statement statement, List<Finding> findings) throws SQLException {
    long before = clock.millis();
    try (ResultSet row =
        statement.executeQuery("select (extract(epoch from clock_timestamp()) * 1000)::bigint")) {
      row.next();
      long after = clock.millis();
      long database = row.getLong(1);
      long skew = database < before ? before - database : Math.max(0, database - after);
      if (skew > SKEW.toMillis()) {
        Severity severity = skew > dangerousSkew.toMillis() ? Severity.DANGER : Severity.WARNING;
        findings.add(
            new Finding(
                CommonCheck.CLOCK_SKEW,
                severity,
                SUBJECT,
                String.format(
                    Locale.ROOT,
                    "this machine is %.1f s %s the database",
                    skew / 1000.0,
                    database < before ? "ahead of" : "behind"),
                "Let a time service set the clocks of both."));
      }
    }
  }

  private void transactions(Statement statement, List<Finding> findings) throws SQLException {
    long seconds = longTransaction.toSeconds();
    try (ResultSet row =
        statement.executeQuery(
            "select pg_has_role('pg_read_all_stats', 'usage'), (select count(*) from"
                + " pg_stat_activity where xact_start < clock_timestamp() - interval '%s s' and"
                    .formatted(seconds)
                + " pid <> pg_backend_pid() and backend_type = 'client backend'), (select"
                + " string_agg(pid::text, ', ') from (select pid from pg_stat_activity where"
                + " xact_start < clock_timestamp() - interval '%s s' and pid <>".formatted(seconds)
                + " pg_backend_pid() and backend_type = 'client backend' order by xact_start limit"
                + " 5) p), (select count(*) from pg_prepared_xacts where database ="
                + " current_database() and prepared < clock_timestamp() - interval '%s s'),"
                    .formatted(seconds)
                + " (select string_agg(quote_literal(gid) || ' of ' || owner, ', ') from (select"
                + " gid, owner from pg_prepared_xacts where database = current_database() and"
                + " prepared <"
                + " clock_timestamp() - interval '%s s' order by prepared limit 5) x)"
                    .formatted(seconds))) {
      row.next();
      String limit = Durations.text(longTransaction);
      if (row.getLong(2) > 0) {
        findings.add(
            Finding.warning(
                CommonCheck.LONG_TRANSACTION,
                SUBJECT,
                "%s open for more than %s; pid %s"
                    .formatted(row.getLong(2), limit, row.getString(3)),
                "Look at pg_stat_activity; end one with select pg_terminate_backend(pid)."));
      }
      if (row.getLong(4) > 0) {
        findings.add(
            Finding.warning(
                CommonCheck.LONG_TRANSACTION,
                SUBJECT,
                "%s prepared more than %s ago: %s"
                    .formatted(row.getLong(4), limit, row.getString(5)),
                "rollback prepared or commit prepared each by its name, where its transaction"
                    + " manager has forgotten it."));
      }
      if (!row.getBoolean(1)) {
        findings.add(
            Finding.unknown(
                CommonCheck.LONG_TRANSACTION,
                SUBJECT,
                "this role does not see when others' transactions began",
                "grant pg_read_all_stats to the role, or run the doctor as another."));
      }
    }
  }

  private static boolean isOff(String setting) {
    return setting.equals("off");
  }
}
