package dev.twinbox.broker;

import java.time.Instant;
import java.time.LocalDate;

/**
 * Times as CloudEvents wants them, in UTC with microseconds: {@code 2026-11-22T08:33:01.000123Z}.
 *
 * <p>Written by hand because each published message has one and a DateTimeFormatter costs as much
 * as the rest of the message.
 */
public final class Rfc3339 {
  private static final long SECONDS_A_DAY = 86_400;

  private Rfc3339() {}

  /** The instant as text; below a microsecond it is cut off. Years 0 to 9999. */
  public static String micros(Instant instant) {
    LocalDate day = LocalDate.ofEpochDay(Math.floorDiv(instant.getEpochSecond(), SECONDS_A_DAY));
    int second = (int) Math.floorMod(instant.getEpochSecond(), SECONDS_A_DAY);
    char[] text = "0000-00-00T00:00:00.000000Z".toCharArray();
    digits(text, 4, day.getYear());
    digits(text, 7, day.getMonthValue());
    digits(text, 10, day.getDayOfMonth());
    digits(text, 13, second / 3600);
    digits(text, 16, second / 60 % 60);
    digits(text, 19, second % 60);
    digits(text, 26, instant.getNano() / 1000);
    return new String(text);
  }

  private static void digits(char[] text, int end, int value) {
    int left = value;
    for (int i = end - 1; left > 0; i--) {
      text[i] = (char) ('0' + left % 10);
      left /= 10;
    }
  }
}
