package dev.twinbox.inbox;

/**
 * What {@link Admission} has to know of the inbox' records. Times are milliseconds since 1970, by
 * the clock of the records' server.
 */
public interface AdmissionTerms {
  /** What time it is there. */
  long now();

  /** For how long records are kept, in milliseconds. */
  long horizon();

  /** Ids from before are recorded in a range of their own, as their time has no place. */
  long keptFrom();

  /** Whether an id of the given time was possibly processed, with its record dropped since. */
  boolean refuses(long idTime);
}
