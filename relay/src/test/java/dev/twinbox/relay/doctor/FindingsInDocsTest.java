package dev.twinbox.relay.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.BrokerKinds;
import dev.twinbox.broker.doctor.Check;
import dev.twinbox.broker.doctor.CommonCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FindingsInDocsTest {
  @ParameterizedTest
  @MethodSource("checks")
  void everyFindingIsExplainedInOperations(Check check) throws IOException {
    String operations = Files.readString(Path.of("../docs/operations.md"));
    assertThat(operations).contains("\n| `" + check.code() + "` |");
  }

  static Stream<Check> checks() {
    return Stream.concat(
        Stream.of(CommonCheck.values()),
        BrokerKinds.all().stream().flatMap(kind -> kind.checks().stream()));
  }

  @Test
  void codesAreThoseOfOneCheck() {
    assertThat(checks().map(Check::code))
        .doesNotHaveDuplicates()
        .contains("topic-missing", "no-route");
  }
}
