package dev.twinbox.benchmarks.peers;

import dev.twinbox.benchmarks.sides.Source;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** The source's messages in pages, for libraries that are filled through their own API. */
final class PeerSource {
  private static final int PAGE = 500;

  private PeerSource() {}

  interface Page {
    void take(List<PeerMessage> messages) throws Exception;
  }

  static void read(DataSource pool, int messages, Page page) throws Exception {
    try (Connection connection = pool.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "select " + Source.COLUMNS + " from bench.source where n between ? and ?")) {
      for (int from = 1; from <= messages; from += PAGE) {
        select.setInt(1, from);
        select.setInt(2, Math.min(from + PAGE - 1, messages));
        page.take(messages(select));
      }
    }
  }

  private static List<PeerMessage> messages(PreparedStatement select) throws SQLException {
    List<PeerMessage> messages = new ArrayList<>(PAGE);
    try (ResultSet rows = select.executeQuery()) {
      while (rows.next()) {
        messages.add(PeerMessage.of(Source.record(rows, 0)));
      }
    }
    return messages;
  }
}
