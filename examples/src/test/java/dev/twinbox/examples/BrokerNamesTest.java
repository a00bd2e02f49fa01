package dev.twinbox.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * No code outside of a broker's own module names it, but as an example: the next broker shall touch
 * nothing else. The starter, whose beans are for each broker, and what starts servers is left out.
 */
class BrokerNamesTest {
  private static final List<String> MODULES =
      List.of(
          "brokers/api",
          "brokers/contracts",
          "postgres",
          "migrations",
          "outbox-core",
          "inbox-core",
          "relay",
          "cli");
  private static final Pattern NAME = Pattern.compile("(?i)kafka|rabbit|amqp|rocketmq");
  private static final Pattern COMMENT =
      Pattern.compile("(?s)/\\*.*?\\*/|(?m)(?<!:)//.*$|(?m)^\\s*--.*$");

  /** One literal, over several lines. */
  private static final Pattern CONCATENATION = Pattern.compile("\"\\s*\\+\\s*\"");

  private static final Pattern EXAMPLE = Pattern.compile("(?i)(?:as in|such as|, as) [^\"]*");

  /** The lanes of the first release; and Spring's own transactions that are none of a database. */
  private static final Map<String, String> ALLOWED =
      Map.of(
          "V1__outbox.sql", "('kafka', 0, 4), ('rabbitmq', 4, 4)",
          "V7__upkeep.sql", "('kafka', 0, 4), ('rabbitmq', 4, 4)",
          "SpringConnections.java",
              "\"org.springframework.kafka.\", \"org.springframework.amqp.\"");

  @Test
  void onlyExamplesNameABroker() {
    assertThat(MODULES.stream().flatMap(BrokerNamesTest::sources))
        .hasSizeGreaterThan(200)
        .allSatisfy(file -> assertThat(NAME.matcher(code(file)).find()).as("%s", file).isFalse());
  }

  private static Stream<Path> sources(String module) {
    try (Stream<Path> files = Files.walk(Path.of("..", module, "src", "main"))) {
      return files
          .filter(file -> file.toString().endsWith(".java") || file.toString().endsWith(".sql"))
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(module, e);
    }
  }

  private static String code(Path file) {
    String code;
    try {
      code = COMMENT.matcher(Files.readString(file)).replaceAll("");
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
    code = CONCATENATION.matcher(code).replaceAll("");
    code = EXAMPLE.matcher(code).replaceAll("");
    return code.replace(ALLOWED.getOrDefault(file.getFileName().toString(), "\0"), "");
  }
}
