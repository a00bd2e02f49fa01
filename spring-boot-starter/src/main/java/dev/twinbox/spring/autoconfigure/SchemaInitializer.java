package dev.twinbox.spring.autoconfigure;

import dev.twinbox.migrations.MigrationResult;
import dev.twinbox.migrations.Migrations;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.InitializingBean;

/**
 * Makes Twinbox's tables when the service starts, or looks whether they are there. Whatever depends
 * on the database's initialization waits for it.
 */
public final class SchemaInitializer implements InitializingBean {
  private static final Logger log = LoggerFactory.getLogger(SchemaInitializer.class);

  private final Migrations migrations;
  private final DataSource dataSource;
  private final MigrateMode mode;

  /**
   * @param dataSource connections of a role that may create the tables, or only look
   */
  public SchemaInitializer(Migrations migrations, DataSource dataSource, MigrateMode mode) {
    this.migrations = migrations;
    this.dataSource = dataSource;
    this.mode = mode;
  }

  @Override
  public void afterPropertiesSet() {
    switch (mode) {
      case ON_START -> {
        MigrationResult result = migrations.applyTo(dataSource);
        if (result.applied() > 0) {
          log.info("Twinbox's tables in {} are at version {}", result.schema(), result.version());
        }
      }
      case VALIDATE -> migrations.validate(dataSource);
      case NEVER -> {}
    }
  }
}
