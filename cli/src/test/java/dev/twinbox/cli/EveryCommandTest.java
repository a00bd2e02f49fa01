package dev.twinbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What all commands and options have in common, also those that are yet to come. */
class EveryCommandTest {
  private static final String BAD = "no-such-value";

  /** Any text will do for these, as far as the command line can know. */
  private static final Set<String> FREE = Set.of("java.lang.String", "java.nio.file.Path");

  @ParameterizedTest(name = "{0}")
  @MethodSource("commands")
  void anErrorIsPrefixedWithTheWholePathOfTheCommand(String path) {
    Ran ran = Ran.twinbox((path + " --no-such-option=1").strip().split(" "));

    assertThat(ran.exitCode()).isEqualTo(2);
    assertThat(firstLine(ran))
        .startsWith(prefix(path))
        .containsAnyOf("--no-such-option", "Missing required option");
    assertThat(ran.err()).doesNotContain("\tat ");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("commands")
  void whatFailsBehindTheArgumentsHasThePrefixToo(String path) {
    Ran ran = Ran.twinbox(path.split(" "));

    // No database is configured, or the arguments are not enough.
    assertThat(ran.exitCode()).isNotZero();
    assertThat(firstLine(ran)).startsWith(prefix(path));
    assertThat(ran.err()).doesNotContain("\tat ");
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("strictOptions")
  void aBadValueIsOneLineWithOptionValueAndRemedy(String path, String option) {
    Ran ran = Ran.twinbox((path + " " + option + "=" + BAD).split(" "));

    assertThat(ran.exitCode()).isEqualTo(2);
    assertThat(firstLine(ran)).startsWith(prefix(path)).contains(option, "'" + BAD + "'");
    assertThat(firstLine(ran)).containsAnyOf("as in", "one of", "Name one");
    assertThat(ran.err()).doesNotContain("\tat ");
  }

  @Test
  void thereAreMany() {
    assertThat(commands().toList()).contains("status", "dead-letters redrive", "quarantine list");
    assertThat(strictOptions().toList()).hasSizeGreaterThan(20);
  }

  private static String prefix(String path) {
    return "twinbox " + path + ": ";
  }

  private static String firstLine(Ran ran) {
    return ran.err().lines().findFirst().orElse("");
  }

  static Stream<String> commands() {
    return all().stream().map(EveryCommandTest::path);
  }

  static Stream<Object[]> strictOptions() {
    return all().stream()
        .flatMap(
            command ->
                command.options().stream()
                    .filter(EveryCommandTest::isStrict)
                    .map(option -> new Object[] {path(command), option.longestName()}));
  }

  private static boolean isStrict(OptionSpec option) {
    if (option.arity().max() == 0 || option.hidden()) {
      return false;
    }
    return "TIME".equals(option.paramLabel())
        || option.typeInfo().getAuxiliaryTypeInfos().stream()
            .noneMatch(type -> FREE.contains(type.getClassName()));
  }

  private static List<CommandSpec> all() {
    List<CommandSpec> found = new ArrayList<>();
    collect(TwinboxCli.commandLine(), found);
    return found;
  }

  private static void collect(CommandLine command, List<CommandSpec> found) {
    for (CommandLine below : Set.copyOf(command.getSubcommands().values())) {
      found.add(below.getCommandSpec());
      collect(below, found);
    }
  }

  /** Without the name of the program. */
  private static String path(CommandSpec command) {
    return command.qualifiedName().substring("twinbox ".length());
  }
}
