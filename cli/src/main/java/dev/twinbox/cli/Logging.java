package dev.twinbox.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import org.slf4j.LoggerFactory;

/** What is logged beside warnings. */
final class Logging {
  private Logging() {}

  /** A worker has nobody who looks at its output but the log. */
  static void tellOfTwinbox() {
    try {
      if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context
          && context.getLogger("dev.twinbox").getLevel() == null) {
        context.getLogger("dev.twinbox").setLevel(Level.INFO);
      }
    } catch (NoClassDefFoundError e) {
      // Another logging library, with a configuration of its own.
    }
  }
}
