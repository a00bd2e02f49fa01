package dev.twinbox.cli;

import dev.twinbox.relay.drain.RetryPolicies;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.drain.RetryPolicy.AfterGrace;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.TypeConversionException;

/**
 * The retry policies of the relay command: {@code retry.max-attempts} for all, and for one
 * destination under a name of the user's choosing, {@code retry.at.orders.destination =
 * kafka:orders} with {@code retry.at.orders.max-attempts}.
 */
final class RetrySettings {
  /** What a policy says, under {@code retry.} */
  static final Set<String> NAMES =
      Set.of(
          "first",
          "longest",
          "max-attempts",
          "grace-period",
          "after-grace",
          "park-after",
          "block-key-on-dead-letter");

  private static final String PREFIX = "retry.";
  private static final Pattern AT = Pattern.compile("retry\\.at\\.([A-Za-z0-9_-]+)\\.([a-z-]+)");

  private RetrySettings() {}

  static boolean isOne(String name) {
    Matcher at = AT.matcher(name);
    return at.matches()
        ? NAMES.contains(at.group(2)) || at.group(2).equals("destination")
        : name.startsWith(PREFIX) && NAMES.contains(name.substring(PREFIX.length()));
  }

  /** The policies that the settings describe; what they leave out is as for all, or the default. */
  static RetryPolicies policies(Map<String, String> settings) {
    RetryPolicy all = changed(RetryPolicy.DEFAULTS, settings, PREFIX);
    RetryPolicies policies = RetryPolicies.all(all);
    Map<String, String> places = new TreeMap<>();
    settings.forEach(
        (name, value) -> {
          Matcher at = AT.matcher(name);
          if (at.matches()) {
            places.putIfAbsent(at.group(1), "");
            if (at.group(2).equals("destination")) {
              places.put(at.group(1), value);
            }
          }
        });
    for (Map.Entry<String, String> place : places.entrySet()) {
      String prefix = PREFIX + "at." + place.getKey() + ".";
      if (place.getValue().isEmpty()) {
        throw new CommandException(
            "%sdestination is missing; it says whose policy this is, as in kafka:orders."
                .formatted(prefix));
      }
      policies = policies.with(place.getValue(), changed(all, settings, prefix));
    }
    return policies;
  }

  private static RetryPolicy changed(
      RetryPolicy policy, Map<String, String> settings, String prefix) {
    try {
      return new RetryPolicy(
          duration(settings, prefix + "first", policy.first()),
          duration(settings, prefix + "longest", policy.longest()),
          attempts(settings, prefix + "max-attempts", policy.maxAttempts()),
          duration(settings, prefix + "grace-period", policy.gracePeriod()),
          afterGrace(settings, prefix + "after-grace", policy.afterGrace()),
          duration(settings, prefix + "park-after", policy.parkAfter()),
          flag(settings, prefix + "block-key-on-dead-letter", policy.blockKeyOnDeadLetter()));
    } catch (IllegalArgumentException e) {
      throw new CommandException(prefix + "*: " + Explanation.of(e), e);
    }
  }

  private static Duration duration(Map<String, String> settings, String name, Duration otherwise) {
    String value = settings.get(name);
    if (value == null) {
      return otherwise;
    }
    try {
      return new DurationConverter().convert(value);
    } catch (TypeConversionException e) {
      throw new CommandException(
          "%s is '%s'; write a number and ms, s, m or h, as in 30s.".formatted(name, value), e);
    }
  }

  private static int attempts(Map<String, String> settings, String name, int otherwise) {
    String value = settings.get(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.matches("\\d{1,9}")) {
      throw new CommandException("%s is '%s'; choose a number from 1 on.".formatted(name, value));
    }
    return Integer.parseInt(value);
  }

  private static AfterGrace afterGrace(
      Map<String, String> settings, String name, AfterGrace otherwise) {
    String value = settings.get(name);
    if (value == null) {
      return otherwise;
    }
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "dead-letter" -> AfterGrace.DEAD_LETTER;
      case "wait" -> AfterGrace.WAIT;
      default ->
          throw new CommandException(
              "%s is '%s'; choose dead-letter or wait.".formatted(name, value));
    };
  }

  private static boolean flag(Map<String, String> settings, String name, boolean otherwise) {
    String value = settings.get(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.equals("true") && !value.equals("false")) {
      throw new CommandException("%s is '%s'; choose true or false.".formatted(name, value));
    }
    return value.equals("true");
  }
}
