package dev.twinbox.examples.snippets;

import dev.twinbox.migrations.Migrations;
import javax.sql.DataSource;

/** Creates tables and roles' privileges. */
public final class Setup {
  private Setup() {}

  public static void migrate(DataSource owner) {
    // docs: migrate
    Migrations.apply(owner);
    // docs: end
  }

  static void migrateWithEverything(DataSource owner) {
    // docs: migrate-settings
    Migrations migrations = Migrations.defaults().schema("messaging").ring(50_000, 16);
    migrations.applyTo(owner);
    migrations.grantProducer(owner, "shop");
    migrations.grantRelay(owner, "relay");
    migrations.grantConsumer(owner, "billing");
    // docs: end
  }

  static String sql() {
    // docs: migrate-sql
    String script = Migrations.defaults().sql();
    // docs: end
    return script;
  }
}
