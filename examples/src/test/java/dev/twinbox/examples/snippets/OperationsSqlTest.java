package dev.twinbox.examples.snippets;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.outbox.Outbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The SQL of docs/operations.md runs, and sending a dead letter again does what it says. */
final class OperationsSqlTest {
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```sql\\n(.*?)^```$");

  private final ShopDatabase shop = new ShopDatabase();

  @Test
  void everyStatementRuns() throws IOException {
    List<String> statements = statements().toList();
    assertThat(statements).hasSizeGreaterThan(5);
    statements.forEach(shop.db::execute);
  }

  @Test
  void whatWaitsIsCounted() throws IOException {
    new JooqOrders(shop.db, Outbox.builder().source("/shop").build())
        .place(new OrderPlaced("o-1", "ann", 1250));
    String waiting =
        statements().filter(sql -> sql.contains("as waiting")).findFirst().orElseThrow();
    assertThat(shop.db.fetchOne(waiting)).extracting(row -> row.get("waiting")).isEqualTo(1L);
  }

  private static Stream<String> statements() throws IOException {
    return BLOCK
        .matcher(Files.readString(Path.of("../docs/operations.md")))
        .results()
        .map(block -> block.group(1));
  }
}
