package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The vectors, made by another program in another language, are those of docs/wire-format.md. */
final class LaneHashTest {
  @ParameterizedTest
  @CsvSource({
    "a, 444641715",
    "A, 1294499476",
    "order-1, 302013084",
    "order-2, 2010665664",
    "42, 686566589",
    "Grüße, 243007994",
    "鍵, 1820736666",
    "🔑, 1825618928"
  })
  void aKeyHasTheDocumentedHash(String key, int hash) {
    assertThat(LaneHash.of(key)).isEqualTo(hash);
  }

  @ParameterizedTest
  @CsvSource({
    "01890a5d-ac96-774b-bcce-b302099a8057, 1946718882",
    "00000000-0000-7000-8000-000000000000, 2074702210",
    "fe123456-789a-7bcd-9ef0-123456789abc, 1918771249"
  })
  void anIdHasTheDocumentedHash(UUID id, int hash) {
    assertThat(LaneHash.of(id)).isEqualTo(hash);
  }

  @Test
  void keysThatDifferInTheirLastDigitSpreadEvenly() {
    int[] lanes = new int[4];
    for (int i = 0; i < 40_000; i++) {
      lanes[LaneHash.of("customer-" + i) % 4]++;
    }
    for (int count : lanes) {
      assertThat(count).isBetween(9_500, 10_500);
    }
  }
}
