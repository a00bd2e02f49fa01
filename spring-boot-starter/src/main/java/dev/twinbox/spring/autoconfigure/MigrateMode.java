package dev.twinbox.spring.autoconfigure;

/** What becomes of Twinbox's tables when a service starts. */
public enum MigrateMode {
  /** They are made and upgraded; of several instances one does it, and the others wait. */
  ON_START,
  /** Nothing is changed; the service does not start where they are missing or too old. */
  VALIDATE,
  /** Nobody looks before the relay and the inbox do. */
  NEVER
}
