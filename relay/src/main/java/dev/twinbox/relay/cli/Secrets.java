package dev.twinbox.relay.cli;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tells which settings are secret, and takes them out of what is shown. */
final class Secrets {
  /** Kafka's and RabbitMQ's names, and our own. */
  private static final Pattern NAME =
      Pattern.compile(".*(password|passphrase|secret|jaas|token|credential|keystore\\.key).*");

  private static final Pattern IN_URI = Pattern.compile("//[^/@?]*?:([^/@]*)@");
  private static final Pattern IN_PARAMETER =
      Pattern.compile("[?&](?:password|sslpassword)=([^&]*)", Pattern.CASE_INSENSITIVE);

  private Secrets() {}

  /** Whether an address has a password in it. */
  static boolean isIn(String address) {
    return IN_URI.matcher(address).find() || IN_PARAMETER.matcher(address).find();
  }

  static Set<String> in(Map<String, String> settings) {
    Set<String> secrets = new TreeSet<>();
    settings.forEach(
        (name, value) -> {
          if (NAME.matcher(name).matches() && !name.equals(Settings.DB_PASSWORD_FILE)) {
            secrets.add(value);
          }
          for (Pattern place : Set.of(IN_URI, IN_PARAMETER)) {
            Matcher found = place.matcher(value);
            while (found.find()) {
              secrets.add(found.group(1));
            }
          }
        });
    secrets.remove("");
    return secrets;
  }

  /** The text with each secret as {@code ***}, the longest first, as one may contain another. */
  static String hide(String text, Set<String> secrets) {
    String hidden = text;
    for (String secret :
        secrets.stream().sorted((a, b) -> Integer.compare(b.length(), a.length())).toList()) {
      hidden = hidden.replace(secret, "***");
    }
    return hidden;
  }
}
