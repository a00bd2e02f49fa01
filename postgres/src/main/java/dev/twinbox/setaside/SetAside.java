package dev.twinbox.setaside;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Record1;
import org.jooq.Select;
import org.jooq.SelectForUpdateStep;
import org.jooq.SelectLimitStep;
import org.jooq.Table;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Messages of one database that are set aside, for an operator: list them, look at one, group them
 * by cause, see who did what. What can be done with them is added by those who extend it.
 *
 * <p>An act works on a frozen selection: what matches at the start, and nothing that comes later.
 * It is recorded in the audit with who, when, what and how many. Every method throws an unchecked
 * exception when the database failed.
 *
 * <p>Thread-safe.
 */
public abstract class SetAside {
  private static final int BATCH = 500;

  private final TransactionRunner transactions;
  private final SetAsideTable table;

  /** Messages of a table, by transactions of their own. */
  protected SetAside(TransactionRunner transactions, SetAsideTable table) {
    this.transactions = transactions;
    this.table = table;
  }

  /** The messages in order, without their payloads. */
  public final List<SetAsideMessage> list(Selection selection) {
    return read(selection, /* withPayload= */ false);
  }

  /** One message with its payload, discarded or not. */
  public final Optional<SetAsideMessage> find(long number) {
    return read(Selection.number(number).discardedToo(), /* withPayload= */ true).stream()
        .findFirst();
  }

  private List<SetAsideMessage> read(Selection selection, boolean withPayload) {
    return transactions.run(
        dsl -> {
          var query =
              dsl.select(table.columns(withPayload))
                  .from(table.rows())
                  .where(table.matches(selection))
                  .orderBy(table.order());
          List<SetAsideMessage> found = new ArrayList<>();
          try (ResultSet rows = limited(query, selection.limit()).fetchResultSet()) {
            while (rows.next()) {
              found.add(table.read(rows));
            }
          }
          return found;
        });
  }

  /** How many there are of each cause, the most frequent first; at most {@code limit} causes. */
  public final List<Cause> causes(Selection selection) {
    return transactions.run(dsl -> causes(dsl, selection));
  }

  private List<Cause> causes(DSLContext dsl, Selection selection) throws SQLException {
    Table<?> each =
        DSL.select(
                ErrorFields.cause(table).as("cause"),
                table.where().as("where"),
                SetAsideTable.text("reason").as("reason"),
                ErrorFields.errorClass(table).as("kind"),
                ErrorFields.frame(table).as("frame"),
                table.number().as("number"),
                table.time().as("at"),
                SetAsideTable.text("error").as("error"))
            .from(table.rows())
            .where(table.matches(selection))
            .asTable("e");
    Field<Integer> count = DSL.count().as("count");
    List<Field<?>> cause = fields("where", "reason", "kind", "frame", "cause");
    List<Field<?>> shown = new ArrayList<>(cause);
    shown.add(count);
    shown.add(field("min(at)").as("oldest"));
    shown.add(field("max(at)").as("newest"));
    shown.add(field("(array_agg(error order by number desc))[1]").as("example"));
    var query =
        dsl.select(shown)
            .from(each)
            .groupBy(cause)
            .orderBy(count.desc(), cause.get(0), cause.get(1), cause.get(2), cause.get(3));
    List<Cause> found = new ArrayList<>();
    try (ResultSet rows = limited(query, selection.limit()).fetchResultSet()) {
      while (rows.next()) {
        found.add(
            new Cause(
                rows.getString("cause"),
                rows.getString("where"),
                rows.getString("reason"),
                rows.getString("kind"),
                rows.getString("frame"),
                rows.getLong("count"),
                SetAsideTable.time(rows, "oldest"),
                SetAsideTable.time(rows, "newest"),
                rows.getString("example")));
      }
    }
    return found;
  }

  private static List<Field<?>> fields(String... names) {
    List<Field<?>> fields = new ArrayList<>();
    for (String each : names) {
      fields.add(field(name("e", each)));
    }
    return fields;
  }

  /** What an act would work on. */
  public Preview preview(Selection selection) {
    return preview(selection, DSL.trueCondition());
  }

  /** The same of those that are in a certain state. */
  protected final Preview preview(Selection selection, Condition state) {
    return transactions.run(
        dsl -> {
          var all =
              DSL.select(table.number().as("number"), field(table.isBeyondHorizon()).as("beyond"))
                  .from(table.rows())
                  .where(table.matches(selection), state);
          var each =
              selection.limit() == null ? all : all.orderBy(table.order()).limit(selection.limit());
          return dsl.select(
                  field("count(*)", SQLDataType.BIGINT),
                  field("coalesce(min(number), 0)", SQLDataType.BIGINT),
                  field("coalesce(max(number), 0)", SQLDataType.BIGINT),
                  field("count(*) filter (where beyond)", SQLDataType.BIGINT),
                  table.horizonSeconds())
              .from(each.asTable("e"))
              .fetchSingle(
                  r ->
                      new Preview(
                          r.value1(),
                          r.value2(),
                          r.value3(),
                          r.value4(),
                          SetAsideTable.seconds(r.value5())));
        });
  }

  /** The newest lines of the audit. */
  public final List<AuditLine> audit(int limit) {
    Field<UUID> act =
        table.auditHasAct()
            ? field("act", SQLDataType.UUID)
            : DSL.inline(null, SQLDataType.UUID).as("act");
    return transactions.run(
        dsl ->
            dsl.select(
                    field("done_at", SQLDataType.TIMESTAMPWITHTIMEZONE),
                    act,
                    field("done_by", SQLDataType.CLOB),
                    field("action", SQLDataType.CLOB),
                    field("selection", SQLDataType.CLOB),
                    field("affected", SQLDataType.BIGINT))
                .from(table.audit())
                .orderBy(field("number").desc())
                .limit(limit)
                .fetch(
                    r ->
                        new AuditLine(
                            r.value1().toInstant(),
                            r.value2(),
                            r.value3(),
                            r.value4(),
                            r.value5(),
                            r.value6())));
  }

