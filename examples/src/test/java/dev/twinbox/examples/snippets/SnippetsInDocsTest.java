package dev.twinbox.examples.snippets;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Each Java block in the READMEs and docs/ names a region of a compiled source, and says the same.
 *
 * <p>With {@code -Dsnippets=write} the blocks are rewritten from the sources instead.
 */
final class SnippetsInDocsTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern REGION =
      Pattern.compile("(?ms)^ *// docs: (?!end)(\\S+)\\n(.*?)^ *// docs: end$");
  private static final Pattern BLOCK =
      Pattern.compile("(?ms)(?:^<!-- snippet: (\\S+) -->\\n)?^```java\\n(.*?)^```$");
  private static final Pattern TEST_NAME =
      Pattern.compile("`([A-Z]\\w+(?:Test|Contract))#([a-z]\\w+)`");

  private final Map<String, String> regions = regions();

  @TestFactory
  Stream<DynamicTest> everyJavaBlockIsCompiledCode() throws IOException {
    return pages().stream()
        .map(page -> DynamicTest.dynamicTest(page.toString(), () -> check(page)));
  }

  @Test
  void everyRegionIsQuoted() throws IOException {
    List<String> quoted = new ArrayList<>();
    for (Path page : pages()) {
      BLOCK.matcher(Files.readString(page)).results().forEach(block -> quoted.add(block.group(1)));
    }
    assertThat(quoted).containsAll(regions.keySet());
  }

  /** A guarantee names the test that shows it; the name has to be that of a test. */
  @Test
  void everyTestThatIsNamedExists() throws IOException {
    Map<String, String> tests = new HashMap<>();
    for (Path source : sources()) {
      // Two modules may have a test of the same name.
      tests.merge(
          source.getFileName().toString().replace(".java", ""),
          Files.readString(source),
          String::concat);
    }
    List<String> missing = new ArrayList<>();
    for (Path page : pages()) {
      Matcher named = TEST_NAME.matcher(Files.readString(page));
      while (named.find()) {
        if (!tests.getOrDefault(named.group(1), "").contains(" " + named.group(2) + "(")) {
          missing.add(page.getFileName() + ": " + named.group(1) + "#" + named.group(2));
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  private void check(Path page) throws IOException {
    String text = Files.readString(page);
    if ("write".equals(System.getProperty("snippets"))) {
      text = BLOCK.matcher(text).replaceAll(block -> Matcher.quoteReplacement(written(block)));
      Files.writeString(page, text);
    }
    BLOCK.matcher(text).results().forEach(this::check);
  }

  private void check(MatchResult block) {
    String name = block.group(1);
    assertThat(name).as("the marker above the block%n%s", block.group(2)).isNotNull();
    assertThat(regions).containsKey(name);
    assertThat(block.group(2)).as(name).isEqualToNormalizingWhitespace(regions.get(name));
  }

  private String written(MatchResult block) {
    String code = regions.getOrDefault(String.valueOf(block.group(1)), block.group(2));
    return "<!-- snippet: %s -->\n```java\n%s```".formatted(block.group(1), code);
  }

  private static Map<String, String> regions() {
    Map<String, String> regions = new HashMap<>();
    for (Path source : sources()) {
      if (source.toString().contains("snippets")
          || source.startsWith(ROOT.resolve("examples/shop"))) {
        REGION
            .matcher(read(source))
            .results()
            .forEach(
                region -> {
                  String before = regions.put(region.group(1), dedented(region.group(2)));
                  assertThat(before).as("the second region '%s'", region.group(1)).isNull();
                });
      }
    }
    return regions;
  }

  private static String dedented(String code) {
    return code.stripTrailing().stripIndent() + "\n";
  }

  private static List<Path> pages() throws IOException {
    try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
      return Stream.concat(
              Stream.of("README.md", "README.zh-CN.md", "CONTRIBUTING.md").map(ROOT::resolve), docs)
          .filter(file -> file.toString().endsWith(".md"))
          .collect(Collectors.toList());
    }
  }

  private static List<Path> sources() {
    List<Path> sources = new ArrayList<>();
    for (String module :
        List.of(
            "migrations",
            "outbox-core",
            "inbox-core",
            "inbox-redis",
            "postgres",
            "brokers/api",
            "brokers/contracts",
            "brokers/kafka",
            "brokers/rabbitmq",
            "brokers/rocketmq",
            "relay",
            "cli",
            "spring-boot-starter",
            "testkit",
            "examples",
            "examples/shop",
            "benchmarks")) {
      for (String folder : List.of("src/main/java", "src/test/java")) {
        try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve(folder))) {
          files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
        } catch (NoSuchFileException e) {
          // a module without tests
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return sources;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
