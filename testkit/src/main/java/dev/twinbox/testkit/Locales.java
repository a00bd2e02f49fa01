package dev.twinbox.testkit;

import java.util.Locale;

/** The default locale of this JVM, for servers in it that cannot do with every one. */
final class Locales {
  private Locales() {}

  /** Runs something with the root locale as the default, which other threads see as well. */
  static synchronized void inRoot(Runnable work) {
    Locale.setDefault(Locale.ROOT);
    try {
      work.run();
    } finally {
      Locale.setDefault(started());
    }
  }

  /** What this JVM was started with. */
  private static Locale started() {
    return new Locale.Builder()
        .setLanguage(System.getProperty("user.language", ""))
        .setRegion(System.getProperty("user.country", ""))
        .setScript(System.getProperty("user.script", ""))
        .build();
  }
}