  /**
   * Which rows one transaction of an act works on.
   *
   * @param beyond only those beyond this number
   * @param upTo only those up to this number
   * @param limit at most N
   */
  public record Range(long beyond, long upTo, long limit) {}

  /**
   * What one transaction did.
   *
   * @param count how many rows it worked on
   * @param last the last of their numbers
   */
  public record Batch(long count, long last) {}

  /** One transaction of an act. */
  @FunctionalInterface
  protected interface Step {
    /** Works on the rows of a range. */
    Batch take(DSLContext dsl, Range range) throws SQLException;
  }

  /**
   * An act in transactions of at most 500 messages, one after the other, each with its line in the
   * audit. Stopped anywhere, what is done stays done, and the same act again does the rest.
   *
   * @return how many messages were changed
   * @throws BeyondHorizonException when some are too old, and the act does not include them
   * @throws IllegalStateException when they are not exactly as many as the act says
   * @throws InterruptedException when interrupted between two transactions
   */
  protected final long inBatches(
      String action, Selection selection, boolean mindsHorizon, Act act, Step step)
      throws InterruptedException {
    Preview all = preview(selection);
    check(action, act, all.count());
    if (mindsHorizon) {
      checkHorizon(act, all);
    }
    UUID id = UUID.randomUUID();
    Double rate = act.perSecond();
    long most = rate == null ? BATCH : Math.max(1, Math.min(BATCH, (long) (rate / 4)));
    long started = System.nanoTime();
    long done = 0;
    long reached = all.lowest() - 1;
    while (reached < all.highest() && done < all.count()) {
      Range range = new Range(reached, all.highest(), Math.min(most, all.count() - done));
      Batch taken =
          transactions.run(
              dsl -> {
                Batch batch = step.take(dsl, range);
                if (batch.count() > 0) {
                  record(dsl, id, act.by(), action, selection.toString(), batch.count());
                }
                return batch;
              });
      if (taken.count() == 0) {
        break;
      }
      done += taken.count();
      reached = table.isWalkedByNumber() ? taken.last() : reached;
      act.progress().reached(done, all.count(), taken.last());
      if (rate != null) {
        long due = started + (long) (done * TimeUnit.SECONDS.toNanos(1) / rate);
        TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
      }
    }
    return done;
  }

  /** The rows of a range, locked; those that others are at are passed over. */
  protected final Select<Record1<Long>> picked(Selection selection, Range range) {
    Field<Long> number = table.number();
    return DSL.select(number)
        .from(table.rows())
        .where(table.matches(selection), number.gt(range.beyond()), number.le(range.upTo()))
        .orderBy(table.order())
        .limit(range.limit())
        .forUpdate()
        .of(table.locked())
        .skipLocked();
  }

  /** Changes selected rows; returns how many. */
  @FunctionalInterface
  protected interface Change {
    /** Changes the rows that a query for numbers locks. */
    long on(DSLContext dsl, Select<Record1<Long>> numbers) throws SQLException;
  }

  /**
   * An act that is one transaction, with its line in the audit.
   *
   * @param state only messages in this state
   * @return how many messages were changed
   * @throws IllegalStateException when they are not exactly as many as the act says
   */
  protected final long atOnce(
      String action, Selection selection, Condition state, Act act, Change change) {
    return transactions.run(
        dsl -> {
          long affected = change.on(dsl, locked(selection, state));
          check(action, act, affected);
          record(dsl, null, act.by(), action, selection.toString(), affected);
          return affected;
        });
  }

  /** The rows of a selection, locked. */
  protected final Select<Record1<Long>> locked(Selection selection, Condition state) {
    var all =
        DSL.select(table.number())
            .from(table.rows())
            .where(table.matches(selection), state)
            .orderBy(table.order());
    return limited(all, selection.limit()).forUpdate().of(table.locked());
  }

  /** Refuses an act on other than exactly as many messages as it says. */
  protected static void check(String action, Act act, long found) {
    Long exactly = act.exactly();
    if (exactly != null && exactly != found) {
      throw new IllegalStateException(
          "There are %s messages to %s, not %s. Nothing was done."
              .formatted(found, action, exactly));
    }
  }

  /** Refuses an act on messages that are too old for it. */
  protected static void checkHorizon(Act act, Preview all) {
    if (all.beyondHorizon() > 0 && !act.beyondHorizon()) {
      throw new BeyondHorizonException(all.beyondHorizon(), all.count(), all.horizon());
    }
  }

  /** Runs work in a transaction of its own. */
  protected final <T> T run(TransactionRunner.Work<T> work) {
    return transactions.run(work);
  }

  /** Writes a line of the audit. */
  protected final void record(
      DSLContext dsl, @Nullable UUID act, String by, String action, String selection, long count) {
    var line =
        dsl.insertInto(table.audit())
            .set(field("done_by", SQLDataType.CLOB), table.stored(by))
            .set(field("action", SQLDataType.CLOB), action)
            .set(field("selection", SQLDataType.CLOB), table.stored(selection))
            .set(field("affected", SQLDataType.BIGINT), count);
    (act == null ? line : line.set(field("act", SQLDataType.UUID), act)).execute();
  }

  private static <R extends Record> SelectForUpdateStep<R> limited(
      SelectLimitStep<R> query, @Nullable Long limit) {
    return limit == null ? query : query.limit(limit);
  }
}
