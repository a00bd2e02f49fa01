package dev.twinbox.cli;

import dev.twinbox.relay.drain.RateLimits;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The rate limits of the relay command, each under a name of the user's choosing: {@code
 * rate.at.orders.destination = kafka:orders} with {@code rate.at.orders.per-second = 200}.
 */
final class RateSettings {
  private static final Pattern AT =
      Pattern.compile("rate\\.at\\.([A-Za-z0-9_-]+)\\.(destination|per-second)");

  private RateSettings() {}

  static boolean isOne(String name) {
    return AT.matcher(name).matches();
  }

  static RateLimits limits(Map<String, String> settings) {
    TreeSet<String> places = new TreeSet<>();
    for (String name : settings.keySet()) {
      Matcher at = AT.matcher(name);
      if (at.matches()) {
        places.add("rate.at." + at.group(1) + ".");
      }
    }
    RateLimits limits = RateLimits.NONE;
    for (String place : places) {
      String destination = settings.getOrDefault(place + "destination", "");
      String rate = settings.getOrDefault(place + "per-second", "");
      if (destination.isEmpty()) {
        throw new CommandException(
            "%sdestination is missing; it says whose limit this is, as in kafka:orders."
                .formatted(place));
      }
      try {
        limits = limits.with(destination, Double.parseDouble(rate));
      } catch (NumberFormatException e) {
        throw new CommandException(
            "%sper-second is '%s'; choose a number of messages a second, as in 200."
                .formatted(place, rate),
            e);
      } catch (IllegalArgumentException e) {
        throw new CommandException("%sper-second: %s".formatted(place, Explanation.line(e)), e);
      }
    }
    return limits;
  }
}
