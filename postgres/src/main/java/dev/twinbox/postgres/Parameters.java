package dev.twinbox.postgres;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.BitSet;
import java.util.Collection;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The parameters of one execution of a {@link Sql}, by name. For one thread. */
public final class Parameters {
  private final Sql sql;
  private final PreparedStatement statement;
  private final BitSet set = new BitSet();

  Parameters(Sql sql, PreparedStatement statement) {
    this.sql = sql;
    this.statement = statement;
  }

  /** Sets an integer. */
  public Parameters set(String name, int value) throws SQLException {
    for (int number : take(name)) {
      statement.setInt(number, value);
    }
    return this;
  }

  /** Sets a bigint. */
  public Parameters set(String name, long value) throws SQLException {
    for (int number : take(name)) {
      statement.setLong(number, value);
    }
    return this;
  }

  /** Sets a boolean. */
  public Parameters set(String name, boolean value) throws SQLException {
    for (int number : take(name)) {
      statement.setBoolean(number, value);
    }
    return this;
  }

  /** Sets a text; what is cast in the statement is given as text too. */
  public Parameters set(String name, @Nullable String value) throws SQLException {
    for (int number : take(name)) {
      statement.setString(number, value);
    }
    return this;
  }

  /** Sets a uuid. */
  public Parameters set(String name, @Nullable UUID value) throws SQLException {
    for (int number : take(name)) {
      statement.setObject(number, value);
    }
    return this;
  }

  /** Sets an array of values, whose type is PostgreSQL's: {@code bigint}, {@code text}. */
  public Parameters set(String name, String type, @Nullable Object[] values) throws SQLException {
    Array array = statement.getConnection().createArrayOf(type, values);
    for (int number : take(name)) {
      statement.setArray(number, array);
    }
    return this;
  }

  /** Sets an array with one value of each element. */
  public <T> Parameters set(
      String name, String type, Collection<T> elements, Function<T, @Nullable Object> value)
      throws SQLException {
    return set(name, type, elements.stream().map(value).toArray());
  }

  /** The statement's connection. */
  public Connection connection() throws SQLException {
    return statement.getConnection();
  }

  private int[] take(String name) {
    int[] numbers = sql.numbersOf(name);
    for (int number : numbers) {
      set.set(number);
    }
    return numbers;
  }

  void demandAll() {
    if (set.cardinality() < sql.names().size()) {
      String missing = sql.names().get(set.nextClearBit(1) - 1);
      throw new IllegalStateException("Parameter :" + missing + " is not set in: " + sql);
    }
  }
}
