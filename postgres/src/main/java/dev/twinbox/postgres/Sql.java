package dev.twinbox.postgres;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text of one SQL statement, or of several that are sent as one, whose parameters have names: a
 * {@code :name} that stands several times is set once. Immutable.
 *
 * <p>Texts are put together from {@link SqlParts}, and get their tables from {@link Tables#named}.
 */
public final class Sql {
  /** Quoted texts and names, casts, comments and parameters; whatever comes first is one token. */
  private static final Pattern TOKEN =
      Pattern.compile("'[^']*'|\"[^\"]*\"|--[^\\n]*|::|:([a-z][a-z0-9_]*)");

  private final String text;
  private final List<String> names;
  private final Map<String, int[]> numbers;

  private Sql(String text, List<String> names) {
    this.text = text;
    this.names = names;
    numbers = numbersOf(names);
  }

  /** Reads a text with parameters such as {@code :lane}. */
  public static Sql of(String named) {
    List<String> names = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    Matcher token = TOKEN.matcher(named);
    while (token.find()) {
      boolean isParameter = token.group(1) != null;
      if (isParameter) {
        names.add(token.group(1));
      }
      token.appendReplacement(text, isParameter ? "?" : Matcher.quoteReplacement(token.group()));
    }
    token.appendTail(text);
    return new Sql(text.toString(), names);
  }

  /** The text as JDBC takes it, a question mark for each parameter. */
  public String text() {
    return text;
  }

  /** Sets the parameters of one execution. */
  @FunctionalInterface
  public interface Binder {
    void bind(Parameters parameters) throws SQLException;
  }

  /**
   * Sets the parameters of a statement that was prepared with {@link #text}.
   *
   * @throws IllegalStateException when the binder leaves one out, or sets one that is not there
   */
  public void bind(PreparedStatement statement, Binder binder) throws SQLException {
    Parameters parameters = new Parameters(this, statement);
    binder.bind(parameters);
    parameters.demandAll();
  }

  int[] numbersOf(String name) {
    int[] found = numbers.get(name);
    if (found == null) {
      throw new IllegalStateException("No parameter :" + name + " in: " + text);
    }
    return found;
  }

  List<String> names() {
    return names;
  }

  private static Map<String, int[]> numbersOf(List<String> names) {
    Map<String, int[]> numbers = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      int[] before = numbers.getOrDefault(names.get(i), new int[0]);
      int[] with = Arrays.copyOf(before, before.length + 1);
      with[before.length] = i + 1;
      numbers.put(names.get(i), with);
    }
    return numbers;
  }

  @Override
  public String toString() {
    return text;
  }
}
