package dev.twinbox.migrations;

import dev.twinbox.postgres.SchemaName;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.output.MigrateResult;

/**
 * Creates and upgrades Twinbox's tables.
 *
 * <p>Uses a schema and a Flyway history table of its own ({@value #HISTORY_TABLE} inside that
 * schema), so it never meets the migrations of the application that shares the database. When two
 * processes migrate at once, one does the work and the other waits for it. Needs PostgreSQL 14 or
 * newer and a role that may create the schema.
 *
 * <p>Instances are immutable and may be shared between threads.
 */
public final class Migrations {
  /** The schema that is used when none is named. */
  public static final String DEFAULT_SCHEMA = "twinbox";

  /** Flyway's history table, inside the schema. */
  public static final String HISTORY_TABLE = "twinbox_schema_history";

  /**
   * Each with a table or function that it makes: what is there tells the version where no row does.
   */
  private static final List<Script> SCRIPTS =
      List.of(
          new Script("V1__outbox.sql", "outbox_lane_log"),
          new Script("V2__inbox.sql", "inbox_consumer"),
          new Script("V3__quartz.sql", "qrtz_locks"),
          new Script("V4__archive.sql", "outbox_archive"),
          new Script("V5__status.sql", "outbox_sample"),
          new Script("V6__inbox_upkeep.sql", "inbox_users"),
          new Script("V7__upkeep.sql", "outbox_upkeep"));

  private record Script(String name, String makes) {}

  private final SchemaName schema;
  private final long chunk;
  private final int leaves;

  private Migrations(SchemaName schema, long chunk, int leaves) {
    this.schema = schema;
    this.chunk = chunk;
    this.leaves = leaves;
  }

  /**
   * Migrations into the schema {@value #DEFAULT_SCHEMA} with a ring of 8 leaves of 100,000 rows.
   */
  public static Migrations defaults() {
    return new Migrations(new SchemaName(DEFAULT_SCHEMA), 100_000, 8);
  }

  /** Applies {@link #defaults()}. */
  public static MigrationResult apply(DataSource dataSource) {
    return defaults().applyTo(dataSource);
  }

  /**
   * Uses another schema. Default {@value #DEFAULT_SCHEMA}.
   *
   * @throws IllegalArgumentException when the name is not one that Twinbox accepts; see {@link
   *     SchemaName}
   */
  public Migrations schema(String name) {
    return new Migrations(new SchemaName(name), chunk, leaves);
  }

  /**
   * Sets the measures of the outbox ring, which count only when the tables are first created. A
   * leaf is emptied by TRUNCATE once all its rows are relayed, so a healthy outbox holds one to two
   * chunks on disk.
   *
   * @param rowsPerChunk positions that go to one leaf before the next is used; at least 100,
   *     default 100,000
   * @param leaves number of leaves, 2 to 256; default 8
   */
  public Migrations ring(long rowsPerChunk, int leaves) {
    if (rowsPerChunk < 100) {
      throw new IllegalArgumentException(
          "rowsPerChunk is %s; the smallest is 100.".formatted(rowsPerChunk));
    }
    if (leaves < 2 || leaves > 256) {
      throw new IllegalArgumentException("leaves is %s; choose 2 to 256.".formatted(leaves));
    }
    return new Migrations(schema, rowsPerChunk, leaves);
  }

  /**
   * Brings the schema up to date; does nothing where it already is. Rows without which nothing
   * works are put back where they were removed, as by a TRUNCATE of all tables; so is the history.
   *
   * @param dataSource connections of a role that may create the schema and its tables
   * @return how many migrations were applied and which version the schema has now
   * @throws org.flywaydb.core.api.FlywayException when a migration fails; it is rolled back whole
   */
  public MigrationResult applyTo(DataSource dataSource) {
    DataSource sessions = OwnSession.of(dataSource);
    MissingHistory history = new MissingHistory(sessions, schema);
    String baseline = history.baseline(SCRIPTS.stream().map(Script::makes).toList());
    MigrateResult result =
        Flyway.configure(Migrations.class.getClassLoader())
            .dataSource(sessions)
            .locations("classpath:dev/twinbox/migrations")
            .defaultSchema(schema.name())
            .schemas(schema.name())
            .createSchemas(true)
            // The user's schema may hold other tables; Flyway would refuse it without a baseline.
            .baselineOnMigrate(true)
            .baselineVersion(baseline)
            .table(HISTORY_TABLE)
            .placeholders(placeholders())
            .load()
            .migrate();
    history.mend();
    String version =
        result.targetSchemaVersion != null
            ? result.targetSchemaVersion
            : result.initialSchemaVersion;
    return new MigrationResult(
        schema.name(), result.migrationsExecuted, version == null ? "" : version);
  }

  /**
   * Refuses a schema that {@link #applyTo} would bring up to date; changes nothing. For services
   * whose tables are somebody else's to make. Any role that may use the schema can ask.
   *
   * @throws IllegalStateException when tables are missing or too old, naming both versions and the
   *     remedy, or when the database cannot be asked
   */
  public void validate(DataSource dataSource) {
    new SchemaCheck(schema, SCRIPTS.size()).refuseOlder(dataSource);
  }

  /**
   * All of it as one SQL script, for teams that keep every change of their database in migrations
   * of their own. Run it as a whole, once; the tables then need no history table of ours.
   */
  public String sql() {
    StringBuilder script =
        new StringBuilder("create schema if not exists " + schema.quoted() + ";\n");
    for (Script each : SCRIPTS) {
      String text = read(each.name());
      for (Map.Entry<String, String> placeholder : placeholders().entrySet()) {
        text = text.replace("${" + placeholder.getKey() + "}", placeholder.getValue());
      }
      script.append("\n-- ").append(each.name()).append('\n').append(text);
    }
    return script.toString();
  }

  /**
   * Lets a role enqueue, and nothing more. May be repeated, and must be after a migration that adds
   * tables. The application's role should own none of them.
   *
   * @param dataSource connections of the tables' owner
   * @param role an existing role, its name as PostgreSQL stores it
   * @throws IllegalArgumentException for a name that is not accepted
   * @throws IllegalStateException when the database refuses
   */
  public void grantProducer(DataSource dataSource, String role) {
    new Grants(schema).producer(dataSource, role);
  }

  /** Lets a role run the relay; the rest as with {@link #grantProducer}. */
  public void grantRelay(DataSource dataSource, String role) {
    new Grants(schema).relay(dataSource, role);
  }

  /** Lets a role consume by the inbox; the rest as with {@link #grantProducer}. */
  public void grantConsumer(DataSource dataSource, String role) {
    new Grants(schema).consumer(dataSource, role);
  }

  private Map<String, String> placeholders() {
    return Map.of(
        "schema", schema.quoted(), "chunk", Long.toString(chunk), "ring", Integer.toString(leaves));
  }

  private static String read(String script) {
    try (InputStream in = Migrations.class.getResourceAsStream(script)) {
      if (in == null) {
        throw new IllegalStateException("The migration " + script + " is missing from the jar.");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
