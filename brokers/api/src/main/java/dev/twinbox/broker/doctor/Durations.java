package dev.twinbox.broker.doctor;

import java.time.Duration;

/** Durations for people. */
public final class Durations {
  private Durations() {}

  /** In the largest unit that leaves nothing over: {@code 7 days}, {@code 90 min}. */
  public static String text(Duration duration) {
    long millis = duration.toMillis();
    if (millis % 86_400_000 == 0) {
      long days = millis / 86_400_000;
      return days + (days == 1 ? " day" : " days");
    }
    if (millis % 60_000 == 0) {
      return millis / 60_000 + " min";
    }
    return millis % 1_000 == 0 ? millis / 1_000 + " s" : millis + " ms";
  }
}
