package dev.twinbox.shop.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the docs say of the shop's wiring, counted in its sources. */
final class ShopWiringTest {
  private static final Path MAIN = Path.of("src/main");

  @Test
  void theWiringIsOneDependencyAndOneProperty() throws IOException {
    assertThat(found("<artifactId>(twinbox-[a-z-]+)</artifactId>", Path.of("pom.xml")))
        .as("the artifact itself, the dependency, and the servers for bin/twinbox shop")
        .containsExactly("twinbox-shop", "twinbox-spring-boot-starter", "twinbox-testkit");
    assertThat(found("(?m)^(twinbox\\.[^=]+)=", MAIN.resolve("resources/application.properties")))
        .containsExactly("twinbox.development");
  }

  @Test
  void noConfigurationIsOfTwinboxAndTheImportsAreThree() throws IOException {
    List<Path> sources;
    try (Stream<Path> files = Files.list(MAIN.resolve("java/dev/twinbox/shop"))) {
      sources = files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    }
    assertThat(
            sources.stream()
                .flatMap(file -> found("import (dev\\.twinbox\\.[\\w.]+);", file).stream())
                .distinct())
        .containsExactlyInAnyOrder(
            "dev.twinbox.outbox.Outbox",
            "dev.twinbox.spring.InboxListener",
            "dev.twinbox.spring.OutboxMessage");
    assertThat(
            found(
                "dev\\.twinbox\\.\\w+\\.\\w+",
                MAIN.resolve("java/dev/twinbox/shop/ShopApplication.java")))
        .isEmpty();
  }

  @Test
  void readmeSaysItInFortyLines() throws IOException {
    String readme = Files.readString(Path.of("../../README.md"));
    String section = readme.substring(readme.indexOf("## In a Spring Boot service"));
    assertThat(section.substring(0, section.indexOf("\n## ")).lines().toList())
        .hasSizeLessThanOrEqualTo(40);
  }

  private static List<String> found(String pattern, Path file) {
    try {
      return Pattern.compile(pattern)
          .matcher(Files.readString(file))
          .results()
          .map((MatchResult found) -> found.group(found.groupCount()))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
