package dev.twinbox.setaside;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Which messages are meant: those that meet every condition, in order, up to a limit. {@code
 * Selection.all().destination("kafka:orders").reason("too-large").limit(100)}. Immutable.
 *
 * <p>What was discarded is left out unless {@link #discarded} or {@link #discardedToo} says
 * otherwise.
 */
public final class Selection {
  private static final int MOST_SHOWN = 100;
  private static final Selection ALL = new Selection(Map.of(), State.KEPT, null);

  /** Whether discarded messages are meant. */
  enum State {
    KEPT,
    DISCARDED,
    ANY
  }

  private final Map<Filter, Object> values;
  private final State state;
  private final @Nullable Long limit;

  private Selection(Map<Filter, Object> values, State state, @Nullable Long limit) {
    this.values = values;
    this.state = state;
    this.limit = limit;
  }

  /** Everything that was not discarded. */
  public static Selection all() {
    return ALL;
  }

  /** The one with this number. */
  public static Selection number(long number) {
    return ALL.numbers(List.of(number));
  }

  /**
   * Of these, only those that meet one condition more.
   *
   * @throws ClassCastException when the value is not of the type that the filter compares with
   */
  public Selection with(Filter filter, Object value) {
    Map<Filter, Object> more = new EnumMap<>(Filter.class);
    more.putAll(values);
    more.put(filter, filter.checked(value));
    return new Selection(Collections.unmodifiableMap(more), state, limit);
  }

  /** Of these, only those with the given numbers; all of them where none is given. */
  public Selection numbers(List<Long> numbers) {
    return numbers.isEmpty() ? this : with(Filter.NUMBER, numbers);
  }

  /** Of these, only those with a higher number, or position in the archive. */
  public Selection beyond(long number) {
    return with(Filter.BEYOND, number);
  }

  /** Of these, only those with the given message ids; all of them where none is given. */
  public Selection ids(Collection<?> ids) {
    return ids.isEmpty() ? this : with(Filter.ID, ids.stream().map(String::valueOf).toList());
  }

  /** Of these, only one consumer's. */
  public Selection consumer(String name) {
    return with(Filter.CONSUMER, name);
  }

  /** Of these, only those to a destination, as enqueued. */
  public Selection destination(String destination) {
    return with(Filter.DESTINATION, destination);
  }

  /** Of these, only those with the given key. */
  public Selection key(String key) {
    return with(Filter.KEY, key);
  }

  /** Of these, only those with the given reason, by its code. */
  public Selection reason(String code) {
    return with(Filter.REASON, code);
  }

  /** Of these, only those with the given class of error, as {@link Cause#error} names it. */
  public Selection error(String errorClass) {
    return with(Filter.ERROR, errorClass);
  }

  /** Of these, only those of one {@link Cause#cause}. */
  public Selection cause(String fingerprint) {
    return with(Filter.CAUSE, fingerprint);
  }

  /** Of these, only those whose {@link SetAsideMessage#at} is this time or later. */
  public Selection from(Instant time) {
    return with(Filter.FROM, time);
  }

  /** Of these, only those whose {@link SetAsideMessage#at} is before. */
  public Selection before(Instant time) {
    return with(Filter.BEFORE, time);
  }

  /**
   * Of these, the first N.
   *
   * @throws IllegalArgumentException when it is less than 1
   */
  public Selection limit(long most) {
    if (most < 1) {
      throw new IllegalArgumentException("limit is %s; choose at least 1.".formatted(most));
    }
    return new Selection(values, state, most);
  }

  /** The same among those that were discarded and can be restored. */
  public Selection discarded() {
    return new Selection(values, State.DISCARDED, limit);
  }

  /** The same, whether discarded or not. */
  public Selection discardedToo() {
    return new Selection(values, State.ANY, limit);
  }

  /** Whether nothing is said that would leave a message out, discarded ones aside. */
  public boolean isEverything() {
    return values.isEmpty() && limit == null;
  }

  /** At most N, or null for all. */
  public @Nullable Long limit() {
    return limit;
  }

  Map<Filter, Object> values() {
    return values;
  }

  State state() {
    return state;
  }

  /** As the audit keeps it: {@code reason = too-large, limit = 100}. */
  @Override
  public String toString() {
    StringJoiner text = new StringJoiner(", ");
    text.setEmptyValue("all");
    values.forEach((filter, value) -> text.add(filter.code() + " = " + shortened(value)));
    if (limit != null) {
      text.add("limit = " + limit);
    }
    return text.toString();
  }

  private static String shortened(Object value) {
    if (!(value instanceof List<?> list) || list.size() <= MOST_SHOWN) {
      return value.toString();
    }
    return new ArrayList<>(list.subList(0, MOST_SHOWN))
        + " and %s more".formatted(list.size() - MOST_SHOWN);
  }
}
