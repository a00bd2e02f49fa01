package dev.twinbox.inbox;

import dev.twinbox.postgres.SchemaName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * The operator's view of the messages that consumers gave up or refused: look at them, have them
 * handled once more, discard them and bring them back.
 *
 * <p>Works on the tables alone, wherever it runs: the handlers are in the consumers' services,
 * which do what is asked for here ({@link InboxRedriver}). Needs the rights of {@code
 * grantConsumer}. Each act is one transaction, and is recorded in {@code inbox_audit} with who,
 * when, what and how many. Every method throws {@link DatabaseUnavailableException} when the
 * database failed or refused.
 *
 * <p>Thread-safe.
 */
public final class Quarantine {
  private static final int LONGEST_NAME = 200;

  private final Transactions transactions;
  private final QuarantineReader reader;
  private final QuarantineTable table;

  private Quarantine(DataSource dataSource, String schema) {
    transactions = new Transactions(dataSource);
    String quoted = new SchemaName(schema).quoted();
    reader = new QuarantineReader(quoted);
    table = new QuarantineTable(quoted, reader);
  }

  /**
   * The quarantine of all consumers of a schema.
   *
   * @throws IllegalArgumentException when the schema's name is not accepted
   */
  public static Quarantine of(DataSource dataSource, String schema) {
    return new Quarantine(dataSource, schema);
  }

  /** The messages, without their payloads; what was discarded is left out. */
  public List<QuarantinedMessage> list(QuarantineSelection selection) {
    return read(connection -> reader.list(connection, selection, SelectionState.KEPT));
  }

  /** The messages that were discarded and can still be restored, without their payloads. */
  public List<QuarantinedMessage> listDiscarded(QuarantineSelection selection) {
    return read(connection -> reader.list(connection, selection, SelectionState.DISCARDED));
  }

  /** One message with its payload, discarded or not. */
  public Optional<QuarantinedMessage> show(long number) {
    return read(connection -> reader.show(connection, number));
  }

  /** How many lie there for which cause, the most frequent first. */
  public List<QuarantineCause> group(QuarantineSelection selection) {
    return read(connection -> reader.group(connection, selection));
  }

  /** How many a redrive, discard or pass of this selection would take; waiting ones left out. */
  public long count(QuarantineSelection selection) {
    return read(connection -> reader.count(connection, selection, SelectionState.IDLE));
  }

  /** How many {@link #restore} would bring back. */
  public long countDiscarded(QuarantineSelection selection) {
    return read(connection -> reader.count(connection, selection, SelectionState.DISCARDED));
  }

  /**
   * Has the messages handled once more by the running consumers, each in one transaction that also
   * takes it out of quarantine, in the order of their numbers. The selection is frozen: what comes
   * later is not part of it. What waits for a redrive already is left out, so asking twice does
   * nothing. One that fails goes back to quarantine with its new error.
   *
   * @return a redrive for each consumer whose messages are among them; none when there are none
   * @throws QuarantineBeyondHorizonException when some are too old to know whether they were
   *     processed, and the terms do not include them; nothing was done
   * @throws IllegalStateException when they are not {@link QuarantineSelection#exactly} so many
   */
  public List<Redrive> redrive(QuarantineSelection selection, RedriveTerms terms) {
    String operator = operator(terms.by());
    return act(
        connection -> {
          List<Redrive> redrives = new ArrayList<>();
          long left = selection.limit() == null ? Long.MAX_VALUE : selection.limit();
          for (int consumer : table.consumers(connection, selection)) {
            Redrive redrive =
                table.redrive(connection, selection, consumer, operator, terms.perSecond(), left);
            if (redrive.selected() > 0) {
              redrives.add(redrive);
            }
            left -= redrive.selected();
            if (left == 0) {
              break;
            }
          }
          long beyond = table.beyondHorizon(connection, redrives);
          if (beyond > 0 && !terms.beyondHorizon()) {
            throw new QuarantineBeyondHorizonException(beyond);
          }
          long affected = redrives.stream().mapToLong(Redrive::selected).sum();
          String action = beyond > 0 ? "redrive beyond the horizon" : "redrive";
          record(connection, operator, action, selection, affected);
          return redrives;
        });
  }

  /** How far a redrive is; empty when there is none of this number. */
  public Optional<Redrive> redriveProgress(long number) {
    return read(connection -> reader.progress(connection, number));
  }

  /**
   * Takes back what a redrive has not begun yet; it stays in quarantine.
   *
   * @return how many messages wait no longer
   */
  public long stopRedrive(long number, String by) {
    String operator = operator(by);
    return act(
        connection -> {
          long stopped = table.stop(connection, number);
          table.audit(connection, operator, "stop redrive", "redrive " + number, stopped);
          return stopped;
        });
  }

  /**
   * Discards the messages: they are left out everywhere, can be {@link #restore}d, and are deleted
   * after 30 days ({@code keep_discarded} in {@code inbox_retention}). What waits for a redrive is
   * left out.
   *
   * @return how many
   * @throws IllegalStateException when they are not {@link QuarantineSelection#exactly} so many
   */
  public long discard(QuarantineSelection selection, String by) {
    String operator = operator(by);
    return act(
        connection -> {
          long affected = table.discard(connection, selection, operator);
          record(connection, operator, "discard", selection, affected);
          return affected;
        });
  }

  /**
   * Brings discarded messages back into quarantine.
   *
   * @return how many
   * @throws IllegalStateException when they are not {@link QuarantineSelection#exactly} so many
   */
  public long restore(QuarantineSelection selection, String by) {
    String operator = operator(by);
    return act(
        connection -> {
          long affected = table.restore(connection, selection);
          record(connection, operator, "restore", selection, affected);
          return affected;
        });
  }

  /**
   * Lets messages through that were given up or refused for their age: their next delivery by the
   * broker is handled, once, and takes them out of quarantine. For others a pass has no meaning and
   * none is given; redrive those.
   *
   * @return how many have a pass now that had none before
   * @throws IllegalStateException when they are not {@link QuarantineSelection#exactly} so many
   */
  public long pass(QuarantineSelection selection, String by) {
    String operator = operator(by);
    return act(
        connection -> {
          long affected = table.pass(connection, selection, operator);
          record(connection, operator, "pass", selection, affected);
          return affected;
        });
  }

  private void record(
      Connection connection,
      String operator,
      String action,
      QuarantineSelection selection,
      long affected)
      throws SQLException {
    Long exactly = selection.exactly();
    if (exactly != null && exactly != affected) {
      throw new IllegalStateException(
          "The selection has %s messages now, not %s; nothing was done."
              .formatted(affected, exactly));
    }
    table.audit(connection, operator, action, selection.toString(), affected);
  }

  private static String operator(String name) {
    if (name.isBlank() || name.length() > LONGEST_NAME || name.indexOf('\u0000') >= 0) {
      throw new IllegalArgumentException(
          "Who does it must be named, with 1 to %s characters.".formatted(LONGEST_NAME));
    }
    return name;
  }

  private <T> T read(Transactions.SqlWork<T> work) {
    return transactions.run("The quarantine was not read", work);
  }

  private <T> T act(Transactions.SqlWork<T> work) {
    return transactions.run("Nothing was changed in quarantine", work);
  }
}
