package dev.twinbox.testkit;

/** The PostgreSQL versions that {@link TestPostgres} can start. */
public enum PostgresVersion {
  /** The oldest supported version; Linux on amd64 only. */
  V14,
  /** The newest supported version, and the default. */
  V18
}
