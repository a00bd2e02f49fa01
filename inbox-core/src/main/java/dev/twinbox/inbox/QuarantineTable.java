package dev.twinbox.inbox;

import static org.jooq.impl.SQLDataType.BIGINT;
import static org.jooq.impl.SQLDataType.BOOLEAN;
import static org.jooq.impl.SQLDataType.CLOB;
import static org.jooq.impl.SQLDataType.TIMESTAMPWITHTIMEZONE;

import dev.twinbox.setaside.Filter;
import dev.twinbox.setaside.SetAsideMessage;
import dev.twinbox.setaside.SetAsideTable;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.UUID;
import java.util.function.IntPredicate;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Table;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** The columns of {@code inbox_dead_letter}, with the consumer's name. */
final class QuarantineTable extends SetAsideTable {
  /** Redrives may take it: it waits for none. */
  static final Condition IDLE = column("redrive", BIGINT).isNull();

  /** A pass means something: it was given up, or refused for its age. */
  static final Condition PASSABLE =
      IDLE.and(
          DSL.condition(
              """
              d.message_id is not null
                and (d.id_recorded or d.reason = 'older-than-dedup-horizon')"""));

  private static final String[] SHOWN = {
    "number",
    "message_id",
    "id",
    "source",
    "origin",
    "destination",
    "key",
    "type",
    "content_type",
    "message_time",
    "expires_at",
    "headers",
    "reason",
    "error",
    "attempts",
    "dead_at",
    "discarded_at",
    "discarded_by",
    "redrive"
  };

  private final String schema;

  // Learnt from a connection before anything is selected.
  private volatile @Nullable IntPredicate fitting;

  QuarantineTable(String quotedSchema) {
    super("Quarantined messages", EnumSet.allOf(Filter.class));
    schema = quotedSchema;
  }

  void learn(IntPredicate whatFits) {
    fitting = whatFits;
  }

  @Override
  protected Table<?> rows() {
    return DSL.table(
        "%1$s.inbox_dead_letter d join %1$s.inbox_consumer c using (consumer_id)"
            .formatted(schema));
  }

  @Override
  protected Table<?> locked() {
    return DSL.table(DSL.name("d"));
  }

  @Override
  protected Field<OffsetDateTime> time() {
    return column("dead_at", TIMESTAMPWITHTIMEZONE);
  }

  @Override
  protected Field<String> where() {
    return DSL.field("c.consumer", CLOB);
  }

  @Override
  protected Condition isHandlersError() {
    return DSL.condition(column("id_recorded", BOOLEAN));
  }

  @Override
  protected Condition hasId(List<String> ids) {
    IntPredicate fits = fits();
    List<String> stored = new ArrayList<>();
    for (String id : ids) {
      stored.add(DatabaseText.readable(id, fits));
      stored.add(DatabaseText.restorable(id, fits));
    }
    return text("id").eq(DSL.any(DSL.val(stored.toArray(String[]::new), CLOB.array())));
  }

  /** As bytes: a name that does not fit into the database was registered escaped. */
  @Override
  protected Condition isFor(String consumer) {
    return DSL.condition(
        "convert_to(c.consumer, 'UTF8') in ({0}, {1})",
        DSL.val(consumer.getBytes(StandardCharsets.UTF_8)),
        DSL.val(ConsumerRegistry.escaped(consumer).getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * What was given up is known not to have been processed, however old it is. Of the others the
   * id's time counts, or for other producers' ids the time at which it came.
   */
  @Override
  protected Condition isBeyondHorizon() {
    return DSL.condition(
        """
        (not d.id_recorded and exists (select from %1$s.inbox_retention r
          where (d.message_id >= '01000000-0000-0000-0000-000000000000'
              and d.message_id < greatest(%1$s.inbox_bound(clock_timestamp() - r.horizon),
                %1$s.inbox_bound(r.closed_before)))
            or (d.message_id >= 'ff000000-0000-0000-0000-000000000000'
              and d.dead_at < clock_timestamp() - r.horizon)))"""
            .formatted(schema));
  }

  @Override
  protected Field<Long> horizonSeconds() {
    return DSL.field(
        "(select extract(epoch from horizon)::bigint from %s.inbox_retention)".formatted(schema),
        BIGINT);
  }

  @Override
  protected Table<?> audit() {
    return DSL.table(schema + ".inbox_audit");
  }

  @Override
  protected boolean auditHasAct() {
    return false;
  }

  @Override
  protected String stored(String text) {
    return DatabaseText.readable(text, fits());
  }

  private IntPredicate fits() {
    IntPredicate known = fitting;
    if (known == null) {
      throw new IllegalStateException("The encoding of the database is not known yet");
    }
    return known;
  }

  @Override
  protected List<Field<?>> columns(boolean withPayload) {
    List<Field<?>> columns = new ArrayList<>();
    for (String each : SHOWN) {
      columns.add(DSL.field(DSL.name("d", each)));
    }
    columns.add(where());
    columns.add(DSL.field("coalesce(octet_length(d.payload), 0)").as("size"));
    columns.add(DSL.field(withPayload ? "d.payload" : "null::bytea").as("payload"));
    return columns;
  }

  @Override
  protected SetAsideMessage read(ResultSet row) throws SQLException {
    StoredTexts texts = StoredTexts.of(row, row.findColumn("headers"));
    long redrive = row.getLong("redrive");
    boolean waits = !row.wasNull();
    return new SetAsideMessage(
        row.getLong("number"),
        row.getString("consumer"),
        row.getObject("message_id", UUID.class),
        texts.get(row.findColumn("id")),
        texts.get(row.findColumn("source")),
        texts.get(row.findColumn("origin")),
        texts.get(row.findColumn("destination")),
        texts.get(row.findColumn("key")),
        texts.get(row.findColumn("type")),
        texts.get(row.findColumn("content_type")),
        timeOrNull(row, "message_time"),
        timeOrNull(row, "expires_at"),
        texts.headers(),
        row.getBytes("payload"),
        row.getLong("size"),
        row.getString("reason"),
        row.getString("error"),
        row.getInt("attempts"),
        null,
        time(row, "dead_at"),
        timeOrNull(row, "discarded_at"),
        row.getString("discarded_by"),
        waits ? redrive : null,
        false);
  }
}
