package dev.twinbox.examples.soak;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.postgresql.PGConnection;

/**
 * What is kept of a run that failed: the logs of all processes and servers, the faults that were
 * injected, the tables and all that the broker holds.
 */
final class Evidence {
  private static final List<String> TABLES =
      List.of(
          "soak.sent",
          "soak.effect",
          "soak.chain",
          "soak.balance",
          "twinbox.outbox",
          "twinbox.outbox_lane_log",
          "twinbox.outbox_relay",
          "twinbox.outbox_parked",
          "twinbox.outbox_dead_letter",
          "twinbox.inbox",
          "twinbox.inbox_failure",
          "twinbox.inbox_dead_letter");

  private final Path folder;
  private final List<String> missing = new ArrayList<>();

  Evidence(Path folder) {
    this.folder = folder;
  }

  /** Saves whatever can still be had; what cannot be had is named in a file. */
  void save(
      SoakDatabase database,
      SoakBroker broker,
      Path logs,
      List<InjectedFault> injected,
      String findings) {
    attempt("findings.txt", () -> Files.writeString(folder.resolve("findings.txt"), findings));
    attempt(
        "faults.txt",
        () ->
            Files.write(
                folder.resolve("faults.txt"),
                injected.stream().map(InjectedFault::inFull).toList()));
    attempt("logs", () -> copyLogs(logs));
    attempt("server logs", () -> database.server().saveLogs(folder));
    attempt("broker logs", () -> broker.saveLogs(folder));
    for (String table : TABLES) {
      attempt(table, () -> copyTable(database, table));
    }
    attempt("broker.csv", () -> copyBroker(broker));
    if (!missing.isEmpty()) {
      attempt("missing.txt", () -> Files.write(folder.resolve("missing.txt"), missing));
    }
  }

  private interface Saving {
    void save() throws IOException, SQLException;
  }

  private void attempt(String what, Saving saving) {
    try {
      saving.save();
    } catch (IOException | SQLException | RuntimeException e) {
      missing.add(what + ": " + e);
    }
  }

  private void copyLogs(Path logs) throws IOException {
    try (Stream<Path> files = Files.list(logs)) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
  }

  private void copyTable(SoakDatabase database, String table) throws IOException, SQLException {
    try (Connection connection = database.dataSource().getConnection();
        OutputStream out = Files.newOutputStream(folder.resolve(table + ".csv"))) {
      var unused =
          connection
              .unwrap(PGConnection.class)
              .getCopyAPI()
              .copyOut("copy (select * from " + table + ") to stdout (format csv, header)", out);
    }
  }

  private void copyBroker(SoakBroker broker) throws IOException {
    try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(folder.resolve("broker.csv")))) {
      out.println("place,at,id");
      broker.read(entry -> out.println(entry.place() + "," + entry.at() + "," + entry.id()));
    }
  }
}
