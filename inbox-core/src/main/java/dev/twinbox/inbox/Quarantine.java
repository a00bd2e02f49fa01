package dev.twinbox.inbox;

import dev.twinbox.postgres.SchemaName;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.BeyondHorizonException;
import dev.twinbox.setaside.Preview;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAside;
import dev.twinbox.setaside.TransactionRunner;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.QueryPart;
import org.jooq.Record1;
import org.jooq.Select;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;

/**
 * The operator's view of the messages that consumers gave up or refused: look at them, have them
 * handled once more, discard them and bring them back.
 *
 * <p>Works on the tables alone, wherever it runs: the handlers are in the consumers' services,
 * which do what is asked for here ({@link InboxRedriver}). Needs the rights of {@code
 * grantConsumer}. Each act is one transaction, and is recorded in {@code inbox_audit}. Every method
 * throws {@link DatabaseUnavailableException} when the database failed or refused.
 *
 * <p>Thread-safe.
 */
public final class Quarantine extends SetAside {
  private static final double DEFAULT_PER_SECOND = 50;

  private final String schema;
  private final QuarantineTable table;

  private Quarantine(DataSource dataSource, String schema, QuarantineTable table) {
    super(runner(new Transactions(dataSource), table), table);
    this.schema = schema;
    this.table = table;
  }

  /**
   * The quarantine of all consumers of a schema.
   *
   * @throws IllegalArgumentException when the schema's name is not accepted
   */
  public static Quarantine of(DataSource dataSource, String schema) {
    String quoted = new SchemaName(schema).quoted();
    return new Quarantine(dataSource, quoted, new QuarantineTable(quoted));
  }

  private static TransactionRunner runner(Transactions transactions, QuarantineTable table) {
    DatabaseText texts = new DatabaseText();
    return new TransactionRunner() {
      @Override
      public <T> T run(Work<T> work) {
        return transactions.run(
            "Nothing was read from quarantine or changed in it",
            connection -> {
              table.learn(texts.fitting(connection));
              return TransactionRunner.on(connection, work);
            });
      }
    };
  }

  /** What a redrive, discard, pass or restore would work on; waiting ones are left out. */
  @Override
  public Preview preview(Selection selection) {
    return preview(selection, QuarantineTable.IDLE);
  }

  /**
   * Has the messages handled once more by the running consumers, each in one transaction that also
   * takes it out of quarantine, in the order of their numbers, at most 50 a second unless the act
   * says otherwise. The selection is frozen: what comes later is not part of it. What waits for a
   * redrive already is left out, so asking twice does nothing. One that fails goes back to
   * quarantine with its new error.
   *
   * @return a redrive for each consumer whose messages are among them; none when there are none
   * @throws BeyondHorizonException when some are too old to know whether they were processed, and
   *     the act does not include them; nothing was done
   * @throws IllegalStateException when they are not {@link Act#exactly} so many
   */
  public List<Redrive> redrive(Selection selection, Act act) {
    return run(
        dsl -> {
          List<Redrive> redrives = begin(dsl, locked(selection, QuarantineTable.IDLE), act);
          long affected = redrives.stream().mapToLong(Redrive::selected).sum();
          check("redrive", act, affected);
          Preview all = age(dsl, redrives, affected);
          checkHorizon(act, all);
          String action = all.beyondHorizon() > 0 ? "redrive beyond the horizon" : "redrive";
          record(dsl, null, act.by(), action, selection.toString(), affected);
          return redrives;
        });
  }

  private List<Redrive> begin(DSLContext dsl, Select<Record1<Long>> numbers, Act act) {
    Double rate = act.perSecond();
    List<Long> begun =
        dsl.resultQuery(
                """
                with picked as materialized ({0}),
                fresh as (
                  insert into %1$s.inbox_redrive (consumer_id, requested_by, per_second, selected)
                  select d.consumer_id, {1}, {2}, count(*)
                  from %1$s.inbox_dead_letter d join picked using (number)
                  group by d.consumer_id order by d.consumer_id
                  returning number, consumer_id),
                marked as (
                  update %1$s.inbox_dead_letter d set redrive = f.number, redrive_tries = 0
                  from picked p, fresh f
                  where d.number = p.number and d.consumer_id = f.consumer_id)
                select number from fresh order by number"""
                    .formatted(schema),
                numbers,
                DSL.val(table.stored(act.by())),
                DSL.val(rate == null ? DEFAULT_PER_SECOND : rate))
            .fetch(0, Long.class);
    return begun.isEmpty() ? List.of() : redrives(dsl, DSL.field("r.number").in(begun));
  }

