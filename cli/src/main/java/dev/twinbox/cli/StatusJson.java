package dev.twinbox.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import dev.twinbox.broker.SourceLag;
import dev.twinbox.relay.status.Status;
import dev.twinbox.relay.status.Verdict;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/** A status for machines. Times are ISO 8601 in UTC, spans are seconds. */
final class StatusJson {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .addModule(new SimpleModule().addSerializer(Instant.class, ToStringSerializer.instance))
          .build();

  private StatusJson() {}

  /** One line for each status, or one that is easier to read. */
  static String write(Status status, Verdict verdict, List<SourceLag> lags, boolean oneLine)
      throws JsonProcessingException {
    ObjectNode all = MAPPER.createObjectNode();
    all.put("verdict", verdict.level().name().toLowerCase(Locale.ROOT));
    all.put("exitCode", verdict.level().exitCode());
    JsonNode causes = MAPPER.valueToTree(verdict.causes());
    causes.forEach(
        cause ->
            ((ObjectNode) cause)
                .put("level", cause.get("level").asText().toLowerCase(Locale.ROOT)));
    all.set("causes", causes);
    all.setAll((ObjectNode) MAPPER.valueToTree(status));
    all.set("consumers", MAPPER.valueToTree(lags));
    return oneLine
        ? MAPPER.writeValueAsString(all)
        : MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(all);
  }
}
