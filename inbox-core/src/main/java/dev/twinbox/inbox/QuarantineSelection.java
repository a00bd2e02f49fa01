package dev.twinbox.inbox;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Which quarantined messages are meant: those that meet every condition, in the order of their
 * numbers. {@code QuarantineSelection.all().consumer("billing").reason(UNKNOWN_TYPE).limit(100)}.
 *
 * @param numbers their numbers; empty for any
 * @param ids the ids that their senders gave them; empty for any
 * @param consumer the consumer's name, or null for any
 * @param reason why they lie there, or null for any
 * @param error the kind of their error, as {@link QuarantineCause#error()} names it, or null for
 *     any
 * @param before only what came into quarantine before, or null for any time
 * @param limit at most so many, or null for all
 * @param exactly how many they have to be for an act to be done, or null for any number
 */
public record QuarantineSelection(
    List<Long> numbers,
    List<String> ids,
    @Nullable String consumer,
    @Nullable QuarantineReason reason,
    @Nullable String error,
    @Nullable Instant before,
    @Nullable Long limit,
    @Nullable Long exactly) {

  public QuarantineSelection {
    numbers = List.copyOf(numbers);
    ids = List.copyOf(ids);
    if (limit != null && limit < 1) {
      throw new IllegalArgumentException("limit is %s; choose at least 1.".formatted(limit));
    }
  }

  /** Everything. */
  public static QuarantineSelection all() {
    return new QuarantineSelection(List.of(), List.of(), null, null, null, null, null, null);
  }

  /** The one with this number. */
  public static QuarantineSelection number(long number) {
    return numbers(List.of(number));
  }

  /** Those with these numbers. */
  public static QuarantineSelection numbers(List<Long> numbers) {
    return new QuarantineSelection(numbers, List.of(), null, null, null, null, null, null);
  }

  /** Of these, only those with the given message ids. */
  public QuarantineSelection ids(List<String> values) {
    return new QuarantineSelection(
        numbers, values, consumer, reason, error, before, limit, exactly);
  }

  /** Of these, only one consumer's. */
  public QuarantineSelection consumer(String name) {
    return new QuarantineSelection(numbers, ids, name, reason, error, before, limit, exactly);
  }

  /** Of these, only those with the given reason. */
  public QuarantineSelection reason(QuarantineReason value) {
    return new QuarantineSelection(numbers, ids, consumer, value, error, before, limit, exactly);
  }

  /** Of these, only those with the given kind of error. */
  public QuarantineSelection error(String kind) {
    return new QuarantineSelection(numbers, ids, consumer, reason, kind, before, limit, exactly);
  }

  /** Of these, only those that came into quarantine before. */
  public QuarantineSelection before(Instant time) {
    return new QuarantineSelection(numbers, ids, consumer, reason, error, time, limit, exactly);
  }

  /** Of these, the first so many. */
  public QuarantineSelection limit(long most) {
    return new QuarantineSelection(numbers, ids, consumer, reason, error, before, most, exactly);
  }

  /** Does nothing unless they are exactly so many. */
  public QuarantineSelection exactly(long count) {
    return new QuarantineSelection(numbers, ids, consumer, reason, error, before, limit, count);
  }

  /** Whether nothing is said that would leave anything out. */
  public boolean isEverything() {
    return equals(all().withExactly(exactly));
  }

  private QuarantineSelection withExactly(@Nullable Long count) {
    return new QuarantineSelection(numbers, ids, consumer, reason, error, before, limit, count);
  }

  /** As it is written into the audit table. */
  @Override
  public String toString() {
    StringJoiner text = new StringJoiner(", ");
    text.setEmptyValue("all");
    if (!numbers.isEmpty()) {
      text.add("number " + shortened(numbers));
    }
    if (!ids.isEmpty()) {
      text.add("id " + shortened(ids));
    }
    add(text, "consumer", consumer);
    add(text, "reason", reason == null ? null : reason.code());
    add(text, "error", error);
    add(text, "before", before);
    add(text, "limit", limit);
    return text.toString();
  }

  private static void add(StringJoiner text, String name, @Nullable Object value) {
    if (value != null) {
      text.add(name + " " + value);
    }
  }

  private static String shortened(List<?> values) {
    int shown = Math.min(values.size(), 100);
    String text = String.valueOf(new ArrayList<>(values.subList(0, shown)));
    return shown == values.size() ? text : text + " and %s more".formatted(values.size() - shown);
  }
}
