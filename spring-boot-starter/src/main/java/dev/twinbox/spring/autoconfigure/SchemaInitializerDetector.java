package dev.twinbox.spring.autoconfigure;

import java.util.Set;
import org.springframework.boot.sql.init.dependency.AbstractBeansOfTypeDatabaseInitializerDetector;
import org.springframework.boot.sql.init.dependency.DatabaseInitializerDetector;

/** Tells Spring Boot that repositories and the like have to wait for Twinbox's tables. */
final class SchemaInitializerDetector extends AbstractBeansOfTypeDatabaseInitializerDetector
    implements DatabaseInitializerDetector {
  @Override
  protected Set<Class<?>> getDatabaseInitializerBeanTypes() {
    return Set.of(SchemaInitializer.class);
  }
}
