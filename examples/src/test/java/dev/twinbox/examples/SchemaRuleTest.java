package dev.twinbox.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.Quarantine;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.Relay;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The names of schemas: one rule, which the modules repeat because they share no code. */
class SchemaRuleTest {
  private static final DataSource NONE = new PGSimpleDataSource();

  private static final Map<String, Consumer<String>> MODULES = new LinkedHashMap<>();

  static {
    MODULES.put("migrations", name -> Migrations.defaults().schema(name));
    MODULES.put("outbox", name -> Outbox.builder().source("/a").schema(name).build());
    MODULES.put(
        "inbox", name -> Inbox.builder().dataSource(NONE).consumer("a").schema(name).build());
    MODULES.put("quarantine", name -> Quarantine.of(NONE, name));
    MODULES.put("relay", name -> Relay.builder().dataSource(NONE).schema(name));
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "null",
      value = {
        "twinbox, true",
        "Twinbox 2-a, true",
        "_x, true",
        "größe, true",
        "PG_X, true",
        "pgx, true",
        "information_schema_2, true",
        "Information_Schema, true",
        "pg_x, false",
        "pg_, false",
        "pg_catalog, false",
        "pg_toast, false",
        "pg_temp_1, false",
        "information_schema, false",
        "'', false",
        "1a, false",
        "a;b, false",
        "a\"b, false",
        "a.b, false",
        "' a', false",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, true",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, false",
        "ßßßßßßßßßßßßßßßßßßßßßßßßßßßßßßßß, false",
      })
  void eachModuleAcceptsTheSameNames(String name, boolean accepted) {
    MODULES.forEach(
        (module, rule) -> assertThat(accepts(rule, name)).as(module).isEqualTo(accepted));
  }

  private static boolean accepts(Consumer<String> rule, String name) {
    try {
      rule.accept(name);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
