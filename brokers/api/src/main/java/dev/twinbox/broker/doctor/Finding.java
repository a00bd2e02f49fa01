package dev.twinbox.broker.doctor;

/**
 * One thing that was looked at. Immutable; holds no credentials.
 *
 * @param check what was looked for
 * @param severity how bad it is
 * @param subject where: a topic, a queue, a table
 * @param value what was found there
 * @param remedy a setting or command that mends it; empty when all is well
 */
public record Finding(Check check, Severity severity, String subject, String value, String remedy) {

  /** All is well with the subject. */
  public static Finding ok(String subject, String value) {
    return new Finding(CommonCheck.EXAMINED, Severity.OK, subject, value, "");
  }

  /** It could not be read. */
  public static Finding unknown(Check check, String subject, String value, String remedy) {
    return new Finding(check, Severity.UNKNOWN, subject, value, remedy);
  }

  /** It will hurt. */
  public static Finding warning(Check check, String subject, String value, String remedy) {
    return new Finding(check, Severity.WARNING, subject, value, remedy);
  }

  /** It can lose messages. */
  public static Finding danger(Check check, String subject, String value, String remedy) {
    return new Finding(check, Severity.DANGER, subject, value, remedy);
  }

  /** The check's stable name, as documented: {@code replication-factor}. */
  public String code() {
    return check.code();
  }

  /** What can come of it; empty when all is well. */
  public String risk() {
    return check.risk();
  }

  /** Whether relays and consumers refuse to work with it. */
  public boolean isRefused() {
    return severity == Severity.DANGER && check.isRefused();
  }

  /** In one line, for logs and errors. */
  @Override
  public String toString() {
    return "%s: %s: %s. %s %s".formatted(code(), subject, value, risk(), remedy).strip();
  }
}
