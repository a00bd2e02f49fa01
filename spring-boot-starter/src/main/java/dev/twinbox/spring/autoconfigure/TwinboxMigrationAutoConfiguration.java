package dev.twinbox.spring.autoconfigure;

import dev.twinbox.migrations.Migrations;
import javax.sql.DataSource;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.flyway.autoconfigure.FlywayDataSource;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.util.ClassUtils;

/** Twinbox's tables, made at the start; beside migrations of the application's own. */
@AutoConfiguration(
    before = TwinboxAutoConfiguration.class,
    after = DataSourceAutoConfiguration.class)
@ConditionalOnClass(Migrations.class)
@ConditionalOnBooleanProperty(name = "twinbox.enabled", matchIfMissing = true)
@ConditionalOnSingleCandidate(DataSource.class)
@EnableConfigurationProperties(TwinboxProperties.class)
public final class TwinboxMigrationAutoConfiguration {
  private static final boolean FLYWAY =
      ClassUtils.isPresent(
          "org.springframework.boot.flyway.autoconfigure.FlywayDataSource",
          TwinboxMigrationAutoConfiguration.class.getClassLoader());

  @Bean
  @ConditionalOnMissingBean
  SchemaInitializer twinboxSchemaInitializer(
      DataSource dataSource, TwinboxProperties properties, ListableBeanFactory beans) {
    return new SchemaInitializer(
        Migrations.defaults().schema(properties.schema()),
        FLYWAY ? OwnersDataSource.among(beans, dataSource) : dataSource,
        properties.migrate());
  }

  /** Linked only where Spring Boot's Flyway is: the data source of whoever owns the tables. */
  private static final class OwnersDataSource {
    static DataSource among(ListableBeanFactory beans, DataSource otherwise) {
      String[] names = beans.getBeanNamesForAnnotation(FlywayDataSource.class);
      return names.length == 0 ? otherwise : beans.getBean(names[0], DataSource.class);
    }
  }
}
