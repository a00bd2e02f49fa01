package dev.twinbox.relay.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.doctor.Check;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FindingsInDocsTest {
  @ParameterizedTest
  @EnumSource
  void everyFindingIsExplainedInOperations(Check check) throws IOException {
    String operations = Files.readString(Path.of("../docs/operations.md"));
    assertThat(operations).contains("\n| `" + check.code() + "` |");
  }
}
