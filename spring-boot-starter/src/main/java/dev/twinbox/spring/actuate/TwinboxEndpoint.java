package dev.twinbox.spring.actuate;

import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.inbox.Quarantine;
import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.doctor.Doctor;
import dev.twinbox.relay.status.Status;
import dev.twinbox.relay.status.StatusReader;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAsideMessage;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;

/**
 * How things stand: {@code status} with counts of dead letters, {@code doctor}, {@code quarantine}.
 * Shows no payloads. What changes something is refused unless {@code
 * management.endpoint.twinbox.access=unrestricted}. Thread-safe.
 */
@Endpoint(id = "twinbox", defaultAccess = Access.READ_ONLY)
public final class TwinboxEndpoint {
  private static final int MOST = 100;
  private static final String BY = "actuator";

  private final DataSource dataSource;
  private final String schema;

  /**
   * @param schema of Twinbox's tables
   */
  public TwinboxEndpoint(DataSource dataSource, String schema) {
    this.dataSource = dataSource;
    this.schema = schema;
  }

  /** The status in short. */
  @ReadOperation
  public Map<String, Object> status() throws SQLException {
    Status status = StatusReader.in(dataSource, schema).read();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("schema", status.schema());
    body.put("schemaVersion", status.schemaVersion());
    body.put("time", status.time());
    body.put("relays", status.relays());
    body.put("brokers", status.brokers());
    body.put("destinations", status.destinations());
    body.put("parked", status.parked());
    body.put("deadLetters", status.deadLetters());
    body.put("blockedKeys", status.blockedKeys());
    body.put("troubles", status.troubles());
    return body;
  }

  /**
   * One section.
   *
   * @param section {@code status}, {@code doctor} or {@code quarantine}; of the last at most 100
   *     messages
   * @return null, which is answered with 404, for another
   */
  @ReadOperation
  public @Nullable Object section(@Selector String section) throws SQLException {
    return switch (section) {
      case "status" -> status();
      case "doctor" ->
          new Doctor()
              .outbox(dataSource, Tables.in(schema)).examine(List.of()).findings().stream()
                  .map(TwinboxEndpoint::shown)
                  .toList();
      case "quarantine" ->
          Quarantine.of(dataSource, schema).list(Selection.all().limit(MOST)).stream()
              .map(TwinboxEndpoint::shown)
              .toList();
      default -> null;
    };
  }

  /**
   * Works on one quarantined message.
   *
   * @param section {@code quarantine}
   * @param action {@code redrive} or {@code discard}
   * @param number the message's, as its section shows it
   * @return null, which is answered with 404, for another section
   */
  @WriteOperation
  public @Nullable Map<String, Object> act(@Selector String section, String action, long number) {
    if (!section.equals("quarantine")) {
      return null;
    }
    Quarantine quarantine = Quarantine.of(dataSource, schema);
    Selection one = Selection.number(number);
    return switch (action) {
      case "redrive" -> Map.of("redrives", quarantine.redrive(one, Act.by(BY)).size());
      case "discard" -> Map.of("messages", quarantine.discard(one, Act.by(BY)));
      default ->
          throw new InvalidEndpointRequestException(
              "action is '%s'; use redrive or discard.".formatted(action), "no such action");
    };
  }

  private static Map<String, Object> shown(Finding finding) {
    return Map.of(
        "code", finding.code(),
        "severity", finding.severity(),
        "subject", finding.subject(),
        "value", finding.value(),
        "risk", finding.risk(),
        "remedy", finding.remedy());
  }

  private static Map<String, @Nullable Object> shown(SetAsideMessage message) {
    Map<String, @Nullable Object> body = new LinkedHashMap<>();
    body.put("number", message.number());
    body.put("consumer", message.consumer());
    body.put("id", message.id());
    body.put("origin", message.origin());
    body.put("type", message.type());
    body.put("reason", message.reason());
    body.put("error", message.error());
    body.put("attempts", message.attempts());
    body.put("at", message.at());
    return body;
  }
}
