package dev.twinbox.cli;

import java.util.regex.Pattern;

/**
 * Tells whether an address has a password in it.
 *
 * <p>Nothing is taken out of a text before it is printed: what could hold a secret is not printed
 * at all, and no client whose complaints are printed is handed an address with one.
 */
final class Secrets {
  private static final Pattern IN_URI = Pattern.compile("//[^@]*:[^@]*@");
  private static final Pattern IN_PARAMETER =
      Pattern.compile("[?&][^=&]*password=", Pattern.CASE_INSENSITIVE);

  private Secrets() {}

  static boolean areIn(String address) {
    return IN_URI.matcher(address).find() || IN_PARAMETER.matcher(address).find();
  }
}
