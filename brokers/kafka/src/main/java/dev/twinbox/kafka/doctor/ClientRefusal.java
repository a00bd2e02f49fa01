package dev.twinbox.kafka.doctor;

import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * Says why Kafka's client could not be made, without what could be a secret: the client repeats the
 * values of settings, and pieces of {@code sasl.jaas.config}.
 */
public final class ClientRefusal {
  private static final Pattern SETTING =
      Pattern.compile("configuration \"?([a-z0-9._-]+)\"?|(bootstrap\\.servers)");
  private static final int DEEPEST = 10;

  private ClientRefusal() {}

  /** The reason of a failure to make a producer, a consumer or an admin client. */
  public static String reason(@Nullable Throwable failure) {
    StringBuilder text = new StringBuilder();
    int depth = 0;
    for (Throwable each = failure; each != null && depth < DEEPEST; each = each.getCause()) {
      text.append(text.isEmpty() ? "" : ": ").append(line(each));
      depth++;
    }
    return text.isEmpty() ? "no answer" : text.toString();
  }

  private static String line(Throwable failure) {
    String name = failure.getClass().getSimpleName();
    String message = String.valueOf(failure.getMessage());
    if (failure instanceof ConfigException) {
      Matcher setting = SETTING.matcher(message);
      if (!setting.find()) {
        return name;
      }
      String named = setting.group(1) == null ? setting.group(2) : setting.group(1);
      return isHarmless(named) ? name + ": " + message : name + ": " + named + " is refused";
    }
    if (Arrays.stream(failure.getStackTrace())
        .anyMatch(frame -> frame.getClassName().contains(".security.Jaas"))) {
      return name + ": sasl.jaas.config cannot be read";
    }
    // A message made of the cause's is the cause's, which is judged by itself.
    boolean isItsOwn = failure.getCause() == null || !message.contains(text(failure.getCause()));
    boolean isTold = failure instanceof Error || failure instanceof KafkaException;
    return isTold && isItsOwn ? name + ": " + message : name;
  }

  private static String text(Throwable cause) {
    String message = cause.getMessage();
    return message == null ? cause.toString() : message;
  }

  private static boolean isHarmless(String setting) {
    return !setting.startsWith("sasl.")
        && !setting.startsWith("ssl.")
        && !setting.contains("password");
  }
}