  /** How old the messages of these redrives are. */
  private Preview age(DSLContext dsl, List<Redrive> redrives, long affected) {
    List<Long> numbers = redrives.stream().map(Redrive::number).toList();
    Condition begun = DSL.field("d.redrive", SQLDataType.BIGINT).in(numbers);
    long old = dsl.fetchCount(table.rows(), begun, table.isBeyondHorizon());
    Long horizon = dsl.select(table.horizonSeconds()).fetchSingle().value1();
    return Preview.of(affected, old, horizon);
  }

  /** How far a redrive is; empty when there is none of this number. */
  public Optional<Redrive> redriveProgress(long number) {
    return run(dsl -> redrives(dsl, DSL.field("r.number").eq(number)).stream().findFirst());
  }

  private List<Redrive> redrives(DSLContext dsl, Condition which) {
    return dsl.resultQuery(
            """
            select r.number, c.consumer, r.requested_by, r.requested_at, r.per_second, r.selected,
              r.processed, r.duplicates, r.failed, r.finished_at
            from %1$s.inbox_redrive r join %1$s.inbox_consumer c using (consumer_id)
            where {0} order by r.number"""
                .formatted(schema),
            which)
        .fetch(
            r -> {
              OffsetDateTime finished = r.get("finished_at", OffsetDateTime.class);
              return new Redrive(
                  r.get("number", Long.class),
                  r.get("consumer", String.class),
                  r.get("requested_by", String.class),
                  r.get("requested_at", OffsetDateTime.class).toInstant(),
                  r.get("per_second", Double.class),
                  r.get("selected", Long.class),
                  r.get("processed", Long.class),
                  r.get("duplicates", Long.class),
                  r.get("failed", Long.class),
                  finished == null ? null : finished.toInstant());
            });
  }

  /**
   * Takes back what a redrive has not begun yet; it stays in quarantine.
   *
   * @return how many messages wait no longer
   */
  public long stopRedrive(long number, String by) {
    Act act = Act.by(by);
    return run(
        dsl -> {
          // What is claimed is in a handler's hands.
          Long stopped =
              dsl.resultQuery(
                      """
                      with stopped as (
                        update %1$s.inbox_dead_letter set redrive = null, redrive_tries = 0
                        where redrive = {0} and claim is null returning number)
                      update %1$s.inbox_redrive r
                      set selected = r.selected - (select count(*) from stopped)
                      where r.number = {0} returning (select count(*) from stopped)"""
                          .formatted(schema),
                      DSL.val(number))
                  .fetchOne(0, Long.class);
          long affected = stopped == null ? 0 : stopped;
          record(dsl, null, act.by(), "stop redrive", "redrive " + number, affected);
          return affected;
        });
  }

  /**
   * Discards the messages: they are left out everywhere, can be {@link #restore}d, and are deleted
   * after 30 days ({@code keep_discarded} in {@code inbox_retention}). What waits for a redrive is
   * left out.
   *
   * @return how many
   * @throws IllegalStateException when they are not {@link Act#exactly} so many
   */
  public long discard(Selection selection, Act act) {
    return change(
        "discard",
        selection,
        QuarantineTable.IDLE,
        act,
        """
        update %1$s.inbox_dead_letter
        set discarded_at = clock_timestamp(), discarded_by = {1} where number in ({0})""");
  }

  /**
   * Brings discarded messages back into quarantine.
   *
   * @return how many
   * @throws IllegalStateException when they are not {@link Act#exactly} so many
   */
  public long restore(Selection selection, Act act) {
    return change(
        "restore",
        selection.discarded(),
        DSL.trueCondition(),
        act,
        """
        update %1$s.inbox_dead_letter
        set discarded_at = null, discarded_by = null where number in ({0})""");
  }

  /**
   * Lets messages through that were given up or refused for their age: their next delivery by the
   * broker is handled, once, and takes them out of quarantine. For others a pass has no meaning and
   * none is given; redrive those.
   *
   * @return how many have a pass now that had none before
   * @throws IllegalStateException when they are not {@link Act#exactly} so many
   */
  public long pass(Selection selection, Act act) {
    return change(
        "pass",
        selection,
        QuarantineTable.PASSABLE,
        act,
        """
        insert into %1$s.inbox_pass (consumer_id, message_id, granted_by)
        select distinct consumer_id, message_id, {1}
        from %1$s.inbox_dead_letter where number in ({0})
        on conflict do nothing""");
  }

  private long change(String action, Selection selection, Condition state, Act act, String sql) {
    return atOnce(
        action,
        selection,
        state,
        act,
        (dsl, numbers) ->
            dsl.query(
                    sql.formatted(schema),
                    new QueryPart[] {numbers, DSL.val(table.stored(act.by()))})
                .execute());
  }
}
