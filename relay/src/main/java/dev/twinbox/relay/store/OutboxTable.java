package dev.twinbox.relay.store;

import static org.jooq.impl.SQLDataType.BIGINT;
import static org.jooq.impl.SQLDataType.TIMESTAMPWITHTIMEZONE;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.postgres.Tables;
import dev.twinbox.setaside.Filter;
import dev.twinbox.setaside.SetAsideMessage;
import dev.twinbox.setaside.SetAsideTable;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Table;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/** The columns that a message of an outbox has wherever it is set aside. */
abstract class OutboxTable extends SetAsideTable {
  final Tables tables;
  private final String from;
  private final String time;

  /**
   * @param from what is selected from, with names of tables in braces
   * @param time the column that selections mean
   */
  OutboxTable(Tables tables, String name, Set<Filter> filters, String from, String time) {
    super(name, filters);
    this.tables = tables;
    this.from = tables.sql(from);
    this.time = time;
  }

  @Override
  protected Table<?> rows() {
    return DSL.table(from).as("d");
  }

  @Override
  protected Table<?> locked() {
    return DSL.table(DSL.name("d"));
  }

  @Override
  protected Field<OffsetDateTime> time() {
    return column(time, TIMESTAMPWITHTIMEZONE);
  }

  @Override
  protected Field<String> where() {
    return text("destination");
  }

  @Override
  protected Condition hasId(List<String> ids) {
    UUID[] uuids = ids.stream().map(OutboxTable::uuid).toArray(UUID[]::new);
    return column("id", SQLDataType.UUID).eq(DSL.any(DSL.val(uuids, SQLDataType.UUID.array())));
  }

  private static UUID uuid(String id) {
    try {
      return UUID.fromString(id);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "'%s' is no message id; write it as in 0197b7a0-5c1e-7d6a-9f3b-2f0c8a1d4e5f."
              .formatted(id),
          e);
    }
  }

  /** A message's age is that of its id. */
  @Override
  protected Condition isBeyondHorizon() {
    return DSL.condition(
        tables.sql(
            """
            (d.id < (select {inbox_bound}(clock_timestamp() - r.horizon)
              from {inbox_retention} r))"""));
  }

  @Override
  protected Field<Long> horizonSeconds() {
    return DSL.field(
        tables.sql("(select extract(epoch from r.horizon)::bigint from {inbox_retention} r)"),
        BIGINT);
  }

  @Override
  protected Table<?> audit() {
    return DSL.table(tables.of("outbox_audit"));
  }

  @Override
  protected boolean auditHasAct() {
    return true;
  }

  /** The columns that say why a message lies here; those of one for which there is no reason. */
  String failure() {
    return """
        null::text as reason, null::text as error, 0 as attempts,
        null::timestamptz as first_failed_at, null::timestamptz as discarded_at,
        false as blocks_key""";
  }

  /** Texts that no producer of ours writes are cut, so that a list fits into memory. */
  @Override
  protected List<Field<?>> columns(boolean withPayload) {
    List<Field<?>> columns = new ArrayList<>();
    columns.add(number().as("number"));
    columns.add(time().as("at"));
    columns.add(
        DSL.field(
            """
            0 as lane, 0 as position, d.id, d.created_at, d.expires_at,
            left(d.destination, 1024) as destination, left(d.key, 2048) as key,
            left(d.type, 1000) as type, left(d.content_type, 1000) as content_type,
            case when pg_column_size(d.headers || cast(array[] as text[])) < 262144
              then d.headers end as headers,
            coalesce(octet_length(d.payload), 0) as size"""));
    columns.add(DSL.field(failure()));
    columns.add(
        withPayload
            ? DSL.field(
                "case when octet_length(d.payload) <= {0} then d.payload end as payload",
                DSL.inline(OutboxRows.MOST_BYTES))
            : DSL.field("null::bytea as payload"));
    return columns;
  }

  @Override
  protected SetAsideMessage read(ResultSet row) throws SQLException {
    OutboxRecord message = OutboxRows.shown(row);
    Map<String, String> headers = new LinkedHashMap<>();
    message.headers().forEach(header -> headers.put(header.name(), header.value()));
    return new SetAsideMessage(
        row.getLong("number"),
        null,
        message.id(),
        message.id().toString(),
        null,
        null,
        message.destination(),
        message.key(),
        message.type(),
        message.contentType(),
        message.createdAt(),
        message.expiresAt(),
        headers,
        row.getBytes("payload"),
        row.getLong("size"),
        row.getString("reason"),
        row.getString("error"),
        row.getInt("attempts"),
        timeOrNull(row, "first_failed_at"),
        time(row, "at"),
        timeOrNull(row, "discarded_at"),
        null,
        null,
        row.getBoolean("blocks_key"));
  }

  /** Milliseconds as a parameter; null for none. */
  static Field<Long> millis(@Nullable Duration duration) {
    return DSL.val(duration == null ? null : duration.toMillis(), BIGINT);
  }
}
