package dev.twinbox.outbox;

import dev.twinbox.postgres.PostgresSession;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Refuses text that a database which is not in UTF-8 could not store: its error would abort the
 * caller's transaction. The encodings are reported by the server, so nothing is asked.
 */
final class StorableText {
  private static final String UTF8 = "UTF8";

  /** PostgreSQL's names of encodings of one byte a character; Java and PostgreSQL agree on them. */
  private static final Map<String, String> SINGLE_BYTE =
      Map.ofEntries(
          Map.entry("LATIN1", "ISO-8859-1"),
          Map.entry("LATIN2", "ISO-8859-2"),
          Map.entry("LATIN3", "ISO-8859-3"),
          Map.entry("LATIN4", "ISO-8859-4"),
          Map.entry("LATIN5", "ISO-8859-9"),
          Map.entry("LATIN7", "ISO-8859-13"),
          Map.entry("LATIN9", "ISO-8859-15"),
          Map.entry("LATIN10", "ISO-8859-16"),
          Map.entry("ISO_8859_5", "ISO-8859-5"),
          Map.entry("ISO_8859_6", "ISO-8859-6"),
          Map.entry("ISO_8859_7", "ISO-8859-7"),
          Map.entry("ISO_8859_8", "ISO-8859-8"),
          Map.entry("KOI8R", "KOI8-R"),
          Map.entry("KOI8U", "KOI8-U"),
          Map.entry("WIN866", "IBM866"),
          Map.entry("WIN874", "x-windows-874"),
          Map.entry("WIN1250", "windows-1250"),
          Map.entry("WIN1251", "windows-1251"),
          Map.entry("WIN1252", "windows-1252"),
          Map.entry("WIN1253", "windows-1253"),
          Map.entry("WIN1254", "windows-1254"),
          Map.entry("WIN1255", "windows-1255"),
          Map.entry("WIN1256", "windows-1256"),
          Map.entry("WIN1257", "windows-1257"),
          Map.entry("WIN1258", "windows-1258"));

  private StorableText() {}

  /**
   * @throws InvalidMessageException for the first character that would not arrive as it is
   */
  static void check(Connection connection, List<OutboxRow> rows) {
    String server = PostgresSession.parameter(connection, "server_encoding");
    String client = PostgresSession.parameter(connection, "client_encoding");
    if (isUtf8(server) && isUtf8(client)) {
      return;
    }
    Limit stored =
        new Limit(
            "the database's encoding " + server,
            "use a database whose encoding is UTF8",
            encoder(server));
    // The driver goes on in UTF-8, or replaces what it cannot encode by question marks.
    Limit sent =
        new Limit(
            "the session's client_encoding " + client,
            "leave client_encoding at UTF8, as the driver sets it",
            isUtf8(client) ? null : StandardCharsets.US_ASCII.newEncoder());
    for (OutboxRow row : rows) {
      stored.check(row);
      sent.check(row);
    }
  }

  private static boolean isUtf8(@Nullable String encoding) {
    return encoding == null || encoding.equals(UTF8);
  }

  /** Null where everything is stored, or where only the server knows. */
  private static @Nullable CharsetEncoder encoder(@Nullable String encoding) {
    String charset = encoding == null ? null : SINGLE_BYTE.get(encoding.toUpperCase(Locale.ROOT));
    return charset != null && Charset.isSupported(charset)
        ? Charset.forName(charset).newEncoder()
        : null;
  }

  /** What an encoding can express. */
  private record Limit(String name, String remedy, @Nullable CharsetEncoder encoder) {
    void check(OutboxRow row) {
      if (encoder == null) {
        return;
      }
      Message message = row.message();
      check("destination", "destination", message.destination().toString());
      check("key", "key", message.key());
      check("type", "type", message.type());
      check("contentType", "contentType", row.contentType());
      check("dedupKey", "dedupKey", message.dedupKey());
      List<String> headers = row.headers();
      for (int i = 1; i < headers.size(); i += 2) {
        String header = headers.get(i - 1);
        boolean source = header.equals("ce_source");
        check(
            source ? "source" : "header",
            source ? "source" : "header '" + header + "'",
            headers.get(i));
      }
    }

    private void check(String field, String shown, @Nullable String text) {
      CharsetEncoder limit = encoder;
      if (text == null || limit == null || limit.canEncode(text)) {
        return;
      }
      for (int i = 0, point; i < text.length(); i += Character.charCount(point)) {
        point = text.codePointAt(i);
        String character = Character.toString(point);
        if (!limit.canEncode(character)) {
          throw new InvalidMessageException(
              field,
              ("%s has the character '%s' (U+%s) at index %s, which %s cannot carry safely. Leave it"
                      + " out or encode it, for example as in a URL; or %s.")
                  .formatted(
                      shown,
                      character,
                      Integer.toHexString(point).toUpperCase(Locale.ROOT),
                      Integer.toString(i),
                      name,
                      remedy));
        }
      }
    }
  }
}
