package dev.twinbox.cli;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The database's address, taken apart: the driver is handed the parameters by themselves, because
 * what it says and logs of an address repeats it, a password among the parameters included.
 *
 * @param url without parameters; holds no secret
 */
record PostgresAddress(String url, Map<String, String> parameters) {
  private static final String HOST = "(?:[\\p{L}\\d._%-]*|\\[[\\p{XDigit}:.%]+])(?::\\d{1,5})?";
  private static final Pattern FORM =
      Pattern.compile(
          "(jdbc:postgresql:(?://"
              + HOST
              + "(?:,"
              + HOST
              + ")*(?:/[^/?@]*)?|/?[^/?@:]*))(?:\\?(.*))?");
  private static final Pattern PARAMETER = Pattern.compile("([A-Za-z][A-Za-z\\d_.]*)(?:=(.*))?");

  PostgresAddress {
    parameters = Map.copyOf(parameters);
  }

  /**
   * @throws CommandException when it is none; the message does not repeat it
   */
  static PostgresAddress of(String address) {
    Matcher form = FORM.matcher(address.strip());
    if (!form.matches()) {
      throw malformed();
    }
    Map<String, String> parameters = new TreeMap<>();
    String query = form.group(2);
    for (String each : query == null || query.isEmpty() ? new String[0] : query.split("&")) {
      Matcher parameter = PARAMETER.matcher(each);
      if (!parameter.matches()) {
        throw malformed();
      }
      String value = parameter.group(2);
      try {
        parameters.put(
            parameter.group(1),
            value == null ? "" : URLDecoder.decode(value, StandardCharsets.UTF_8));
      } catch (IllegalArgumentException e) {
        throw malformed();
      }
    }
    return new PostgresAddress(form.group(1), parameters);
  }

  /** Adds the parameters; they go before what is there, as in the driver. */
  void addTo(Properties login) {
    parameters.forEach(login::setProperty);
  }

  /** Names no parameter's value. */
  @Override
  public String toString() {
    return url;
  }

  private static CommandException malformed() {
    return new CommandException(
        "The database's address (--db-url, TWINBOX_DB_URL or db.url) must have the form"
            + " jdbc:postgresql://host:port/database?name=value&name=value, and what is special in"
            + " a URL is written as %XX. User and password have settings of their own.");
  }
}
