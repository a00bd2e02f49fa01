package dev.twinbox.inbox;

import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The texts of a quarantined message as they were before they were stored. */
record StoredTexts(ResultSet row, Map<String, String> headers, boolean escaped) {

  /** Of the current row, whose given column holds the headers. */
  static StoredTexts of(ResultSet row, int column) throws SQLException {
    Array array = row.getArray(column);
    Map<String, String> stored = new LinkedHashMap<>();
    if (array != null) {
      String[] pairs = (String[]) array.getArray();
      for (int i = 0; i + 1 < pairs.length; i += 2) {
        stored.put(pairs[i], pairs[i + 1]);
      }
    }
    boolean escaped = stored.remove(CloudEvent.ESCAPED) != null;
    Map<String, String> headers = new LinkedHashMap<>();
    stored.forEach(
        (name, value) ->
            headers.put(
                String.valueOf(plain(name, escaped)), String.valueOf(plain(value, escaped))));
    return new StoredTexts(row, headers, escaped);
  }

  @Nullable String get(int column) throws SQLException {
    return plain(row.getString(column), escaped);
  }

  private static @Nullable String plain(@Nullable String text, boolean escaped) {
    return escaped ? DatabaseText.restore(text) : text;
  }
}
