package dev.twinbox.examples.snippets;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * README.zh-CN.md says, section by section, what README.md says, as far as that can be seen without
 * reading Chinese: blocks, code, links, tables, figures, names, and how many paragraphs there are.
 */
final class ReadmeInChineseTest {
  private static final Path ROOT = Path.of("..");
  private static final String ENGLISH = "README.md";
  private static final String CHINESE = "README.zh-CN.md";

  private static final Pattern SECTION = Pattern.compile("(?m)^(?=## )");
  private static final Pattern BLOCK =
      Pattern.compile("(?ms)(?:^<!-- snippet: \\S+ -->\\n)?^```.*?^```$");
  private static final Pattern SHELL = Pattern.compile("(?s)^```\\n.*");
  private static final Pattern COMMENT = Pattern.compile("(?m) +(#|--) .*$");
  private static final Pattern CODE = Pattern.compile("`[^`\\n]+`");
  private static final Pattern LINK = Pattern.compile("]\\(([^()\\s]+)\\)");
  private static final Pattern NUMBER = Pattern.compile("\\d+(?:[.,]\\d+)*");
  private static final Pattern PART = Pattern.compile("(?m)^(?:[-|]|(?<=\\n\\n)[^-|\\n])");
  private static final Pattern NAME =
      Pattern.compile(
          "Kafka|RabbitMQ|RocketMQ|PostgreSQL|Redis|Spring|Flyway|Liquibase|Quartz|Maven|JDK|jOOQ"
              + "|JDBC|Micrometer|AMQP|WAL|HTTP|SQL|Debian|Apache License");

  @TestFactory
  Stream<DynamicTest> eachSectionSaysTheSame() throws IOException {
    List<String> english = sections(ENGLISH);
    List<String> chinese = sections(CHINESE);
    assertThat(chinese).hasSameSizeAs(english);
    return IntStream.range(0, english.size())
        .mapToObj(
            i ->
                DynamicTest.dynamicTest(
                    english.get(i).lines().findFirst().orElse(""),
                    () -> compare(english.get(i), chinese.get(i))));
  }

  @Test
  void aChangeOfOneOnlyIsSeen() {
    String before = "Run `a` on Kafka, 7 times ([how](b.md)).\n\n| x | y |\n|---|---|\n| 1 | 2 |\n";
    for (String after :
        List.of(
            before.replace("`a`", "`b`"),
            before.replace("Kafka", "Kafka or RocketMQ"),
            before.replace("7", "8"),
            before.replace("b.md", "c.md"),
            before + "| 1 | 2 |\n",
            before + "\n```\nc\n```\n",
            before + "\nMore.\n")) {
      assertThat(traits(after)).as(after).isNotEqualTo(traits(before));
    }
    assertThat(traits("```\na    # this\n```\n")).isEqualTo(traits("```\na    # that\n```\n"));
    assertThat(traits("```\na\n```\n")).isNotEqualTo(traits("```\nb\n```\n"));
  }

  private static void compare(String english, String chinese) {
    Map<String, Object> expected = traits(english);
    Map<String, Object> actual = traits(chinese);
    expected.forEach(
        (trait, value) ->
            assertThat(actual.get(trait)).as("%s of %s", trait, CHINESE).isEqualTo(value));
  }

  private static Map<String, Object> traits(String section) {
    String prose = BLOCK.matcher(section).replaceAll("");
    String plain = CODE.matcher(prose).replaceAll("");
    List<String> blocks = found(BLOCK, section).map(ReadmeInChineseTest::uncommented).toList();
    Set<String> names = found(NAME, plain).collect(Collectors.toCollection(TreeSet::new));
    Map<String, Object> traits = new TreeMap<>();
    traits.put("blocks", blocks);
    traits.put("code", sorted(found(CODE, prose)));
    traits.put(
        "links",
        sorted(
            LINK.matcher(plain)
                .results()
                .map(link -> link.group(1).equals(CHINESE) ? ENGLISH : link.group(1))));
    traits.put("figures", sorted(found(NUMBER, LINK.matcher(section).replaceAll("]"))));
    traits.put("names", names);
    traits.put("paragraphs, items and rows", PART.matcher("\n\n" + prose).results().count());
    traits.put("columns", prose.lines().filter(l -> l.startsWith("|")).map(l -> bars(l)).toList());
    return traits;
  }

  /** What a shell's block says to people is translated. */
  private static String uncommented(String block) {
    return SHELL.matcher(block).matches() ? COMMENT.matcher(block).replaceAll("") : block;
  }

  private static long bars(String row) {
    return row.chars().filter(c -> c == '|').count();
  }

  private static List<String> sorted(Stream<String> texts) {
    return texts.sorted().toList();
  }

  private static Stream<String> found(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(MatchResult::group);
  }

  private static List<String> sections(String page) throws IOException {
    return List.of(SECTION.split(Files.readString(ROOT.resolve(page), UTF_8)));
  }
}
